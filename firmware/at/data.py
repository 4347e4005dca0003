"""Data from the host after a prompt: so many bytes, or `+++` between two silences to leave.
What comes in addition, before the command has ended, is dropped and answered `busy p...`."""

from time import ticks_diff, ticks_ms

from firmware.at import messages
from firmware.loop import Signal, Timer

# `+++` needs more than this much silence (ms) before and after, and less between its characters.
GUARD_MS = 20
_PLUS = 0x2B


class Collector:
    """Takes `count` bytes into `buffer`. Await `done()`; when the command has ended, call `leave()`."""

    def __init__(self, loop, port, buffer, count):
        self._loop = loop
        self._port = port
        self._buffer = buffer
        self._count = count
        self._have = 0
        self._pluses = 0
        self._quiet = Timer(loop, self._silence)
        self._complete = Signal(loop)
        self._escaped = False
        self._refused = False
        port.sink = self._take

    async def done(self):
        """Waits for all the data: True, or False when the host has left with `+++`."""
        await self._complete.wait()
        return not self._escaped

    def leave(self):
        self._quiet.stop()
        self._port.sink = None

    def _take(self, buffer, start, end):
        self._quiet.stop()
        size = end - start
        # Pluses that make the data complete are data.
        if self._have + self._pluses + size < self._count and self._is_escape(buffer, start, end):
            self._pluses += size
            self._quiet.start(GUARD_MS)
            return size
        self._store_pluses()
        size = min(size, self._count - self._have)
        self._buffer[self._have : self._have + size] = memoryview(buffer)[start : start + size]
        self._have += size
        if self._have == self._count:
            self._port.sink = self._refuse
            self._complete.set()
        return size

    def _is_escape(self, buffer, start, end):
        """Whether this may belong to a `+++`: nothing but pluses, after a silence or the first of them."""
        if self._pluses + end - start > 3:
            return False
        quiet = ticks_diff(ticks_ms(), self._port.arrived) > GUARD_MS
        if quiet == bool(self._pluses):
            return False
        for i in range(start, end):
            if buffer[i] != _PLUS:
                return False
        return True

    def _store_pluses(self):
        """The pluses so far were data after all."""
        for _ in range(self._pluses):
            self._buffer[self._have] = _PLUS
            self._have += 1
        self._pluses = 0

    def _silence(self):
        if self._port.pending():
            return  # the silence has ended already, and what ended it says what the pluses are
        if self._pluses == 3:
            self._escaped = True
            self.leave()
            self._complete.set()
        else:
            self._store_pluses()

    def _refuse(self, buffer, start, end):
        """Drops a byte too many; says so once for each line, as a host may end its data with CR LF."""
        for i in range(start, end):
            byte = buffer[i]
            if byte == 0x0A:
                self._refused = False
            elif byte != 0x0D and not self._refused:
                self._refused = True
                self._port.write(messages.BUSY)
        return end - start
