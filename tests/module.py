"""A simulated module for one test: the real firmware under the real MicroPython, behind a real terminal.
Everything here waits for bytes and events, with a limit that only a failure reaches."""

import contextlib
import fcntl
import os
import re
import select
import sys
import termios
import time
import tty

from mpyat.pytest_plugin import LIMIT, SimulatedModule

# Seconds, clearly more than the silence that must stand around `+++`, also on a busy machine.
PAUSE = 0.1


class Module(SimulatedModule):
    """Starts `atsim` with `options` and opens its terminal.

    `ready=True` waits for the start-up message and switches the echo off. `inside` is a command that runs another."""

    def __init__(self, folder, *options, ready=True, inside=()):
        super().__init__(folder, *options, inside=inside)
        self.folder = folder
        self.fd = -1
        self.received = bytearray()
        self._uart = None  # what the newest line sets the UART to
        self.open()
        if ready:
            self.expect("⏎ready⏎")
            self.send("ATE0")
            self.expect("ATE0⏎⏎OK⏎")

    def open(self):
        """Opens the host's end of the terminal, as a serial program does."""
        self.fd = os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.fd, termios.TCSANOW)

    def close(self):
        """Closes the host's end only; the module runs on."""
        os.close(self.fd)
        self.fd = -1

    def stop(self):
        if self.fd >= 0:
            self.close()
        super().stop()

    def join(self):
        """Joins the simulator's default network; returns the module."""
        self.send('AT+CWJAP="mpy-at","12345678"')
        self.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
        return self

    # Sending

    def send(self, line):
        """A command, with CR LF behind it."""
        self.write(encode(line) + b"\r\n")
        found = re.fullmatch(rb"AT\+UART(?:_CUR|_DEF)?=([\d,]+)", encode(line), re.IGNORECASE)
        self._uart = found and found[1].decode()

    def write(self, data):
        """Raw bytes, all of them; reads meanwhile, so that neither side blocks the other."""
        self._uart = None
        data = memoryview(data)
        deadline = time.monotonic() + LIMIT
        while data:
            readable, writable, _ = select.select([self.fd], [self.fd], [], deadline - time.monotonic())
            assert readable or writable, "the module takes no bytes"
            if readable:
                self._read()
            if writable:
                with contextlib.suppress(BlockingIOError):
                    data = data[os.write(self.fd, data) :]

    def leave(self):
        """`+++` between its two silences, for which there is no event to wait."""
        time.sleep(PAUSE)
        self.write(b"+++")
        time.sleep(PAUSE)

    # Expecting

    def expect(self, text):
        """Takes exactly these bytes (`⏎` is CR LF, escapes as in Python) from what the module has sent."""
        wanted = encode(text)
        self._wait(lambda: not wanted.startswith(self.received[: len(wanted)]) or len(self.received) >= len(wanted))
        got = bytes(self.received[: len(wanted)])
        assert got == wanted, f"\nexpected {wanted!r}\n     got {bytes(self.received[:500])!r}"
        del self.received[: len(wanted)]
        self.answered(wanted)

    def match(self, pattern):
        """Takes what the regular expression matches, waiting until it does; returns the match object."""
        expression = re.compile(encode(pattern), re.DOTALL)
        found = []

        def check():
            found[:] = [expression.match(bytes(self.received))]
            return found[0]

        self._wait(check)
        assert found[0], f"\nexpected {expression.pattern!r}\n     got {bytes(self.received[:500])!r}"
        del self.received[: found[0].end()]
        self.answered(found[0][0])
        return found[0]

    def answered(self, text):
        """Behind the OK the UART needs a moment for its new settings, in which what the host sends is lost."""
        if self._uart and text.endswith(b"\r\nOK\r\n"):
            deadline = time.monotonic() + LIMIT
            while (answer := self.control(f"uart is {self._uart}")) != "ok":
                assert time.monotonic() < deadline, answer
                time.sleep(0.002)
            self._uart = None

    def take(self, count):
        """Takes so many bytes, whatever they are."""
        self._wait(lambda: len(self.received) >= count)
        data = bytes(self.received[:count])
        assert len(data) == count, f"{len(data)} bytes instead of {count}: {data[-200:]!r}"
        del self.received[:count]
        return data

    def command(self, line):
        """Sends a command and expects nothing but OK."""
        self.send(line)
        self.expect("⏎OK⏎")

    def said(self):
        """Whether the module has sent anything that was not taken yet; does not wait for it."""
        if select.select([self.fd], [], [], 0)[0]:
            self._read()
        return bool(self.received)

    def waiting(self):
        """How many bytes wait in the terminal."""
        return int.from_bytes(fcntl.ioctl(self.fd, termios.FIONREAD, bytes(4)), sys.byteorder)

    def settled(self):
        """Nothing is left over: the next thing that the module says is the answer to AT."""
        self.command("AT")
        assert not self.received, bytes(self.received)

    def _wait(self, condition):
        deadline = time.monotonic() + LIMIT
        while not condition():
            if not select.select([self.fd], [], [], max(deadline - time.monotonic(), 0))[0]:
                return
            self._read()

    def _read(self):
        with contextlib.suppress(BlockingIOError):
            data = os.read(self.fd, 65536)
            assert data, "the terminal is closed"
            self.received += data


def encode(text):
    """The bytes of a transcript's text: `⏎` is CR LF, backslash escapes are Python's."""
    if isinstance(text, bytes):
        return text
    text = text.replace("⏎", "\r\n")
    return re.sub(
        r"\\(x[0-9a-fA-F]{2}|r|n|t|0)",
        lambda found: {"r": "\r", "n": "\n", "t": "\t", "0": "\0"}.get(found[1]) or chr(int(found[1][1:], 16)),
        text,
    ).encode("latin-1")
