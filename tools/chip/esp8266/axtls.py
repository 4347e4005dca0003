"""Stands in for the chip's module tls, which is made of axTLS: no verification, no choice of ciphers, no PSK.
What it does is done by MicroPython's own on the PC, with the ciphers that axTLS has. On the chip it takes no heap, so
this takes little until it is used."""

PROTOCOL_TLS_CLIENT = 0
PROTOCOL_TLS_SERVER = 1
CERT_NONE = 0


def SSLContext(_protocol):
    import sys

    axtls = sys.modules.pop("tls")
    tls = __import__("tls")
    sys.modules["tls"] = axtls
    real = tls.SSLContext(_protocol)
    real.verify_mode = CERT_NONE
    names = "128-CBC-SHA 128-CBC-SHA256 256-CBC-SHA 256-CBC-SHA256"
    real.set_ciphers(["TLS-RSA-WITH-AES-" + name for name in names.split()])
    context = type("SSLContext", (), {"load_cert_chain": real.load_cert_chain, "wrap_socket": real.wrap_socket})()
    context.verify_mode = CERT_NONE  # it can be set, to no effect
    return context
