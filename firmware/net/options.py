"""Socket options: the ports of MicroPython have different ones, and different numbers for them.
What a port cannot set is left as it is; the command that asked goes on, as the manual lets the host expect."""

import errno
import socket
import sys

from micropython import const

# The unix port passes any option on to Linux, whose numbers these are (include/uapi/linux/in.h, in6.h, tcp.h).
# The ESP32 and ESP8266 ports take SO_REUSEADDR, SO_BROADCAST, TCP_NODELAY and IP_ADD_MEMBERSHIP only, and print a
# warning for any other, on the ESP8266 to the AT port itself (ports/esp32/modsocket.c, extmod/modlwip.c).
ANY = sys.platform == "linux"
_TCP = const(6)
_TCP_KEEPIDLE = const(4)
_TCP_KEEPINTVL = const(5)
_TCP_KEEPCNT = const(6)
_IP_MULTICAST_IF = const(32)
_IPV6 = const(41)
_IPV6_MULTICAST_IF = const(17)
_IPV6_JOIN_GROUP = const(20)
# A flag of recvfrom(): the datagram stays in the socket. The ports have it since MicroPython 1.26.
_PEEK = 2 if ANY else getattr(socket, "MSG_PEEK", 0)
# The unix port's station is the PC's loopback, which Linux numbers 1.
_LOOPBACK = const(1)


def keep_alive(sock, seconds):
    """Looks for a silent peer after so many seconds, then each second, three times; 0 for never."""
    if ANY:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1 if seconds else 0)
        if seconds:
            for option, value in ((_TCP_KEEPIDLE, seconds), (_TCP_KEEPINTVL, 1), (_TCP_KEEPCNT, 3)):
                sock.setsockopt(_TCP, option, value)


def linger(sock, seconds):
    """What close() does with unsent data: 0 drops them and resets the connection, any other goes on sending."""
    if ANY:
        # struct linger: two ints of 32 bits, little-endian on all PCs that this runs on.
        # A time above 0 would have close() wait, and every link with it; Linux goes on sending without that, too.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([seconds == 0, 0, 0, 0, 0, 0, 0, 0]))


def no_delay(sock, on):
    """Sends small pieces at once."""
    if on or ANY:
        sock.setsockopt(_TCP, getattr(socket, "TCP_NODELAY", 1), on)


def needs_any():
    """OSError on a chip, for UDP over IPv6: sendto(), recvfrom() and the joining of groups know IPv4 only there."""
    if not ANY:
        raise OSError(errno.EOPNOTSUPP)


def groups_on(sock, v6, interface):
    """What the socket sends to groups goes out where the station is: at its IPv4 address. A chip has no other way."""
    if ANY:
        if v6:
            sock.setsockopt(_IPV6, _IPV6_MULTICAST_IF, _LOOPBACK)
        else:
            sock.setsockopt(0, _IP_MULTICAST_IF, _packed(interface))


def join_group(sock, group, interface):
    """Receives what is sent to a multicast group at the interface with this IPv4 address."""
    if ANY and ":" in group:
        index = bytes((_LOOPBACK, 0, 0, 0))
        sock.setsockopt(_IPV6, _IPV6_JOIN_GROUP, socket.inet_pton(socket.AF_INET6, group.split("%")[0]) + index)
    else:
        # Each port has a number of its own for it. Some builds of the unix port do not name Linux's, which is 35.
        option = getattr(socket, "IP_ADD_MEMBERSHIP", 35)
        sock.setsockopt(0, option, _packed(group) + _packed(interface))


def broadcast(interface, mask):
    """Where to send what is meant for all: Linux would send 255.255.255.255 out at the default route, and not to
    the network that the station is in."""
    if not ANY:
        return "255.255.255.255"
    here, bits = _packed(interface), _packed(mask)
    return ".".join([str(here[i] | ~bits[i] & 255) for i in range(4)])


def receive(sock, size):
    """As recvfrom(), but a datagram for which there is not enough memory is still in the socket then: the unix port
    makes a copy of what it has read, and each port an object."""
    if not _PEEK or not isinstance(sock, socket.socket):
        return sock.recvfrom(size)
    datagram = sock.recvfrom(size, _PEEK)
    sock.recv(1)
    return datagram


def _packed(ip):
    return bytes([int(number) for number in ip.split(".")])
