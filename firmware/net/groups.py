"""Groups and broadcasts of UDP: socket options that differ between the ports as those in net/options do.
Its module is loaded when a link is opened or a responder starts, and dropped behind that."""

import errno
import socket

from micropython import const

from firmware.net.options import ANY

# The numbers are Linux's (include/uapi/linux/in.h, in6.h).
_IP_MULTICAST_IF = const(32)
_IPV6 = const(41)
_IPV6_MULTICAST_IF = const(17)
_IPV6_JOIN_GROUP = const(20)
# The unix port's station is the PC's loopback, which Linux numbers 1.
_LOOPBACK = const(1)


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


def _packed(ip):
    return bytes([int(number) for number in ip.split(".")])
