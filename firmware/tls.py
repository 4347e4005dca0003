"""Certificates and keys: the files in /certs, by the names of AT+SYSMFG, and the TLS contexts that are made of them.
What a context cannot be made of is an OSError, with bytes for the host or a text that explains (see Interpreter)."""

import errno
import gc

import tls

from firmware.net import address

FOLDER = "/certs/"
NUMBERS = 2  # of each kind
# What AT+CIPSSLCCONF is at first, for each link: mode, number of the certificate and key, number of the CA.
DEFAULT = [[0, 0, 0]] * 5
_BEGIN = b"-----BEGIN "
_END = b"-----END "
_DASHES = b"-----"
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE")
# axTLS, on the ESP8266, verifies nothing and has no constant for it either.
_REQUIRED = getattr(tls, "CERT_REQUIRED", None)


def path(name, number):
    return "%s%s.%d" % (FOLDER, name, number)


def connect(at, number, host):
    """A link of the kind SSL, not connected yet, as AT+CIPSSLC... have set this number."""
    from firmware.net.links import CLIENT
    from firmware.net.tls import TLSLink

    mode, pki, ca = at.settings.get("CIPSSLCCONF", DEFAULT)[number]
    sni, name, protocols, ciphers, psk = [
        at.tls.get(key, {}).get(number) for key in ("SNI", "CN", "ALPN", "CIPHER", "PSK")
    ]
    if protocols:
        raise OSError(errno.EOPNOTSUPP, "ALPN: MicroPython's tls has none")
    context = _client(at, mode, pki, ca)
    asked = _name(sni or host, mode)
    if mode & 2 and name:
        # MicroPython has one name for both.
        if sni and asked.lower() != _name(name, mode).lower():
            raise OSError(errno.EINVAL, "SNI and CN differ")
        asked = _name(name, mode)
    if ciphers:
        context.set_ciphers(ciphers)
    if psk:
        try:
            context.psk_identity, context.psk_key = psk
        except AttributeError:
            raise OSError(errno.EOPNOTSUPP, "PSK: this MicroPython's tls has none")
    return TLSLink(at.links, number, CLIENT, context, asked)


def update(at, links, host, mode, pki, ca):
    """The link of an update; the parameters are those of AT+MPYUPDATE."""
    from firmware.net.links import CLIENT
    from firmware.net.tls import TLSLink

    return TLSLink(links, 0, CLIENT, _client(at, mode, pki, ca), _name(host, mode))


def _name(host, mode):
    """The name that a server is asked for, and that its certificate is to have: without the dot that may end it. An
    address is none to ask for, so it is given to TLS only if it is to be in the certificate."""
    if host.endswith("."):
        host = host[:-1]
    ip = address.ipv4(host)
    if mode & 2:
        return ip or host
    return None if ip or not host or address.is_ipv6(host) else host


def _client(at, mode, pki, ca):
    context = _context(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_NONE
    if mode & 1:
        _own(context, "client", pki)
    if mode & 2:
        _verify(at, context, "client_ca", ca)
    return context


def listen(at, ca):
    """The context of a server; with `ca` its clients need a certificate."""
    context = _context(tls.PROTOCOL_TLS_SERVER)
    _own(context, "server", 0)
    if ca:
        _verify(at, context, "server_ca", 0)
    return context


def _context(protocol):
    # mbedTLS has memory outside of the heap, which is free again when the contexts of earlier links are collected.
    gc.collect()
    return tls.SSLContext(protocol)


def _verify(at, context, name, number):
    """Has the peer's certificate verified, by the CAs of a file."""
    if _REQUIRED is None:
        raise OSError(errno.EOPNOTSUPP, "this chip's tls cannot verify certificates")
    found = _load(name, number, b"NO CA FOUND\r\n")
    from firmware import clock  # the ESP8266 has no need of it here

    if not clock.of(at).right():
        raise OSError(errno.EPERM, "the clock was never set, so no certificate can be verified")
    context.verify_mode = _REQUIRED
    _use(context.load_verify_locations, found)


def _own(context, name, number):
    """Gives the context a certificate, with those of the file that lead to its CA, and its key."""
    chain = _load(name + "_cert", number, b"NO CERT FOUND\r\n")
    key = _load(name + "_key", number, b"NO PRVT_KEY FOUND\r\n")[0]
    # axTLS has a place for one.
    _use(lambda cert: context.load_cert_chain(cert, key), chain if _REQUIRED else chain[:1])
    from firmware import pair

    if not pair.fits(chain[0], key):
        raise OSError(errno.EINVAL, "the key is not the certificate's")


def _use(load, certificates):
    try:
        for certificate in certificates:
            load(certificate)
    except ValueError as error:  # "invalid cert" or "invalid key"
        raise OSError(errno.EINVAL, str(error))


def _load(name, number, missing):
    """The certificates or keys of a file, in DER. `missing` is for the host when there is none."""
    try:
        with open(path(name, number), "rb") as file:
            data = file.read()
    except OSError:
        data = b""
    found = _blocks(data, name[-4:] == "_key") if _BEGIN in data else [data]
    if not found or not found[0]:
        raise OSError(errno.ENOENT, missing)
    return found


def _blocks(data, keys):
    """The DER of the blocks of a PEM that are private keys, or of those that are certificates. One file may have both,
    and others, such as the parameters of a curve. Its lines may end in any way. Not every port's `tls` reads PEM."""
    from binascii import a2b_base64

    found = []
    start = data.find(_BEGIN)
    while start >= 0:
        start += len(_BEGIN)
        body = data.find(_DASHES, start)
        end = data.find(_END, start)
        if body < 0 or end < body:
            break
        label = data[start:body]
        if label.endswith(b"PRIVATE KEY") if keys else label in _CERTIFICATES:
            try:
                found.append(a2b_base64(data[body + len(_DASHES) : end]))
            except ValueError:
                raise OSError(errno.EINVAL, "not a PEM")
        start = data.find(_BEGIN, end)
    return found
