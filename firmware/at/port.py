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
    """`line(buffer, length)` is called for each line, or `sink(buffer, start, end)` for what is data. `line` returns
    True if that was all: it has changed nothing that a round of the loop has to look at.

    While `sink` is set, it gets the bytes as they arrive, and returns how many of them it took; after 0 nothing more
    is read until `full` is taken away."""

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
        self.data = None  # nothing: send() may be called
        self._data_start = self._data_end = self._cut = 0
        self._stuck = False
        self._drained = Signal(loop)
        self._events = select.POLLIN
        self.echo = True
        self.deaf = False  # while True no line is looked at, and it waits where it is
        self.sink = None
        self.full = False  # the sink took nothing; whoever makes place takes that away
        self.line = None
        self.surplus = False  # while what comes is beyond the data of a command: lines, but for their echo
        self._began = None  # when a line that is echoed did, in ticks; None in between, and when that is long ago
        self.arrived = ticks_ms()  # when the newest bytes were looked at
        self.rests = False  # whether nothing is on its way in or out, and no round has anything to do here
        loop.watch(uart, self._events, self._event)
        loop.express = self.express

    # Output

    def write(self, text):
        """Queues a piece of text whole; it leaves at the end of this round, or when the UART can."""
        self._make_room(len(text))
        tail = self._tail
        self._tail = stop = tail + len(text)
        try:
            self._out[tail:stop] = text
        except MemoryError:
            copy(text, 0, stop - tail, self._out, tail)

    def finish(self, text):
        """Writes the end of an answer, which leaves at once where nothing is in front of it."""
        size = len(text)
        sent = 0
        if self.rests and size <= self._burst:
            sent = self.uart.write(text, 0, size) or 0
        if sent < size:
            self._make_room(size)
            copy(text, sent, size - sent, self._out, self._tail)
            self._tail += size - sent

    def copy(self, buffer, start, end):
        """Queues buffer[start:end], a few bytes, as `write` does, but makes no object: for what goes with data."""
        self._make_room(end - start)
        out, tail = self._out, self._tail
        while start < end:
            out[tail] = buffer[start]
            tail += 1
            start += 1
        self._tail = tail

    def _make_room(self, size):
        self.rests = False
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
        return self._head == self._tail and self.data is None

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

    def send(self, buffer, start, end):
        """Puts buffer[start:end] behind the text so far; returns whether it has all been handed to the UART.

        Otherwise the buffer is the port's until `data` is None again."""
        if self._head == self._tail:
            while start < end:
                count = end - start
                if count > self._burst:
                    count = self._burst
                count = self.uart.write(buffer, start, count)
                if not count:
                    break
                start += count
            else:
                return True
        self.rests = False
        self.data = buffer
        self._data_start = start
        self._data_end = end
        self._cut = self._tail
        self.flush()
        return self.data is None

    def block(self, head, size, buffer, end):
        """Puts head[:size], a few bytes, and buffer[:end] behind the text so far, as `send` does."""
        sent = 0
        if self.rests and size:
            sent = self.uart.write(head, 0, size) or 0
        if sent < size:
            self.copy(head, sent, size)
        return self.send(buffer, 0, end) if end else self.rests

    def flush(self):
        """Gives the UART what it takes without waiting."""
        uart = self.uart
        while True:
            stop = self._tail if self.data is None else self._cut
            if self._head < stop:
                count = uart.write(self._out, self._head, min(stop - self._head, self._burst))
                if not count:
                    break
                self._head += count
            elif self.data is not None:
                count = uart.write(self.data, self._data_start, min(self._data_end - self._data_start, self._burst))
                if not count:
                    break
                self._data_start += count
                if self._data_start == self._data_end:
                    self.data = None
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
        if self._tail or self.data is not None:
            full = not room or self.data is not None
            self.flush()
            room = self.has_room()
            if full and room and self.data is None:
                # Those who found no place in this round have no other event to wake them.
                self._loop.hurry = True
        events = select.POLLOUT if self._stuck else 0
        if room and not self.full:
            if self._start == self._end:
                events |= select.POLLIN
            else:
                self._loop.hurry = True
        if events != self._events:
            self._events = events
            self._loop.change(self.uart, events)
        # With an empty output there is room, and the UART is polled for input alone.
        self.rests = not (self._tail or self.data is not None or self._readable or self.full or self.deaf) and (
            self._start == self._end
        )

    # Input

    def express(self, ms):
        """In place of the loop's own polling, for as long as all that comes is dealt with at once; see Loop.express."""
        if not self.rests:
            return None
        while ms:
            said = 0
            done = True
            for pollable, events in self._loop.poll.ipoll(ms):
                if pollable is self.uart:
                    said = events  # later, as what others have to say may have been there before it
                elif not self._loop.watched[pollable](events):
                    done = False
            self.rests = done
            if said:
                self._event(said)
                if done and said == select.POLLIN:
                    self._read()
                else:
                    self.rests = False
            if not self.rests:
                return True
            ms = self._loop.patience()
        return False

    def _read(self):
        """Takes what has come, while nothing else is on its way."""
        self.fetch()
        if self.sink:
            self._take()
        elif self._end:
            self._take_line(0, self._end)
            self.arrived = ticks_ms()
        if self._start < self._end or self.full:
            self.rests = False

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
        self.full = self.surplus = False
        self._length = 0

    def _take(self):
        while self._start < self._end and self.has_room() and not self.full:
            if self.sink:
                taken = self.sink(self._in, self._start, self._end)
                self._start += taken
                self.full = not taken
            else:
                self._take_line(self._start, self._end - self._start)
            self.arrived = ticks_ms()

    def _take_line(self, start, size):
        """Takes the bytes up to the end of a line, or all. None of it needs memory, and each byte is taken once."""
        feed = self._in.find(b"\n", start, start + size) + 1
        if feed:
            size = feed - start
        self._start = start + size
        if self.echo and not self.surplus:
            self._make_room(size)
            copy(self._in, start, size, self._out, self._tail)
            self._tail += size
            if not (feed or self._length):
                self._began = ticks_ms()
        buffer = self._in
        # What has come whole is run where it is.
        if start or self._length or not feed:
            buffer = self._line
            if self._length + size <= _LINE:
                copy(self._in, start, size, buffer, self._length)
            self._length += size
            if not feed:
                return
            size = self._length
            self._length = 0
        self._began = None
        if size > _LINE:
            size = -1
        else:
            size -= 1
            while size and buffer[size - 1] == _CR:
                size -= 1
        # Beyond data an empty line is answered `busy p...`, too.
        if (size or self.surplus) and not self.line(buffer, size):
            self.rests = False


def copy(source, start, size, target, at):
    """Copies source[start : start + size] to target[at:]. It works without memory, too, but slower."""
    try:
        target[at : at + size] = source[start : start + size]
    except MemoryError:
        while size:
            size -= 1
            target[at + size] = source[start + size]
