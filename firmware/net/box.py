"""What a link in passive receive mode keeps until the host asks for it: a stream is held back beyond the window,
datagrams beyond it are dropped and counted. It is kept in small pieces, as a small heap has no large one left."""

import gc

from micropython import const

_PIECE = const(256)
# Without memory for such a piece a link that keeps nothing gets one of at least this: the next bytes have to be read
# to see the end of the stream, too.
_SMALLEST = const(16)
# What is kept leaves so much memory to the commands with which the host reads it, of which none may be loaded yet.
_RESERVE = const(3072)
# Each datagram needs memory for its sender, too.
_MOST = const(32)


class StreamBox:
    """Bytes of a TCP link."""

    def __init__(self):
        self._pieces = []
        self._start = self._end = 0  # where the bytes begin in the first piece, and end in the last
        self._total = 0
        self.ended = False  # nothing more will come

    def waiting(self):
        return self._total

    def next(self):
        """The length that +IPD tells."""
        return self._total

    def fill(self, link, room):
        """Reads up to `room` bytes from the link; returns whether it wants to hear of more: not without memory."""
        while room > 0 and not self.ended:
            try:
                place = self._place(link)
                size = min(room, len(place))
                count = link.readinto(place, size)
            except MemoryError:
                break
            if count is None:
                return True
            if count < 0:
                self.ended = True
                break
            self._end += count
            self._total += count
            room -= count
            if count < size:
                return True
        return False

    def _place(self, link):
        """The unused end of the last piece, or a new one; MemoryError when the host has to make place by reading."""
        if not self._pieces or self._end == len(self._pieces[-1]):
            size = _PIECE
            if self._total:
                link.spare(False)
                if gc.mem_free() < _RESERVE:
                    raise MemoryError
            spared = False
            piece = None
            while piece is None:
                try:
                    piece = bytearray(size)
                except MemoryError:
                    if self._total or size == _SMALLEST:
                        raise
                    if spared:
                        size //= 2
                    else:
                        spared = True
                        link.spare()
            self._pieces.append(piece)
            self._end = 0
        last = self._pieces[-1]
        return memoryview(last)[self._end :] if self._end else last

    def take(self, length, whole, origin):
        """How many bytes one answer has: up to `length`, of datagrams with `whole` or `origin` those of one only, and
        with `whole` nothing less than all of it; 0 when that does not fit."""
        return min(length, self._total)

    def sender(self):
        """Address and port that the next byte came from; None for the link's peer."""
        return None

    def piece(self, count):
        """Up to `count` of the next bytes: (buffer, start, end)."""
        first = self._pieces[0]
        end = len(first) if len(self._pieces) > 1 else self._end
        return first, self._start, min(self._start + count, end)

    def drop(self, count):
        """Forgets so many of the bytes that `piece` gave."""
        self._start += count
        self._total -= count
        end = len(self._pieces[0]) if len(self._pieces) > 1 else self._end
        if self._start == end:
            self._pieces.pop(0)
            self._start = 0


class DatagramBox(StreamBox):
    """Datagrams of a UDP link, each a piece."""

    def __init__(self):
        super().__init__()
        self._senders = []

    def next(self):
        """The length that +IPD tells: that of the next datagram."""
        return len(self._pieces[0]) - self._start if self._pieces else 0

    def fill(self, link, room):
        """Takes a datagram; returns True, as more may always come."""
        datagram = link.receive()
        if not datagram or not datagram[0]:  # one without data has nothing that could be read
            return True
        data, ip, port = datagram
        # An empty box takes one of any size, however full the others are.
        if len(self._pieces) == _MOST or (self._pieces and len(data) > room):
            link.dropped += 1
            return True
        try:
            self._senders.append((ip, port))
            self._pieces.append(data)
        except MemoryError:
            while len(self._senders) > len(self._pieces):
                self._senders.pop()
            link.dropped += 1
            return True
        self._end = len(data)
        self._total += len(data)
        return True

    def take(self, length, whole, origin):
        if not self._pieces or (whole and self.next() > length):
            return 0
        return min(length, self.next() if whole or origin else self._total)

    def sender(self):
        return self._senders[0]

    def drop(self, count):
        left = len(self._pieces)
        super().drop(count)
        if len(self._pieces) < left:
            self._senders.pop(0)
