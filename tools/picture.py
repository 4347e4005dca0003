"""Records a session in the console as the picture in the README: the real console, simulator and firmware in a
pseudo-terminal, and a TCP server on loopback. `python -m mpyat.picture FILE.svg`."""

import fcntl
import os
import pty
import re
import select
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

import pyte
from rich.console import Console
from rich.style import Style
from rich.text import Text

_COLUMNS, _ROWS = 88, 26
_LIMIT = 30  # seconds that one step may take
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)


class Recorder:
    """A terminal of a fixed size with a program in it."""

    def __init__(self, command, environment):
        self.screen = pyte.Screen(_COLUMNS, _ROWS)
        self._stream = pyte.ByteStream(self.screen)
        # Line editors ask the terminal where its cursor is, and wait for the answer.
        self.screen.write_process_input = lambda text: os.write(self._fd, text.encode())
        self._fd, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", _ROWS, _COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment, start_new_session=True
        )
        os.close(terminal)

    def type(self, text):
        os.write(self._fd, text.encode())

    def wait(self, text, count=1):
        """Runs until `text` has been drawn `count` times; TimeoutError when it never is."""
        deadline = time.monotonic() + _LIMIT
        while "\n".join(self.screen.display).count(text) < count:
            if not select.select([self._fd], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise TimeoutError(f"{text!r} did not appear:\n" + "\n".join(self.screen.display))
            self._stream.feed(os.read(self._fd, 65536))

    def close(self):
        self._process.terminate()
        self._process.wait()
        os.close(self._fd)


def _style(char):
    def colour(name):
        if re.fullmatch("[0-9a-f]{6}", name):
            return f"#{name}"
        return name.replace("bright", "bright_").replace("brown", "yellow")

    return Style(
        color=None if char.fg == "default" else colour(char.fg),
        bgcolor=None if char.bg == "default" else colour(char.bg),
        bold=char.bold,
        italic=char.italics,
        reverse=char.reverse,
    )


def _svg(screen):
    """The screen as SVG, without the fonts that rich would load from the network."""
    console = Console(record=True, width=_COLUMNS, file=open(os.devnull, "w"), force_terminal=True)
    used = max(y for y in range(_ROWS) if screen.display[y].strip()) + 1
    for y in range(used):
        line = Text()
        for x in range(_COLUMNS):
            char = screen.buffer[y][x]
            line.append(char.data, _style(char))
        console.print(line, overflow="crop", no_wrap=True)
    return _FONTS.sub("", console.export_svg(title="make run", unique_id="mpyat"))


def _session(recorder, server):
    port = server.getsockname()[1]
    recorder.wait("ready")
    recorder.type('AT+CWJAP="mpy-at","12345678"\r')
    recorder.wait("OK")
    recorder.type(f'AT+CIPSTART="TCP","127.0.0.1",{port}\r')
    recorder.wait("OK", 2)
    peer = server.accept()[0]
    recorder.type("AT+CIPSEND=5\r")
    recorder.wait("OK", 3)
    recorder.type("hello\r")
    recorder.wait("SEND OK")
    peer.sendall(peer.recv(5) + b" back\r\n\0\xff")
    recorder.wait("back")
    recorder.type("AT+CIPSTATE?\r")
    recorder.wait("OK", 5)
    recorder.type("AT+CIPM")
    recorder.wait("AT+CIPM", 1)
    recorder.type("UX=")
    recorder.wait("mode", 1)
    peer.close()


def main():
    """Entry point; returns 0."""
    with tempfile.TemporaryDirectory() as state, socket.create_server(("127.0.0.1", 0)) as server:
        environment = dict(os.environ, TERM="xterm-256color", XDG_STATE_HOME=state)
        recorder = Recorder([sys.executable, "-m", "mpyat.terminal", "--simulator"], environment)
        try:
            _session(recorder, server)
        finally:
            recorder.close()
    Path(sys.argv[1]).write_text(_svg(recorder.screen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
