"""Stands in for the chip's module socket: the PC's, but for one port, which the port's own mDNS responder may have."""

import socket as _socket
from socket import *  # noqa: F403

import pc


def getaddrinfo(_host, _port, _family=0, _type=0, _proto=0, _flags=0):
    if _port == 5353 and _host == "0.0.0.0":
        _port = pc.ask("mdns_port")
    return _socket.getaddrinfo(_host, _port, _family, _type, _proto, _flags)
