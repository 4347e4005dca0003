"""The port of mDNS, for the responder, and for who only holds it for that (see board/esp32.py)."""

import socket

from micropython import const

from firmware.net import address

_PORT = const(5353)


def bound():
    """A socket at the port, beside others of this firmware and, on a PC, those of others. OSError if it is taken."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address.resolved("0.0.0.0", _PORT, socket.SOCK_DGRAM))
    except OSError:
        sock.close()
        raise
    return sock
