"""TCP links: one connection each, opened by us or taken over from the server."""

import errno
import select
import socket
from time import ticks_ms

from micropython import const

from firmware.net import address, options
from firmware.net.link import Link

# recv() needs memory in one piece for what it reads, so it is small: the heap may have no large one left.
_PIECE = const(128)


class TCPLink(Link):
    """One TCP connection."""

    kind = "TCP"

    async def connect(self, ip, port, local_ip, patience_ms):
        """Connects, or raises OSError; `patience_ms` until ETIMEDOUT."""
        if self._links.table[self.number] is not self:  # the network went while the name was asked for
            raise OSError(errno.ENOTCONN)
        v6 = self._name(ip, port)
        self._sock = sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        self.tune()
        self._bind(local_ip or ("::" if v6 else "0.0.0.0"))
        self._events = select.POLLOUT | select.POLLHUP
        try:
            sock.connect(address.resolved(ip, port))
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        self._loop.watch(sock, self._events, self._event)
        if not await self._wait(patience_ms):
            raise OSError(errno.ETIMEDOUT)
        if not self._sock:
            raise OSError(errno.ENOTCONN)
        if self._broken:
            sock.recv(1)  # a failed connection gives its reason to the first who reads
            raise OSError(errno.ECONNREFUSED)
        self._up()

    def _up(self):
        """The link is open. Its data wait for `resume()`: the host has to hear of the link first."""
        self.open = self._links.used = True
        self.pause()

    def adopt(self, sock, ip, port, local_port):
        """Takes over a connection that the server has accepted; its data wait for `resume()`."""
        self._name(ip, port)
        self._sock = sock
        self.local_port = local_port
        sock.setblocking(False)
        self.tune()
        self._loop.watch(sock, 0, self._event)
        self._up()

    def tune(self):
        """Sets the options of the socket, if there is one."""
        if self._sock:
            wanted = self._links.options[self.number]
            options.tune(self._sock, wanted[0], wanted[1], wanted[3])

    def _name(self, ip, port):
        """Keeps the peer's address; returns whether that is IPv6."""
        self.ip, self.port = ip, port
        if ":" in ip:
            self.kind = self.kind + "v6"
            return True
        return False

    def readinto(self, buffer, size):
        """Reads at most `size` bytes to the start of the buffer: their number, -1 at the end, None for none."""
        count = 0
        try:
            if not self._broken:
                count = self._sock.readinto(buffer, size)
            # readinto() reads until it would block, and forgets what it has read when that ends in an error.
            while self._broken and count < size:
                piece = self._sock.recv(min(_PIECE, size - count))
                if not piece:
                    break
                buffer[count : count + len(piece)] = piece
                count += len(piece)
        except MemoryError:
            if not count:
                raise
        except OSError:
            pass
        return -1 if count == 0 else count

    def fixed(self):
        """Whether the peer stays who it is, as passthrough needs it."""
        return True

    def plain(self):
        return None if self._broken or self._wants_write else self._sock

    def send(self, buffer, start, end):
        """Sends what goes at once of buffer[start:end]: its length, None when it has to wait, 0 when the link is at its
        end, which is told when it is read."""
        try:
            return self._put(buffer, start, end)
        except OSError:
            return 0

    def _put(self, buffer, start, end):
        count = self._sock.write(buffer, start, end - start)
        if count:
            self.heard = ticks_ms()  # AT+CIPSTO counts from what either side has sent
        return count

    async def write(self, pieces, end, start=0, to=None):
        """Sends the bytes from `start` to `end` of what is in pieces of one size; OSError when the connection breaks,
        or the peer takes too long, or after give_up(). `taken` says then how much of it the peer may get
        nevertheless. `to` is for datagrams."""
        began = ticks_ms()
        self._gives_up = False
        self.taken = 0
        size = len(pieces[0])
        while start < end:
            if not self._sock or self._gives_up:
                raise OSError(errno.ENOTCONN)
            place = start % size
            count = self._put(pieces[start // size], place, min(place + end - start, size))
            if count:
                start += count
                self.taken += count
            elif not await self._writable(began):
                raise OSError(errno.ETIMEDOUT)
        self.taken = 0
