"""Data from the host after a prompt: so many bytes, or `+++` between two silences to leave.
What comes in addition is dropped until the command has ended: `busy p...` for each LF, and AT+RST is still heard."""

from time import ticks_diff, ticks_ms

from micropython import const

from firmware.at import messages
from firmware.at.port import copy
from firmware.loop import Signal, Timer

# `+++` needs more than this much silence (ms) before and after, and less between its characters.
GUARD_MS = 20
PLUSES = b"+++"
_PLUS = const(0x2B)


class Collector:
    """Takes `count` bytes into pieces of one size. Await `done()`; when the command has ended, call `leave()`.

    `taken(have)`, if given, is called at once when all the data are there."""

    have = 0  # bytes so far
    canceled = False
    _pluses = 0

    def __init__(self, loop, port, pieces, count, taken=None):
        self._loop = loop
        self._port = port
        self._pieces = pieces
        self._count = count
        self.changed = Signal(loop)
        self._quiet = None  # the timer for a silence, once there were pluses
        self._taken = taken
        port.sink = self._take
        if not count:
            self._complete()

    def done(self):
        """Await it: until all the data are here, or the host has left with `+++`, as `canceled` tells. Called before
        the prompt, it leaves nothing to find memory for behind that."""
        return self.changed.wait()

    def leave(self):
        if self._quiet:
            self._quiet.stop()
        self._port.take_lines()

    def _complete(self):
        self._port.sink = None
        self._port.surplus = True
        self.changed.set()
        if self._taken:
            try:
                self._taken(self.have)
            except MemoryError:  # the data are here nevertheless
                pass

    def _take(self, buffer, start, end):
        if self._quiet:
            self._quiet.stop()
        size = end - start
        # Pluses that make the data complete are data.
        if self.have + self._pluses + size < self._count and self._is_escape(buffer, start, end):
            if not self._quiet:
                self._quiet = Timer(self._loop, self._silence)
            self._quiet.start(GUARD_MS)
            self._pluses += size
            return size
        self._store_pluses()
        size = self._store(buffer, start, min(end, start + self._count - self.have))
        if self.have == self._count:
            self._complete()
        return size

    def _store(self, buffer, start, end):
        """Keeps buffer[start:end]; returns how many bytes of it were used up."""
        size = end - start
        while start < end:
            piece = self._pieces[self.have // len(self._pieces[0])]
            place = self.have % len(piece)
            count = min(end - start, len(piece) - place)
            copy(buffer, start, count, piece, place)
            self.have += count
            start += count
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
        if self._pluses:
            count, self._pluses = self._pluses, 0
            self._store(PLUSES, 0, count)

    def _silence(self):
        if not self._port.has_room():
            self._quiet.start(GUARD_MS)  # the port does not read now, so it cannot tell what is a silence
            return
        if self._port.pending():
            return  # the silence has ended already, and what ended it says what the pluses are
        if self._pluses == len(PLUSES):
            self._left()
        else:
            self._store_pluses()

    def _left(self):
        """The host has canceled its data."""
        self.canceled = True
        self.leave()
        self.changed.set()


async def collect(at, buffer):
    """Asks the host with the prompt for the bytes that fill the buffer, and takes them without a report in between:
    True, or False when it has left with `+++`. `at` are the firmware's parts."""
    data = Collector(at.loop, at.port, (buffer,), len(buffer))
    try:
        done = data.done()
        at.port.write(messages.PROMPT)
        at.reports.hold()
        await done
        return not data.canceled
    finally:
        data.leave()
        at.reports.release()
