"""Who uses the console: a script on a pipe, or a person who types and looks at the screen; and the far end of its wire.
Everything waits for what is to come, with a limit that only a failure reaches."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import tty

import pyte

TIMEOUT = 20  # seconds; only ever reached when something is broken
CONSOLE = [sys.executable, "-m", "mpyat.terminal"]


def read_some(fd, seen):
    """Wait for more to read; a failure shows what was seen until then."""
    readable, _, _ = select.select([fd], [], [], TIMEOUT)
    assert readable, f"nothing more came after {seen!r}"
    return os.read(fd, 65536)


class Wire:
    """The far end of a pseudo-terminal, where the test plays the module."""

    def __init__(self):
        self.fd, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)

    def expect(self, data):
        """Exactly these bytes come from the console."""
        seen = b""
        while len(seen) < len(data):
            seen += read_some(self.fd, seen)
        assert seen == data

    def send(self, data):
        os.write(self.fd, data)

    def answer(self, line, answer=b"\r\nOK\r\n"):
        """A line comes; echo it and answer."""
        self.expect(line + b"\r\n")
        self.send(line + b"\r\n" + answer)

    def speed(self):
        """The baud rate that the console has set."""
        return termios.tcgetattr(self._slave)[5]

    def close(self):
        for fd in (self.fd, self._slave):
            if fd is not None:
                os.close(fd)
        self.fd = self._slave = None


class Script:
    """atterm with a pipe as stdin."""

    def __init__(self, script, *arguments):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([*CONSOLE, *arguments], stdin=pipe, stdout=pipe, stderr=pipe)
        self.process.stdin.write(script)
        self.process.stdin.close()
        self.process.stdin = None

    def finish(self):
        """Return the exit status, what came on stdout, and the lines on stderr."""
        out, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, out, err.decode().splitlines()


class Screen(pyte.HistoryScreen):
    """What a terminal shows, with what has scrolled away above it."""

    def __init__(self, fd):
        super().__init__(120, 40, history=2000, ratio=0.5)
        self._fd = fd

    def write_process_input(self, data):
        # The answer to the editor's question where the cursor is.
        os.write(self._fd, data.encode())

    def _lines(self):
        return [*self.history.top, *(self.buffer[y] for y in range(self.lines))]

    @property
    def rows(self):
        return ["".join(line[x].data for x in range(self.columns)).rstrip() for line in self._lines()]

    def style_of(self, text):
        """The colour and the attributes of the last row that has this text."""
        y = max(y for y, row in enumerate(self.rows) if text in row)
        char = self._lines()[y][self.rows[y].index(text)]
        return char.fg, char.bold, char.underscore


class Person:
    """atterm with a terminal: keys go in, and what has been drawn is looked at."""

    def __init__(self, state, *arguments):
        self.fd, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        environment = {**os.environ, "TERM": "xterm", "XDG_STATE_HOME": str(state)}
        self.process = subprocess.Popen(
            [*CONSOLE, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment
        )
        os.close(slave)
        self.screen = Screen(self.fd)
        self._terminal = pyte.ByteStream(self.screen)

    def types(self, keys):
        os.write(self.fd, keys.encode())

    def sees(self, *patterns):
        """Wait until these rows stand on the screen, each below the one before; return the last match."""
        while (match := self._find(patterns)) is None:
            self._draw()
        return match

    def _find(self, patterns):
        rows = iter(self.screen.rows)
        match = None
        for pattern in patterns:
            match = next(filter(None, (re.fullmatch(pattern, row) for row in rows)), None)
            if match is None:
                return None
        return match

    def _draw(self):
        self._terminal.feed(read_some(self.fd, self.screen.rows))

    def leaves(self):
        """Ctrl-D; returns the exit status."""
        self.types("\x04")
        return self.ends()

    def ends(self):
        """Read what is still drawn until the console ends; returns the exit status."""
        while True:
            try:
                self._draw()
            except OSError:
                return self.process.wait(TIMEOUT)
