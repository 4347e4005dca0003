"""Socket addresses: the ports of MicroPython write them differently, the firmware uses text and a number.
ESP32 and ESP8266 have tuples ("1.2.3.4", 80); the unix port has the bytes of a struct sockaddr."""

import errno
import socket

from micropython import const

# AI_NUMERICHOST, of Linux as of lwIP: a text that is no address is not looked up.
_NUMERIC = const(4)


def resolved(ip, port, kind=socket.SOCK_STREAM):
    """The port's own form of a numeric address; OSError for a name. Nothing here ever waits for a name server."""
    found = ipv4(ip)
    if not hasattr(socket, "sockaddr"):  # a chip
        if not found:
            raise OSError(errno.EINVAL)
        return found, port
    if not found and not is_ipv6(ip):
        raise OSError(errno.EINVAL)
    return socket.getaddrinfo(found or ip, port, 0, kind, 0, _NUMERIC)[0][-1]


def parts(address):
    """Text and port number of an address that a socket gave."""
    if isinstance(address, tuple):
        return address[0], address[1]
    _, packed, port = socket.sockaddr(address)[:3]
    return text(packed), port


def ipv4(text):
    """The address that four decimal numbers with dots are, or None. Zeros in front are left out: what C takes for octal
    numbers would be another address, or with 8 and 9 a name."""
    numbers = text.split(".")
    if len(numbers) == 4 and all(n.isdigit() and int(n) < 256 for n in numbers):
        return ".".join([str(int(n)) for n in numbers])
    return None


def same_network(ip, other, netmask):
    """Whether two IPv4 addresses are in one network; an IPv6 address is in none."""
    if ":" in ip:
        return False
    ip, other, netmask = (text.split(".") for text in (ip, other, netmask))
    return not any((int(ip[i]) ^ int(other[i])) & int(netmask[i]) for i in range(4))


def is_ipv6(text):
    """Whether it looks like an IPv6 address, which no name does: it has colons, and hexadecimal digits only.

    A zone may follow, as in fe80::1%lo."""
    text = text.split("%")[0].lower()
    return text.count(":") > 1 and not text.strip("0123456789abcdef:.")


def is_group(ip):
    """Whether it is a multicast group."""
    if ":" in ip:
        return ip[:2].lower() == "ff"
    return 224 <= int(ip.split(".")[0]) < 240


def text(packed):
    """The text of an address of 4 or 16 bytes; of a row of zeros in IPv6 the longest is left out (RFC 5952)."""
    if len(packed) == 4:
        return "%d.%d.%d.%d" % tuple(packed)
    words = ["%x" % (packed[i] << 8 | packed[i + 1]) for i in range(0, 16, 2)]
    best = start = 0
    for i in range(8):
        length = 0
        while i + length < 8 and words[i + length] == "0":
            length += 1
        if length > best:
            best, start = length, i
    if best < 2:
        return ":".join(words)
    return ":".join(words[:start]) + "::" + ":".join(words[start + best :])
