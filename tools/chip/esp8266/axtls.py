"""Stands in for the chip's module tls, which is made of axTLS: no verification, no choice of ciphers, no PSK.
What it does is done by MicroPython's own on the PC, with the ciphers that axTLS has. What that takes of the heap it
takes at the start, with the other stand-ins; what axTLS takes, with a key of 2048 bits, is taken when it does so."""

import sys

import tls

PROTOCOL_TLS_CLIENT = 0
PROTOCOL_TLS_SERVER = 1
CERT_NONE = 0

# What axTLS of MicroPython 1.25 has allocated behind a handshake with a key of 2048 bits, 8,464 bytes, and what it has
# needed beyond that, 2,736. A bytearray adds 16 to each piece; the first 640 bytes are what is taken here anyway.
_KEPT = (592, 5312, 480, 480, 240, 240, 240, 112)
_MORE = (1008, 768, 512, 240, 128)


def _context(protocol):
    context = tls.SSLContext(protocol)
    context.verify_mode = CERT_NONE
    names = "128-CBC-SHA 128-CBC-SHA256 256-CBC-SHA 256-CBC-SHA256"
    context.set_ciphers(["TLS-RSA-WITH-AES-" + name for name in names.split()])
    return context


_plain = _context(tls.PROTOCOL_TLS_CLIENT)


class _Context:
    def __init__(self, _protocol):
        self.verify_mode = CERT_NONE  # it can be set, to no effect
        self._real = _plain if _protocol == PROTOCOL_TLS_CLIENT else _context(tls.PROTOCOL_TLS_SERVER)

    def load_cert_chain(self, _cert, _key):
        if self._real is _plain:
            self._real = _context(tls.PROTOCOL_TLS_CLIENT)
        self._real.load_cert_chain(_cert, _key)

    def wrap_socket(self, _sock, **_options):
        kept = []
        try:
            real = self._real.wrap_socket(_sock, **_options)
            for size in _KEPT:
                kept.append(bytearray(size))
            [bytearray(size) for size in _MORE]
        except MemoryError:  # axTLS does not look whether it gets what it asks for
            print("Traceback: axTLS would crash for want of memory", file=sys.stderr)
            raise

        def close():
            kept.clear()
            real.close()

        return type("SSLSocket", (), {"readinto": real.readinto, "write": real.write, "close": lambda _: close()})()


def SSLContext(_protocol):
    return _Context(_protocol)
