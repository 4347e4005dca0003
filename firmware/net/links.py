"""The links: up to five connections, each with an id. They know nothing of AT: a listener is told what happens
(`readable(link)`, `closed(link)`), and reads the data when it has a place for them."""

import errno
import select
import socket
from os import urandom

from firmware.loop import Signal
from firmware.net import address

LINKS = 5
CLIENT, SERVER = 0, 1

# No port of MicroPython tells the local port of a socket (there is no getsockname), so a link chooses its own,
# above the range that Linux gives out by itself.
_FIRST_PORT = 61000
_LAST_PORT = 65535

# recv() needs memory in one piece for what it reads, so it is small: the heap may have no large one left.
_PIECE = 128

# Socket options that only some ports have, by the numbers of Linux, where the unix port runs. The ESP32 and ESP8266
# ports have no SO_KEEPALIVE: their lwIP is built without a way to set it, so there the option is accepted and idle.
_TCP_KEEPIDLE = 4
_TCP_KEEPINTVL = 5
_TCP_KEEPCNT = 6


class Links:
    """The table of links by id. `listener` is told of data and of ends; `multiple` is AT+CIPMUX."""

    def __init__(self, loop):
        self.loop = loop
        self.listener = None
        self.multiple = False
        self.used = False  # whether any link was ever open, which CIPSTATUS tells
        self.table = [None] * LINKS

    def any(self):
        return any(self.table)

    def lowest_free(self):
        """The id that the next link takes, or None."""
        for i in range(LINKS):
            if not self.table[i]:
                return i
        return None

    def get(self, number):
        """The open link with this id, or None."""
        link = self.table[number]
        return link if link and link.open else None

    def end(self, link):
        """Closes a link because its connection is over; the listener is told, with the slot free again."""
        link.close()
        if self.listener:
            self.listener.closed(link)

    def end_all(self):
        """Closes every link because the network is gone."""
        for link in self.table:
            if link and link.open:
                self.end(link)
            elif link:
                link.close()


class TCPLink:
    """One TCP connection. It takes its slot in the table when made, and gives it back when closed."""

    kind = "TCP"

    def __init__(self, links, number, role=CLIENT):
        self._links = links
        self._loop = links.loop
        self.number = number
        self.role = role
        self.open = False
        self.ip = ""
        self.port = self.local_port = 0
        self._sock = None
        self._broken = self._deaf = self._wants_write = False
        self._events = 0
        self._ready = Signal(self._loop)
        links.table[number] = self

    async def connect(self, ip, port, local_ip, keepalive, patience_ms):
        """Connects, or raises OSError. `keepalive` in seconds, 0 for none; `patience_ms` until ETIMEDOUT."""
        if self._links.table[self.number] is not self:  # the network went while the name was asked for
            raise OSError(errno.ENOTCONN)
        self.ip, self.port = ip, port
        self._sock = sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        self._bind(local_ip)
        if keepalive and hasattr(socket, "SO_KEEPALIVE"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in ((_TCP_KEEPIDLE, keepalive), (_TCP_KEEPINTVL, 1), (_TCP_KEEPCNT, 3)):
                sock.setsockopt(6, option, value)  # 6: IPPROTO_TCP
        self._events = select.POLLOUT | select.POLLHUP
        try:
            sock.connect(address.resolved(ip, port))
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        self._loop.watch(sock, self._events, self._event)
        if not await self._ready.wait(patience_ms):
            raise OSError(errno.ETIMEDOUT)
        if not self._sock:
            raise OSError(errno.ENOTCONN)
        if self._broken:
            sock.recv(1)  # a failed connection gives its reason to the first who reads
            raise OSError(errno.ECONNREFUSED)
        self.open = self._links.used = True
        # The data wait for `resume()`: the host has to hear of the link first.
        self.pause()

    def _bind(self, local_ip):
        for _ in range(20):
            number = urandom(2)
            number = _FIRST_PORT + (number[0] << 8 | number[1]) % (_LAST_PORT - _FIRST_PORT)
            try:
                self._sock.bind(address.resolved(local_ip or "0.0.0.0", number))
                self.local_port = number
                return
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE)

    def _event(self, events):
        if events & (select.POLLERR | select.POLLHUP):
            self._broken = True
        if not self.open:
            self._change(0)
            self._ready.set()
            return
        if self._wants_write and events & ~select.POLLIN:
            self._wants_write = False
            self._change(self._events & ~select.POLLOUT)
            self._ready.set()
        if events & ~select.POLLOUT:
            if self._events & select.POLLIN:
                self._links.listener.readable(self)
            else:
                # Poll reports a broken connection even to those who do not ask, and would not sleep again.
                self._deaf = True
                self._loop.forget(self._sock)

    def _change(self, events):
        self._events = events
        if self._deaf:
            self._deaf = False
            self._loop.watch(self._sock, events, self._event)
        elif self._sock:
            self._loop.change(self._sock, events)

    def pause(self):
        """The listener has no place for data now."""
        self._change(select.POLLOUT if self._wants_write else 0)

    def resume(self):
        """The listener wants to hear of data again."""
        self._change(self._events | select.POLLIN)

    def readinto(self, buffer, size):
        """Reads at most `size` bytes to the start of the buffer: their number, 0 at the end, None if none are there."""
        count = 0
        try:
            if not self._broken:
                return self._sock.readinto(buffer, size)
            # readinto() reads until it would block, and forgets what it has read when that ends in an error.
            while count < size:
                piece = self._sock.recv(min(_PIECE, size - count))
                if not piece:
                    break
                buffer[count : count + len(piece)] = piece
                count += len(piece)
        except OSError:
            pass
        return count

    async def write(self, buffer, end):
        """Sends buffer[:end], however long the peer takes; OSError when the connection breaks."""
        start = 0
        while start < end:
            if not self._sock:
                raise OSError(errno.ENOTCONN)
            count = self._sock.write(buffer, start, end - start)
            if count:
                start += count
            else:
                self._wants_write = True
                self._change(self._events | select.POLLOUT)
                await self._ready.wait()

    def close(self):
        """Closes the connection, if there is one, and frees the slot."""
        self.open = False
        if self._links.table[self.number] is self:
            self._links.table[self.number] = None
        if self._sock:
            if not self._deaf:
                self._loop.forget(self._sock)
            self._sock.close()
            self._sock = None
        self._ready.set()
