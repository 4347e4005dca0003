"""What a link in passive receive mode keeps until the host asks for it. Its size is the receive window that stock
firmware has: a stream is held back beyond it, datagrams beyond it are dropped and counted."""

from micropython import const

# Each datagram needs memory for its length and its sender, too.
_MOST = const(32)


class StreamBox:
    """Bytes of a TCP link, in one buffer."""

    def __init__(self, size):
        self._size = size
        self._buffer = bytearray(size)
        self._start = self._end = 0
        self.lent = False  # a piece is on its way to the host and must not move
        self.ended = False  # nothing more will come

    def waiting(self):
        return self._end - self._start

    def next(self):
        """The length that +IPD tells."""
        return self._end - self._start

    def fill(self, link):
        """Reads from the link what fits; returns whether there may be more, and a place for it."""
        room = self._room()
        if room and not self.ended:
            place = memoryview(self._buffer)[self._end :] if self._end else self._buffer
            count = link.readinto(place, room)
            if count is not None:
                self.ended = count < 0
                self._end += max(count, 0)
        return self._end - self._start < self._size and not self.ended

    def _room(self):
        """Moves what is kept to the front; returns how many bytes more there is a place for."""
        start = self._start
        if start:
            size = self._end - start
            if size:
                self._buffer[:size] = memoryview(self._buffer)[start : self._end]
            self._start = 0
            self._end = size
        return self._size - self._end

    def take(self, length, whole, origin):
        """Up to `length` bytes: (buffer, start, end, sender), the sender None for the link's peer.

        They stay where they are while `lent`, until they are `taken`. Of datagrams, with `whole` or `origin` they
        are from one only, with `whole` nothing less than all of it; None when that does not fit."""
        return self._buffer, self._start, self._start + min(length, self._end - self._start), None

    def taken(self, count):
        """Forgets the first `count` bytes."""
        self._start += count
        self.lent = False


class DatagramBox(StreamBox):
    """Datagrams of a UDP link, one behind the other."""

    def __init__(self, size):
        super().__init__(size)
        self._marks = []  # of each: its length (what is left of it), the sender's address and port
        self.dropped = 0

    def next(self):
        """The length that +IPD tells: that of the next datagram."""
        return self._marks[0][0] if self._marks else 0

    def fill(self, link):
        """Takes a datagram; returns True, as more may always come."""
        datagram = link.receive()
        if not datagram or not datagram[0]:  # one without data has nothing that could be read
            return True
        data, ip, port = datagram
        size = len(data)
        if len(self._marks) == _MOST or size > self._room():
            self.dropped += 1
            return True
        if self._marks and ip == self._marks[-1][1]:
            ip = self._marks[-1][1]  # one text for all that come from there
        self._marks.append([size, ip, port])
        self._buffer[self._end : self._end + size] = data
        self._end += size
        return True

    def take(self, length, whole, origin):
        size, ip, port = self._marks[0]
        if whole and size > length:
            return None
        if whole or origin:
            length = min(length, size)
        buffer, start, end, _ = super().take(length, whole, origin)
        return buffer, start, end, (ip, port)

    def taken(self, count):
        super().taken(count)
        marks = self._marks
        while count and count >= marks[0][0]:
            count -= marks.pop(0)[0]
        if count:
            marks[0][0] -= count
