"""Cipher suites: their numbers, as AT+CIPSSLCCIPHER has them, and their names, as MicroPython's `tls` has them.
The numbers are those of the IANA's registry of TLS parameters; of the suites those that a port may be built with."""

import errno

import tls

_SUITES = (
    b"\n002F RSA-WITH-AES-128-CBC-SHA"
    b"\n0033 DHE-RSA-WITH-AES-128-CBC-SHA"
    b"\n0035 RSA-WITH-AES-256-CBC-SHA"
    b"\n0039 DHE-RSA-WITH-AES-256-CBC-SHA"
    b"\n003C RSA-WITH-AES-128-CBC-SHA256"
    b"\n003D RSA-WITH-AES-256-CBC-SHA256"
    b"\n0067 DHE-RSA-WITH-AES-128-CBC-SHA256"
    b"\n006B DHE-RSA-WITH-AES-256-CBC-SHA256"
    b"\n008C PSK-WITH-AES-128-CBC-SHA"
    b"\n008D PSK-WITH-AES-256-CBC-SHA"
    b"\n0090 DHE-PSK-WITH-AES-128-CBC-SHA"
    b"\n0091 DHE-PSK-WITH-AES-256-CBC-SHA"
    b"\n0094 RSA-PSK-WITH-AES-128-CBC-SHA"
    b"\n0095 RSA-PSK-WITH-AES-256-CBC-SHA"
    b"\n009C RSA-WITH-AES-128-GCM-SHA256"
    b"\n009D RSA-WITH-AES-256-GCM-SHA384"
    b"\n009E DHE-RSA-WITH-AES-128-GCM-SHA256"
    b"\n009F DHE-RSA-WITH-AES-256-GCM-SHA384"
    b"\n00A8 PSK-WITH-AES-128-GCM-SHA256"
    b"\n00A9 PSK-WITH-AES-256-GCM-SHA384"
    b"\n00AA DHE-PSK-WITH-AES-128-GCM-SHA256"
    b"\n00AB DHE-PSK-WITH-AES-256-GCM-SHA384"
    b"\n00AC RSA-PSK-WITH-AES-128-GCM-SHA256"
    b"\n00AD RSA-PSK-WITH-AES-256-GCM-SHA384"
    b"\n00AE PSK-WITH-AES-128-CBC-SHA256"
    b"\n00AF PSK-WITH-AES-256-CBC-SHA384"
    b"\n00B2 DHE-PSK-WITH-AES-128-CBC-SHA256"
    b"\n00B3 DHE-PSK-WITH-AES-256-CBC-SHA384"
    b"\n00B6 RSA-PSK-WITH-AES-128-CBC-SHA256"
    b"\n00B7 RSA-PSK-WITH-AES-256-CBC-SHA384"
    b"\nC009 ECDHE-ECDSA-WITH-AES-128-CBC-SHA"
    b"\nC00A ECDHE-ECDSA-WITH-AES-256-CBC-SHA"
    b"\nC013 ECDHE-RSA-WITH-AES-128-CBC-SHA"
    b"\nC014 ECDHE-RSA-WITH-AES-256-CBC-SHA"
    b"\nC023 ECDHE-ECDSA-WITH-AES-128-CBC-SHA256"
    b"\nC024 ECDHE-ECDSA-WITH-AES-256-CBC-SHA384"
    b"\nC027 ECDHE-RSA-WITH-AES-128-CBC-SHA256"
    b"\nC028 ECDHE-RSA-WITH-AES-256-CBC-SHA384"
    b"\nC02B ECDHE-ECDSA-WITH-AES-128-GCM-SHA256"
    b"\nC02C ECDHE-ECDSA-WITH-AES-256-GCM-SHA384"
    b"\nC02F ECDHE-RSA-WITH-AES-128-GCM-SHA256"
    b"\nC030 ECDHE-RSA-WITH-AES-256-GCM-SHA384"
    b"\nC035 ECDHE-PSK-WITH-AES-128-CBC-SHA"
    b"\nC036 ECDHE-PSK-WITH-AES-256-CBC-SHA"
    b"\nC037 ECDHE-PSK-WITH-AES-128-CBC-SHA256"
    b"\nC038 ECDHE-PSK-WITH-AES-256-CBC-SHA384"
    b"\nC09C RSA-WITH-AES-128-CCM"
    b"\nC09D RSA-WITH-AES-256-CCM"
    b"\nC09E DHE-RSA-WITH-AES-128-CCM"
    b"\nC09F DHE-RSA-WITH-AES-256-CCM"
    b"\nC0A0 RSA-WITH-AES-128-CCM-8"
    b"\nC0A1 RSA-WITH-AES-256-CCM-8"
    b"\nC0A2 DHE-RSA-WITH-AES-128-CCM-8"
    b"\nC0A3 DHE-RSA-WITH-AES-256-CCM-8"
    b"\nC0A4 PSK-WITH-AES-128-CCM"
    b"\nC0A5 PSK-WITH-AES-256-CCM"
    b"\nC0A6 DHE-PSK-WITH-AES-128-CCM"
    b"\nC0A7 DHE-PSK-WITH-AES-256-CCM"
    b"\nC0A8 PSK-WITH-AES-128-CCM-8"
    b"\nC0A9 PSK-WITH-AES-256-CCM-8"
    b"\nC0AC ECDHE-ECDSA-WITH-AES-128-CCM"
    b"\nC0AD ECDHE-ECDSA-WITH-AES-256-CCM"
    b"\nC0AE ECDHE-ECDSA-WITH-AES-128-CCM-8"
    b"\nC0AF ECDHE-ECDSA-WITH-AES-256-CCM-8"
    b"\n"
)
_TLS = "TLS-"


def known():
    """The numbers of the suites that this port has, best first, as four hexadecimal digits."""
    found = []
    for name in _here():
        at = _SUITES.find(b" %s\n" % name[len(_TLS) :].encode())
        if at >= 0:
            found.append(_SUITES[at - 4 : at].decode())
    return found


def names(numbers):
    """The names of suites, by their numbers; OSError when this port does not have one of them."""
    here = _here()
    found = []
    for number in numbers:
        at = _SUITES.find(b"\n%04X " % number)
        name = _TLS + _SUITES[at + 6 : _SUITES.find(b"\n", at + 1)].decode()
        if at < 0 or name not in here:
            raise OSError(errno.EOPNOTSUPP, "this MicroPython's tls does not have the cipher suite")
        found.append(name)
    return found


def _here():
    return tls.SSLContext(tls.PROTOCOL_TLS_CLIENT).get_ciphers()
