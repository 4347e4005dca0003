"""The console without a person: lines from stdin go out one by one, what comes back goes to stdout as it is.

A line is sent with CR LF and its final result awaited. After a `>` the lines are data: each is sent with
CR LF until the announced number of bytes is reached, and the line in which that happens ends there. In
passthrough every line is data until one that is exactly `+++`, which is sent alone between its guard times.
"""

import os
import select
import time

from .console_port import ConsoleError, Port
from .stream import Line, Stream

# After the last line, and after each one in passthrough, this much silence (seconds) counts as the end.
_QUIET = 0.15
# The module wants more than 20 ms of silence before and after `+++`.
GUARD = 0.1


class Script:
    """Runs the lines of one input through one port. `source` and `sink` are file descriptors."""

    def __init__(self, port: Port, source: int, sink: int, timeout: float):
        self._port = port
        self._source = source
        self._sink = sink
        self._timeout = timeout
        self._stream = Stream()
        self._pending = b""
        self._ended = False
        self._number = 0
        self._ready = False
        self.notes = []  # one-line remarks on the input for stderr

    def run(self, await_ready: bool) -> None:
        """Send everything; returns when the input has ended and the module has gone quiet.

        Raises ConsoleError when an answer does not come within the timeout, or when the input ends in the
        middle of data. `await_ready` waits for `ready` first, for a module that has just been started.
        """
        if await_ready:
            self._wait(lambda: self._ready, "the module did not say `ready`")
        while (line := self._next_line()) is not None:
            if self._stream.data_left is None and not self._stream.passthrough:
                self._command(line)
            else:
                self._data(line)
        left = self._stream.data_left
        if left is not None:
            self._escape()
            raise ConsoleError(f"the input ended {left} bytes before the data that was announced was complete")
        self._quiet()

    def _command(self, line):
        if not line.strip():
            return  # The module ignores empty lines, so there is no answer to wait for.
        self._stream.sent_line(line)
        self._port.send(line + b"\r\n")
        self._wait(lambda: not self._stream.waiting, f"no final result for {line.decode(errors='replace')!r}")

    def _data(self, line):
        if line == b"+++":
            self._escape()
            return
        data = line + b"\r\n"
        accepted = self._stream.accepts(data)
        if accepted < len(line):
            self.notes.append(f"line {self._number}: {len(line) - accepted} bytes beyond the announced were not sent")
        self._stream.sent_data(data[:accepted])
        self._port.send(data[:accepted])
        if self._stream.passthrough:
            self._quiet()
        else:
            self._wait(lambda: not self._stream.waiting, "no result for the data that was sent")

    def _escape(self):
        self._wait(lambda: not self._port.backlog, "the module does not take the data")
        self._port.drain()
        self._pump(GUARD)
        self._stream.sent_escape()
        self._port.send(b"+++")
        self._pump(GUARD)
        self._wait(lambda: not self._stream.waiting, "no answer to +++")

    def _next_line(self):
        """Return the next input line without its end, None after the last; serves the port meanwhile."""
        while b"\n" not in self._pending and not self._ended:
            self._step(None, self._source)
        if not self._pending:
            return None
        line, _, self._pending = self._pending.partition(b"\n")
        self._number += 1
        return line.removesuffix(b"\r")

    def _wait(self, condition, complaint):
        deadline = time.monotonic() + self._timeout
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                raise ConsoleError(f"{complaint} within {self._timeout:g} s")
            self._step(left)

    def _pump(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._step(left)

    def _quiet(self):
        deadline = time.monotonic() + self._timeout
        while self._step(_QUIET) and time.monotonic() < deadline:
            pass

    def _step(self, timeout, *others):
        """Wait up to `timeout` seconds for something to do and do it; False when nothing came."""
        writers = [self._port] if self._port.backlog else []
        readable, writable, _ = select.select([self._port, *others], writers, [], timeout)
        if writable:
            self._port.push()
        if self._port in readable:
            self._received(self._port.read())
        if self._source in readable:
            data = os.read(self._source, 65536)
            self._pending += data
            self._ended = not data
        return bool(readable or writable)

    def _received(self, data):
        for event in self._stream.feed(data):
            if isinstance(event, Line) and event.text == b"ready":
                self._ready = True
        while data:
            data = data[os.write(self._sink, data) :]
