"""Socket options: the ports of MicroPython have different ones, and different numbers for them.
What a port cannot set is left as it is; the command that asked goes on, as the manual lets the host expect."""

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
# A flag of recvfrom(): the datagram stays in the socket. The ports have it since MicroPython 1.26.
_PEEK = 2 if ANY else getattr(socket, "MSG_PEEK", 0)


def tune(sock, linger, no_delay, alive):
    """What AT+CIPTCPOPT says. `linger`: with 0 close() drops what is unsent and resets the connection, with any other
    it goes on sending. `no_delay` sends small pieces at once. After `alive` seconds a silent peer is looked for, then
    each second, three times; with 0 never."""
    if ANY:
        # struct linger: two ints of 32 bits, little-endian on all PCs that this runs on.
        # A time above 0 would have close() wait, and every link with it; Linux goes on sending without that, too.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([linger == 0, 0, 0, 0, 0, 0, 0, 0]))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1 if alive else 0)
        if alive:
            for option, value in ((_TCP_KEEPIDLE, alive), (_TCP_KEEPINTVL, 1), (_TCP_KEEPCNT, 3)):
                sock.setsockopt(_TCP, option, value)
    if no_delay or ANY:
        sock.setsockopt(_TCP, getattr(socket, "TCP_NODELAY", 1), no_delay)


def receive(sock, size):
    """As recvfrom(), but a datagram for which there is not enough memory is still in the socket then: the unix port
    makes a copy of what it has read, and each port an object."""
    if not _PEEK or not isinstance(sock, socket.socket):
        return sock.recvfrom(size)
    datagram = sock.recvfrom(size, _PEEK)
    sock.recv(1)
    return datagram
