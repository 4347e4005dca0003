"""The AT port: the host's bytes in, cut into lines or handed on as data; text and data blocks out; echo.
Nothing here waits: what the UART does not take at once stays in a buffer made at start, and goes on when it can."""

import select
from time import ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Signal

_CR = const(0x0D)
# A line has at most so many bytes, its ending included.
_LINE = const(256)
_CHUNK = const(256)
# Room that a command may rely on for its answer without waiting, longer answers await `room()`; and for the echo of
# what its line came with.
_ANSWER = const(512)
_ROOM = const(_ANSWER + _CHUNK)
# A line that is echoed and does not end holds reports for so long.
_BEGUN_MS = const(1000)


class Port:
    """`line(buffer, length)` is called for each line, or `sink(buffer, start, end)` for what is data.

    While `sink` is set, it gets the bytes as they arrive, and returns how many of them it took; after 0 nothing more
    is read until `go_on()`."""

    def __init__(self, loop, uart, burst):
        self._loop = loop
        self.uart = uart
        self._burst = burst  # bytes that one write may hand to the UART, as the chip's write may block
        self._in = bytearray(_CHUNK)
        self._start = self._end = 0  # what of _in has not been looked at
        self._readable = False
        self._line = bytearray(_LINE)
        self._length = 0
        self._out = bytearray(_ROOM + _LINE)
        self._head = self._tail = 0
        # A data block stands in the output behind the text up to _cut.
        self._data = None
        self._data_start = self._data_end = self._cut = 0
        self._stuck = False
        self._drained = Signal(loop)
        self._events = select.POLLIN
        self.echo = True
        self.deaf = False  # while True no line is looked at, and it waits where it is
        self.sink = None
        self._full = False  # the sink took nothing, and waits for `go_on`
        self.line = None
        self.surplus = False  # while what comes is beyond the data of a command: lines, but for their echo
        self._began = None  # when a line that is echoed did, in ticks; None in between, and when that is long ago
        self.arrived = ticks_ms()  # when the newest bytes were looked at
        loop.watch(uart, self._events, self._event)

    # Output

    def write(self, text):
        """Queues a piece of text whole; it leaves at the end of this round, or when the UART can."""
        tail = self._tail
        stop = tail + len(text)
        if stop > len(self._out):
            self._make_room(len(text))
            tail = self._tail
            stop = tail + len(text)
        try:
            self._out[tail:stop] = text
        except MemoryError:
            copy(text, 0, len(text), self._out, tail)
        self._tail = stop

    def copy(self, buffer, size):
        """Queues buffer[:size], a few bytes, as `write` does, but makes no object for it: for what goes with data."""
        self._make_room(size)
        out, tail = self._out, self._tail
        for i in range(size):
            out[tail + i] = buffer[i]
        self._tail = tail + size

    def _make_room(self, size):
        if self._tail + size <= len(self._out):
            return
        self.flush()
        head, tail = self._head, self._tail
        copy(self._out, head, tail - head, self._out, 0)
        self._head = 0
        self._tail = tail - head
        self._cut -= head
        if self._tail + size > len(self._out):
            # Only an answer that is longer than `room()` promises comes here; it is still not lost.
            self._out.extend(bytes(size))

    def has_room(self):
        """Whether a command's answer fits now; while not, no line of the host is looked at."""
        return not self.deaf and len(self._out) - (self._tail - self._head) >= _ROOM

    def idle(self):
        """Whether all that was written has been handed to the UART."""
        return self._head == self._tail and self._data is None

    async def room(self):
        """Waits until a command may write its next lines."""
        while not self.has_room():
            self._drained.clear()
            await self._drained.wait()

    async def sent(self):
        """Waits until all that was written has been handed to the UART."""
        self.flush()
        while not self.idle():
            self._drained.clear()
            await self._drained.wait()

    async def empty(self):
        """Waits until all that was written has left the chip."""
        await self.sent()
        while not self.uart.txdone():
            await self._loop.sleep(2)

    def takes_data(self):
        """Whether `send` may be called."""
        return self._data is None

    def send(self, buffer, start, end):
        """Puts buffer[start:end] behind the text so far; returns whether it has all been handed to the UART.

        Otherwise the buffer is the port's until `takes_data()` again."""
        if self._head == self._tail:
            while start < end:
                count = self.uart.write(buffer, start, min(end - start, self._burst))
                if not count:
                    break
                start += count
            else:
                return True
        self._data = buffer
        self._data_start = start
        self._data_end = end
        self._cut = self._tail
        self.flush()
        return self._data is None

    def flush(self):
        """Gives the UART what it takes without waiting."""
        uart = self.uart
        while True:
            stop = self._tail if self._data is None else self._cut
            if self._head < stop:
                count = uart.write(self._out, self._head, min(stop - self._head, self._burst))
                if not count:
                    break
                self._head += count
            elif self._data is not None:
                count = uart.write(self._data, self._data_start, min(self._data_end - self._data_start, self._burst))
                if not count:
                    break
                self._data_start += count
                if self._data_start == self._data_end:
                    self._data = None
                    self._drained.set()
            else:
                if self._tail:
                    self._head = self._tail = 0
                    self._drained.set()
                self._stuck = False
                return
        self._stuck = True

    def settle(self):
        """Ends a round: what was written leaves, and the UART is polled for what can now be dealt with."""
        room = self.has_room()
        if self._tail or self._data is not None:
            full = not room or self._data is not None
            self.flush()
            room = self.has_room()
            if full and room and self._data is None:
                # Those who found no place in this round have no other event to wake them.
                self._loop.hurry()
        events = select.POLLOUT if self._stuck else 0
        if room and not self._full:
            if self._start == self._end:
                events |= select.POLLIN
            else:
                self._loop.hurry()
        if events != self._events:
            self._events = events
            self._loop.change(self.uart, events)

    # Input

    def _event(self, events):
        if events & select.POLLOUT:
            self.flush()
        self._readable = events & ~select.POLLOUT

    def turn(self):
        """Looks at what has come, as long as there is room to answer it; called once in every round.

        It reads one chunk a round, so that a host that floods the port cannot starve the links."""
        if self._start < self._end:
            self._take()
        if self._readable and self.has_room():
            self.fetch()
            self._take()

    def fetch(self):
        """Reads what has come, unless something is there that was not looked at."""
        if self._start == self._end:
            count = self.uart.readinto(self._in) or 0
            self._readable = False
            self._start = 0
            self._end = count

    def pending(self):
        """Whether something has come that was not looked at."""
        return self._readable or self._start < self._end

    def clear(self):
        """Whether nothing is on its way in or out."""
        return not (self._readable or self._full) and self._start == self._end and self.idle()

    def begun(self):
        """Milliseconds for which no report may come yet, as the host has begun a line that is echoed; mostly 0."""
        if self._began is None:
            return 0
        left = _BEGUN_MS - ticks_diff(ticks_ms(), self._began)
        if left <= 0:
            self._began = None  # for good: the clock goes round
            return 0
        return left

    def take_lines(self):
        """There is no sink any more. What has come beyond its data is dropped."""
        self.sink = self._began = None
        self._full = self.surplus = False
        self._length = 0

    def go_on(self):
        """The sink takes data again, or is gone."""
        self._full = False

    def _take(self):
        while self._start < self._end and self.has_room() and not self._full:
            if self.sink:
                taken = self.sink(self._in, self._start, self._end)
                self._start += taken
                self._full = not taken
            else:
                self._take_line(self._start, self._end)
            self.arrived = ticks_ms()

    def _take_line(self, start, end):
        """Takes the bytes up to the end of a line, or all. None of it needs memory, and each byte is taken once."""
        feed = self._in.find(b"\n", start, end)
        stop = end if feed < 0 else feed + 1
        size = stop - start
        length = self._length
        if self.echo and not self.surplus:
            self._make_room(size)
            copy(self._in, start, size, self._out, self._tail)
            self._tail += size
            if not length and feed < 0:
                self._began = ticks_ms()
        if length + size <= _LINE:
            copy(self._in, start, size, self._line, length)
        self._start = stop
        self._length = length = length + size
        if feed < 0:
            return
        self._length = 0
        self._began = None
        self._loop.littered()
        if length > _LINE:
            self.line(self._line, -1)
            return
        length -= 1
        while length and self._line[length - 1] == _CR:
            length -= 1
        # Beyond data an empty line is answered `busy p...`, too.
        if length or self.surplus:
            self.line(self._line, length)


def copy(source, start, size, target, at):
    """Copies source[start : start + size] to target[at:]. It works without memory, too, but slower."""
    try:
        target[at : at + size] = source[start : start + size]
    except MemoryError:
        for i in range(size):
            target[at + i] = source[start + i]
