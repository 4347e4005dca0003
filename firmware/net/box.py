"""What a link in passive receive mode keeps until the host asks for it. Its size is the receive window that stock
firmware has: a stream is held back beyond it, datagrams beyond it are dropped and counted."""


class StreamBox:
    """Bytes of a TCP link, in one buffer."""

    def __init__(self, size):
        self._size = size
        self._buffer = bytearray(size)
        self._start = self._end = 0
        self.lent = False  # a piece is on its way to the host and must not move
        self.ended = False  # the peer has nothing more to send

    def waiting(self):
        return self._end - self._start

    def next(self):
        """The length that +IPD tells."""
        return self._end - self._start

    def fill(self, link):
        """Reads from the link what fits; returns whether there may be more, and a place for it."""
        if self._start == self._end:
            self._start = self._end = 0
        elif self._start and self._end == self._size:
            self._buffer[: self._end - self._start] = self._buffer[self._start : self._end]
            self._end -= self._start
            self._start = 0
        room = self._size - self._end
        if room and not self.ended:
            count = link.readinto(memoryview(self._buffer)[self._end :], room)
            if count is not None:
                self.ended = count < 0
                self._end += max(count, 0)
        return self._end < self._size and not self.ended

    def take(self, length, whole, origin):
        """Lends up to `length` bytes: (buffer, start, end, None). `taken` gives them back."""
        stop = min(self._start + length, self._end)
        self.lent = True
        return self._buffer, self._start, stop, None

    def taken(self, count):
        self._start += count
        self.lent = False


class DatagramBox:
    """Datagrams of a UDP link, each with its sender."""

    def __init__(self, size):
        self._size = size
        self._held = []
        self._total = 0
        self.lent = self.ended = False
        self.dropped = 0

    def waiting(self):
        return self._total

    def next(self):
        """The length that +IPD tells: that of the next datagram."""
        return len(self._held[0][0]) if self._held else 0

    def fill(self, link):
        """Takes what has come; returns whether more may come, which for datagrams is always so."""
        while True:
            datagram = link.receive()
            if not datagram:
                return True
            size = len(datagram[0])
            if self._total + size > self._size:
                self.dropped += 1
            elif size:  # a datagram without data has nothing that could be read
                self._held.append(datagram)
                self._total += size

    def take(self, length, whole, origin):
        """Lends up to `length` bytes: (bytes, 0, end, (ip, port)). With `whole` or `origin` from one datagram only,
        with `whole` nothing less than all of it; None when that does not fit."""
        data, ip, port = self._held[0]
        if whole and len(data) > length:
            return None
        self.lent = True
        if not whole and not origin:
            data = b"".join([datagram[0] for datagram in self._held])
        return data, 0, min(length, len(data)), (ip, port)

    def taken(self, count):
        """Forgets the first `count` bytes."""
        self._total -= count
        self.lent = False
        while self._held and count >= len(self._held[0][0]):
            count -= len(self._held.pop(0)[0])
        if count:
            data, ip, port = self._held[0]
            self._held[0] = data[count:], ip, port
