"""Whether a private key is a certificate's, by the public key that both have in them: neither mbedTLS nor axTLS looks.
Loaded only where a certificate of the module's own is."""

from micropython import const

_INTEGER = const(0x02)
_BIT_STRING = const(0x03)
_OCTETS = const(0x04)
_SEQUENCE = const(0x30)
_VERSION = const(0xA0)  # in a certificate
_PUBLIC = const(0xA1)  # in a key of a curve


def fits(certificate, key):
    """False if they are of different pairs. Both are in DER; True also where that cannot be said: of what is none, and
    of a key of a curve without its public part."""
    try:
        own = _of_key(key)
        return own is None or own == _of_certificate(certificate)
    except (IndexError, ValueError):  # it is no DER, which TLS will say
        return True


def _element(data, at, wanted=None):
    """Where the contents of the element at `at` begin and end. ValueError if it is not `wanted`."""
    if wanted is not None and data[at] != wanted:
        raise ValueError
    size = data[at + 1]
    at += 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[at : at + count], "big")
        at += count
    if at + size > len(data):
        raise IndexError
    return at, at + size


def _of_certificate(data):
    """The public key: number and exponent of RSA as they are written, or the point of a curve."""
    at = _element(data, _element(data, 0, _SEQUENCE)[0], _SEQUENCE)[0]
    # In front of it: the version, which need not be there, serial number, algorithm, issuer, dates, subject.
    for _ in range(6 if data[at] == _VERSION else 5):
        at = _element(data, at)[1]
    at = _element(data, _element(data, at, _SEQUENCE)[0])[1]
    start, end = _element(data, at, _BIT_STRING)
    start += 1  # of bits that are not used there are none
    if data[start] == _SEQUENCE:
        start, end = _element(data, start)
    return data[start:end]


def _of_key(data):
    """The public key in a private one, as above, or None."""
    at, end = _element(data, 0, _SEQUENCE)
    at = _element(data, at, _INTEGER)[1]
    if data[at] == _SEQUENCE:  # PKCS #8: the algorithm, then the key itself
        at = _element(data, at)[1]
        start, end = _element(data, at, _OCTETS)
        return _of_key(data[start:end])
    if data[at] == _INTEGER:  # RSA: number, exponent, and then what is secret
        return data[at : _element(data, _element(data, at)[1], _INTEGER)[1]]
    while at < end:  # of a curve
        start, stop = _element(data, at)
        if data[at] == _PUBLIC:
            start, stop = _element(data, start, _BIT_STRING)
            return data[start + 1 : stop]
        at = stop
    return None
