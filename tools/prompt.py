"""MicroPython's prompt on the UART, once the firmware has left it to that: passes bytes between the terminal and
MicroPython's stdin and stdout, as the chip does after os.dupterm()."""

import contextlib
import os
import re
import signal

# What brings a host to the raw prompt, and back to the friendly one; and what interrupts a program.
_RAW, _FRIENDLY = b"\x01", b"\x02"
_INTERRUPT = b"\x03"
_CHUNK = 4096
_PAUSE = 0.002


def with_cr(said):
    """What MicroPython has printed, with lines that end in CR LF as those of a chip do."""
    return re.sub(rb"(?<!\r)\n", b"\r\n", said)


class Prompt:
    """`uart` is the chip's end of the terminal, `keys` and `said` are the other ends of the stdin and stdout of
    MicroPython, which is the process `pid`.

    `ended()` is called at the end of `said`; `raw` tells then whether the host was at the raw prompt, or has the host
    begin there."""

    def __init__(self, loop, pid, uart, keys, said, ended, raw=False):
        self._loop, self._uart, self._keys, self._said, self._ended = loop, uart, keys, said, ended
        self._pid = pid
        self.raw = raw
        self._timers = {}
        if raw:
            os.write(keys, _RAW)
        self._loop.watch(uart, self._read_uart)
        self._loop.watch(said, self._read_said)

    def close(self):
        for fd in (self._uart, self._said):
            self._loop.forget(fd)
            self._loop.cancel(self._timers.pop(fd, None))

    def _read_uart(self):
        data = os.read(self._uart, _CHUNK)
        for switch in re.findall(_RAW + b"|" + _FRIENDLY, data):
            self.raw = switch == _RAW
        if _INTERRUPT in data and self._runs():
            os.kill(self._pid, signal.SIGINT)
            data = data.replace(_INTERRUPT, b"")
        self._pass(data, self._uart, self._keys, self._read_uart)

    def _runs(self):
        """Whether MicroPython runs a program: only then it catches the signal, which would end it at the prompt."""
        with open(f"/proc/{self._pid}/status") as status:
            caught = next(line for line in status if line.startswith("SigCgt:"))
        return bool(int(caught.split()[1], 16) & 1 << signal.SIGINT - 1)

    def _read_said(self):
        data = os.read(self._said, _CHUNK)
        if data:
            self._pass(with_cr(data), self._said, self._uart, self._read_said)
        else:
            self._ended()

    def _pass(self, data, source, target, again):
        """Writes it all; while the target takes nothing, the source is not read."""
        self._timers.pop(source, None)
        with contextlib.suppress(BlockingIOError):
            data = data[os.write(target, data) :]
        if data:
            self._loop.forget(source)
            when = self._loop.time() + _PAUSE
            self._timers[source] = self._loop.at(when, lambda: self._pass(data, source, target, again))
        else:
            self._loop.watch(source, again)
