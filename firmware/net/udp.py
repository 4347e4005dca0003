"""UDP links. Datagrams stay whole; who the peer is may change with what comes in, by the link's mode."""

import errno
import socket

from micropython import const

from firmware.net import address, options
from firmware.net.links import Link

# Modes: the peer never changes, changes once, or is always the last who sent.
_FIXED = const(0)
_ONCE = const(1)
_FOLLOW = const(2)


class UDPLink(Link):
    """One UDP socket with a remote address to send to. `size` is the largest datagram that is received whole."""

    kind = "UDP"
    datagrams = True

    def __init__(self, links, number, size):
        super().__init__(links, number)
        self._size = size
        self._mode = _FIXED
        self._to = None

    def start(self, ip, port, local_port, mode, local_ip, interface):
        """Opens the socket, or raises OSError. `interface` is the station's own address, for multicast."""
        self.ip, self.port, self._mode = ip, port, mode
        v6 = ":" in ip
        if v6:
            self.kind = "UDPv6"
        self._sock = sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        group = address.is_group(ip)
        if group:
            # Others on this host may listen to the same group.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bind(local_ip or ("::" if v6 else "0.0.0.0"), local_port)
        if not v6:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if group:
            options.join_group(sock, ip, interface)
        if port:
            self._to = address.resolved(ip, port, socket.SOCK_DGRAM)
        self._loop.watch(sock, 0, self._event)
        self.open = self._links.used = True

    def receive(self):
        """The next datagram as (bytes, ip, port), or None when there is none."""
        try:
            data, sender = self._sock.recvfrom(self._size)
        except OSError:  # nothing there, or the peer's port is closed, which is no end for a UDP link
            return None
        ip, port = address.parts(sender)
        if (ip, port) != (self.ip, self.port) and self._mode != _FIXED:
            if self._mode == _ONCE:
                self._mode = _FIXED
            self.ip, self.port, self._to = ip, port, sender
        return data, ip, port

    async def write(self, buffer, end, start=0, to=None):
        """Sends buffer[start:end] as one datagram, to the peer or to the address `to`; OSError when it cannot."""
        to = to or self._to
        if not to:
            raise OSError(errno.ENOTCONN)
        while self._sock:
            try:
                self._sock.sendto(memoryview(buffer)[start:end], to)
                return
            except OSError as error:
                if error.errno != errno.EAGAIN:
                    raise
            if not await self._writable():
                break
        raise OSError(errno.ENOTCONN)
