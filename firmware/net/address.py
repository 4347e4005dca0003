"""Socket addresses: the ports of MicroPython write them differently, the firmware uses text and a number.
ESP32 and ESP8266 have tuples ("1.2.3.4", 80); the unix port has the bytes of a struct sockaddr."""

import errno
import socket


def resolved(ip, port, kind=socket.SOCK_STREAM):
    """The port's own form of a numeric address; OSError for a name, as getaddrinfo would wait for a name server."""
    if not is_ipv4(ip):
        raise OSError(errno.EINVAL)
    return socket.getaddrinfo(ip, port, 0, kind)[0][-1]


def parts(address):
    """Text and port number of an address that a socket gave."""
    if isinstance(address, tuple):
        return address[0], address[1]
    family, packed, port = socket.sockaddr(address)[:3]
    return socket.inet_ntop(family, packed), port


def is_ipv4(text):
    """Whether it is four numbers with dots, and no name."""
    numbers = text.split(".")
    return len(numbers) == 4 and all(n.isdigit() and int(n) < 256 for n in numbers)
