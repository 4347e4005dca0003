"""UDP links. Datagrams stay whole; who the peer is may change with what comes in, by the link's mode."""

import errno
import socket
from time import ticks_ms

from micropython import const

from firmware.net import address, options
from firmware.net.link import Link

# Modes: the peer never changes, changes once, or is always the last who sent.
_FIXED = const(0)
_ONCE = const(1)
_FOLLOW = const(2)
# A datagram of less than so many bytes is not worth another try when memory is short.
_LEAST = const(64)

# As a remote address: nobody yet. Such a link receives only, until a datagram names its peer.
NOBODY = ("0.0.0.0", "::")
_EVERYBODY = "255.255.255.255"


class UDPLink(Link):
    """One UDP socket with a remote address to send to. `size` is the largest datagram that is received."""

    kind = "UDP"
    datagrams = True
    _part = None  # of the socket that several links share, in place of one of its own

    def __init__(self, links, number, size):
        super().__init__(links, number)
        self._size = size
        self._mode = _FIXED
        self._to = None
        self._broadcast = _EVERYBODY
        self.dropped = 0  # datagrams that were larger, or for which there was no memory

    def start(self, ip, port, local_port, mode, local_ip, here, mask):
        """Opens the socket, or raises OSError. `here` and `mask` are the station's, for groups and broadcasts."""
        from firmware.net import groups

        if self._links.table[self.number] is not self:  # the network went while the name was asked for
            raise OSError(errno.ENOTCONN)
        self.ip, self.port, self._mode = ip, port, mode
        v6 = ":" in ip
        if v6:
            self.kind = "UDPv6"
            groups.needs_any()
        self._sock = sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        group = address.is_group(ip)
        if group:
            # Others on this host may listen to the same group.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._bind(local_ip or ("::" if v6 else "0.0.0.0"), local_port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            from firmware.net.shared import share

            sock.close()
            self._sock = sock = self._part = share(self._links, self, local_port)
        groups.groups_on(sock, v6, here)
        if group:
            groups.join_group(sock, ip, here)
        if not v6:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            self._broadcast = groups.broadcast(here, mask)
        if port and ip not in NOBODY:
            self._to = self.address(ip, port)
            if v6:
                # A text of many spellings becomes the one that senders are compared by.
                self.ip = address.parts(self._to)[0]
        if not self._part:
            self._loop.watch(sock, 0, self._event)
        self.open = self._links.used = True

    def _poll(self, events):
        if self._part:
            self._part.poll(events)
        else:
            super()._poll(events)

    def address(self, ip, port):
        """The address of another peer, as write() takes it; OSError when it is none."""
        return address.resolved(self._broadcast if ip == _EVERYBODY else ip, port, socket.SOCK_DGRAM)

    def _receive(self):
        """As recvfrom(). Without memory in one piece for the largest datagram, idle commands give way; if that does not
        help, smaller ones are still received, and larger ones cut off."""
        size = self._size + 1  # one byte more shows that something was cut off
        spared = False
        while True:
            try:
                data, sender = options.receive(self._sock, size)
                return data, sender, len(data) == size
            except MemoryError:
                if not spared:
                    spared = True
                    self.spare()
                elif size < _LEAST:
                    raise
                else:
                    size = size * 3 // 4

    def receive(self):
        """The next datagram as (bytes, ip, port), or None when there is none."""
        try:
            data, sender, cut = self._receive()
        except OSError:  # nothing there, or the peer's port is closed, which is no end for a UDP link
            return None
        except MemoryError:
            try:
                # It cannot stay where it is, as it would be found again at once.
                self._sock.recv(1)
                self.dropped += 1
            except OSError:
                pass
            return None
        try:
            ip, port = address.parts(sender)
        except MemoryError:
            cut = True
        if cut:
            self.dropped += 1
            return None
        if (ip, port) != (self.ip, self.port) and self._mode != _FIXED:
            if self._mode == _ONCE:
                self._mode = _FIXED
            self.ip, self.port, self._to = ip, port, sender
        return data, ip, port

    def fixed(self):
        """Whether the peer stays who it is, as passthrough needs it."""
        return self._mode == _FIXED and self._to is not None

    def send(self, buffer, start, end):
        """Sends buffer[start:end] as one datagram: its length, or None when it has to wait."""
        try:
            whole = not start and end == len(buffer)
            self._sock.sendto(buffer if whole else memoryview(buffer)[start:end], self._to)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
        return end - start  # also when the network has refused it, as with any datagram that is lost

    async def write(self, pieces, end, start=0, to=None):
        """Sends the bytes from `start` to `end` of the first piece as one datagram, to the peer or to what `address`
        gave; OSError when it cannot."""
        to = to or self._to
        if not to:
            raise OSError(errno.ENOTCONN)
        began = ticks_ms()
        while self._sock:
            try:
                self._sock.sendto(memoryview(pieces[0])[start:end], to)
                return
            except OSError as error:
                if error.errno == errno.ETIMEDOUT and start == end:
                    return  # so the ESP32 port ends the sending of nothing, which has gone by then
                if error.errno != errno.EAGAIN:
                    raise
            if not await self._writable(began):
                break
        raise OSError(errno.ENOTCONN)
