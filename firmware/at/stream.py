"""Data from the host that are passed on while they come in, for AT+CIPSENDL.
Its module is loaded when that command is used."""

from time import ticks_diff, ticks_ms

from firmware.at.data import PLUSES, Collector
from firmware.at.port import copy


class StreamCollector(Collector):
    """Takes `count` bytes through a smaller buffer: what waits in it is buffer[start:end], `sent(n)` makes place.

    The buffer has `size` bytes and three more, for pluses that turn out to be data. While there is no place, the
    host's bytes stay in the UART, whose flow control holds the host back. `cancel()` is called when the host leaves
    with `+++`."""

    def __init__(self, loop, port, buffer, size, count, cancel, taken):
        self._buffer = buffer
        self._size = size
        self._cancel = cancel
        self._late = False  # the next bytes came earlier, when there was no place
        self._drops = False
        self.start = self.end = 0
        super().__init__(loop, port, None, count, taken)

    async def some(self, ms):
        """Waits until the buffer is full, or holds all that is missing, or for `ms` after the first byte in it.
        False when there is nothing more to come, also because the host has left."""
        while self.start == self.end and not self.canceled:
            if self.have == self._count:
                return False
            await self.changed.wait()
        began = ticks_ms()
        while self.end < self._size and self.have < self._count and not self.canceled:
            left = ms - ticks_diff(ticks_ms(), began)
            if left <= 0 or not await self.changed.wait(left):
                break
        return not self.canceled

    def drop(self):
        """From now on what comes is counted and goes nowhere, which needs no memory: `done()` waits for the last."""
        self._drops = True
        self.start = self.end = 0
        self._port.full = False
        if self.have < self._count and not self.canceled:
            self.changed.clear()

    def sent(self, count):
        """The first `count` bytes of what waits have gone."""
        self.start += count
        if self.start == self.end:
            self._port.full = False

    def _store(self, buffer, start, end):
        if self.start == self.end:
            self.start = self.end = 0
        size = end - start
        if self._drops:
            self._late = False
            self.have += size
            return size
        if buffer is not PLUSES:
            size = min(size, max(self._size - self.end, 0))
            self._late = not size
        copy(buffer, start, size, self._buffer, self.end)
        self.end += size
        self.have += size
        self.changed.set()
        return size

    def _is_escape(self, buffer, start, end):
        # Bytes that had to wait say nothing about a silence before them.
        return not self._late and self.end <= self._size and super()._is_escape(buffer, start, end)

    def _left(self):
        super()._left()
        self._cancel()
