"""Socket options: the ports of MicroPython have different ones, and different numbers for them.
What a port cannot set is left as it is; the command that asked goes on, as the manual lets the host expect."""

import socket
import sys

# The unix port passes any option on to Linux, whose numbers these are (include/uapi/linux/in.h, in6.h, tcp.h).
# The ESP32 and ESP8266 ports take SO_REUSEADDR, SO_BROADCAST, TCP_NODELAY and IP_ADD_MEMBERSHIP only, and print a
# warning for any other, on the ESP8266 to the AT port itself (ports/esp32/modsocket.c, extmod/modlwip.c).
ANY = sys.platform == "linux"
_TCP = 6
_TCP_KEEPIDLE = 4
_TCP_KEEPINTVL = 5
_TCP_KEEPCNT = 6
_IP_MULTICAST_IF = 32
_IPV6 = 41
_IPV6_MULTICAST_IF = 17
_IPV6_JOIN_GROUP = 20
_IPV6_V6ONLY = 26


def keep_alive(sock, seconds):
    """Looks for a silent peer after so many seconds, then each second, three times; 0 for never."""
    if ANY:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1 if seconds else 0)
        if seconds:
            for option, value in ((_TCP_KEEPIDLE, seconds), (_TCP_KEEPINTVL, 1), (_TCP_KEEPCNT, 3)):
                sock.setsockopt(_TCP, option, value)


def linger(sock, seconds):
    """What close() does with unsent data: -1 goes on sending by itself, 0 drops them and resets the connection."""
    if ANY:
        # struct linger: two ints of 32 bits, little-endian on all PCs that this runs on.
        packed = bytes([seconds >= 0, 0, 0, 0, seconds & 255 if seconds > 0 else 0, max(seconds, 0) >> 8, 0, 0])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, packed)


def no_delay(sock, on):
    """Sends small pieces at once."""
    if on or ANY:
        sock.setsockopt(_TCP, getattr(socket, "TCP_NODELAY", 1), on)


def join_group(sock, group, interface):
    """Receives what is sent to an IPv4 multicast group, and sends to groups, on the interface with this address."""
    here = _packed(interface)
    sock.setsockopt(0, socket.IP_ADD_MEMBERSHIP, _packed(group) + here)
    if ANY:
        sock.setsockopt(0, _IP_MULTICAST_IF, here)


def _packed(ip):
    return bytes([int(number) for number in ip.split(".")])
