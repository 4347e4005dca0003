"""The console for real: scripts and a person's keys, on a pseudo-terminal with a scripted module behind it,
and on a simulator with the firmware."""

import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import tty
from pathlib import Path

import pyte
import pytest
from mpyat import sources

_TIMEOUT = 20  # seconds; only ever reached when something is broken
_CONSOLE = [sys.executable, "-m", "mpyat.terminal"]


def read_some(fd, seen):
    """Wait for more to read; a failure shows what was seen until then."""
    readable, _, _ = select.select([fd], [], [], _TIMEOUT)
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


@pytest.fixture
def wire():
    wire = Wire()
    yield wire
    if wire.fd is not None:
        wire.close()


class Script:
    """atterm with a pipe as stdin."""

    def __init__(self, script, *arguments):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([*_CONSOLE, *arguments], stdin=pipe, stdout=pipe, stderr=pipe)
        self.process.stdin.write(script)
        self.process.stdin.close()
        self.process.stdin = None

    def finish(self):
        """Return the exit status, what came on stdout, and the lines on stderr."""
        out, err = self.process.communicate(timeout=_TIMEOUT)
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
            [*_CONSOLE, *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment
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
                return self.process.wait(_TIMEOUT)


@pytest.fixture
def person(tmp_path):
    people = []

    def start(*arguments):
        people.append(Person(tmp_path, *arguments))
        return people[-1]

    yield start
    for one in people:
        one.process.terminate()
        one.ends()
        os.close(one.fd)


# Scripts with a scripted module


def test_lines_wait_for_their_answers(wire):
    script = Script(b"AT\r\n\n  \nAT+NOSUCH\nAT+LAST", wire.path)
    wire.answer(b"AT")
    wire.answer(b"AT+NOSUCH", b"\r\nbusy p...\r\n\r\nERROR\r\n")
    wire.answer(b"AT+LAST", b"WIFI CONNECTED\r\n\xff\x00\r\nOK\r\n\r\n+LATE\r\n")
    answers = b"AT\r\n\r\nOK\r\n", b"AT+NOSUCH\r\n\r\nbusy p...\r\n\r\nERROR\r\n"
    last = b"AT+LAST\r\nWIFI CONNECTED\r\n\xff\x00\r\nOK\r\n\r\n+LATE\r\n"
    assert script.finish() == (0, b"".join(answers) + last, [])


@pytest.mark.parametrize("reset", [b"AT+RST", b"AT+RESTORE"])
def test_restart_ends_with_ready(wire, reset):
    script = Script(reset + b"\nAT\n", wire.path)
    wire.answer(reset)
    wire.send(b"\x80>noise\r\n")
    assert not select.select([wire.fd], [], [], 0.05)[0], "the next line waits for ready"
    wire.send(b"\r\nready\r\n")
    wire.answer(b"AT")
    assert script.finish()[0] == 0


def test_data_after_the_prompt(wire):
    script = Script(b"AT+CIPSEND=12\nhello\nworld\nAT+CIPSEND=0,3\nabcdef\nAT\n", wire.path)
    wire.answer(b"AT+CIPSEND=12", b"\r\nOK\r\n")
    wire.send(b"\r\n>")
    wire.expect(b"hello\r\nworld")
    wire.send(b"\r\nRecv 12 bytes\r\n\r\nSEND OK\r\n")
    wire.answer(b"AT+CIPSEND=0,3", b"\r\nOK\r\n\r\n>")
    wire.expect(b"abc")
    wire.send(b"\r\nRecv 3 bytes\r\n\r\nSEND FAIL\r\n")
    wire.answer(b"AT")
    status, _, notes = script.finish()
    assert (status, notes) == (0, ["atterm: line 5: 3 bytes beyond the announced were not sent"])


def test_passthrough_until_escape(wire):
    script = Script(b"AT+CIPSEND\nhello\n+++\nAT\n", wire.path)
    wire.answer(b"AT+CIPSEND", b"\r\nOK\r\n\r\n>")
    wire.expect(b"hello\r\n")
    sent = time.monotonic()
    wire.send(b"ERROR\r\n")
    wire.expect(b"+++")
    assert time.monotonic() - sent > 0.02, "the guard time comes before"
    wire.answer(b"AT")
    assert script.finish() == (0, b"AT+CIPSEND\r\n\r\nOK\r\n\r\n>ERROR\r\nAT\r\n\r\nOK\r\n", [])


def test_input_ends_within_data(wire):
    script = Script(b"AT+CIPSEND=12\nhello\n", wire.path)
    wire.answer(b"AT+CIPSEND=12", b"\r\nOK\r\n\r\n>")
    wire.expect(b"hello\r\n")
    wire.expect(b"+++")
    wire.send(b"\r\nSEND Canceled\r\n")
    status, out, errors = script.finish()
    assert (status, len(errors)) == (1, 1)
    assert out.endswith(b"SEND Canceled\r\n")
    assert "5 bytes" in errors[0]


@pytest.mark.parametrize(
    ("line", "answer"),
    [(b"AT", b"\r\nbusy p...\r\n"), (b"AT+RST", b"\r\nOK\r\n"), (b"AT+CIPSEND=1", b"\r\nOK\r\n")],
)
def test_answer_that_never_comes(wire, line, answer):
    script = Script(line + b"\n", wire.path, "--timeout", "0.3")
    wire.answer(line, answer)
    status, out, errors = script.finish()
    assert (status, out) == (1, line + b"\r\n" + answer)
    assert errors == [f"atterm: no final result for {line.decode()!r} within 0.3 s"]


def test_port_that_goes_away(wire):
    script = Script(b"AT\nAT\n", wire.path)
    wire.answer(b"AT")
    wire.expect(b"AT\r\n")
    wire.close()
    status, _, errors = script.finish()
    assert (status, len(errors)) == (1, 1)
    assert "has gone away" in errors[0]


def test_wrong_ports(tmp_path):
    some_file = tmp_path / "file"
    some_file.touch()
    for arguments, words in (
        ([str(tmp_path / "nope")], "no port "),
        ([str(some_file)], "is no serial port"),
        ([], "which PORT?"),
    ):
        status, out, errors = Script(b"AT\n", *arguments).finish()
        assert (status, out, len(errors)) == (1, b"", 1)
        assert words in errors[0]


# A person with a scripted module


def test_kinds_have_their_colours_and_echo_is_not_doubled(wire, person):
    user = person(wire.path)
    user.sees("AT:")
    user.types('AT+CWJAP="a","b"\r')
    wire.answer(b'AT+CWJAP="a","b"', b"WIFI CONNECTED\r\n\r\nOK\r\n")
    user.sees(r'AT\+CWJAP="a","b"', "WIFI CONNECTED", "OK", "AT:")
    assert user.screen.rows.count('AT+CWJAP="a","b"') == 1
    user.types("nonsense\r")
    wire.answer(b"nonsense", b"+RESPONSE\r\n\r\nERROR\r\n")
    user.sees("OK", "nonsense", r"\+RESPONSE", "ERROR", "AT:")
    styles = [user.screen.style_of(text) for text in ("+RESPONSE", "WIFI CONNECTED", "OK", "ERROR", "nonsense")]
    assert len(set(styles)) == len(styles)
    assert user.leaves() == 0


def test_received_data_is_readable(wire, person):
    user = person(wire.path)
    user.sees("AT:")
    wire.send(b"\r\n+IPD,0,17:\x00\xff\x1b[2J\r\nO\r\nOK\r\nCLOSED\r\n")
    user.sees(r"\+IPD,0,17:", r"  \\x00\\xff\\x1b\[2J\\r\\n", r"  O\\r\\n", r"  OK\\r\\n", r"  CL", "OSED", "AT:")


def test_typed_data_knows_its_escapes_and_length(wire, person):
    user = person(wire.path)
    user.sees("AT:")
    user.types("AT+CIPSEND=0,9\r")
    wire.answer(b"AT+CIPSEND=0,9", b"\r\nOK\r\n\r\n>")
    user.sees("9 bytes>", r".*\b0 of 9 bytes typed;.*")
    user.types(r"ab\x00\q")
    user.sees(r"9 bytes> ab\\x00\\q", r".*\\q is no escape.*")
    user.types("\x7f\x7f\\r\\n\r")
    wire.expect(b"ab\0\r\n")
    user.sees("4 bytes>")
    user.types("12345")
    user.sees(".*5 of 4 bytes typed, 1 too many.*")
    user.types("\x7f\r")
    wire.expect(b"1234")
    wire.send(b"\r\nRecv 9 bytes\r\n\r\nSEND OK\r\n")
    user.sees(r"ab\\x00\\r\\n", "1234", "Recv 9 bytes", "SEND OK", "AT:")


def test_keys(wire, person):
    user = person(wire.path)
    user.sees("AT:")
    user.types("\x1bOQ")  # F2
    user.types("AT+CIPSEND\r")
    wire.answer(b"AT+CIPSEND", b"\r\nOK\r\n\r\n>")
    user.sees(r"\d\d:\d\d:\d\d\.\d{3}  AT\+CIPSEND", r"\d\d:\d\d:\d\d\.\d{3}  OK", "raw>")
    user.types("\x1bOS")  # F4
    user.types("hello\r")
    wire.expect(b"hello\r\n")
    user.types("\x1bOR")  # F3
    wire.expect(b"+++")
    user.sees("AT:")
    user.types("AT\r")
    wire.answer(b"AT")
    user.sees("raw>|AT:")


def test_pasted_lines_wait_for_their_answers(wire, person):
    user = person(wire.path)
    user.sees("AT:")
    user.types("\x1b[200~ATE0\nAT+CIPSEND=2\nhi\nAT\x1b[201~\r")
    wire.answer(b"ATE0")
    wire.expect(b"AT+CIPSEND=2\r\n")
    wire.send(b"\r\nOK\r\n\r\n>")
    wire.expect(b"hi")
    wire.send(b"\r\nRecv 2 bytes\r\n\r\nSEND OK\r\n")
    wire.expect(b"AT\r\n")


def test_baud_rate_follows_the_module(wire, person):
    user = person(wire.path, "--baud", "115200")
    user.sees("AT:")
    for line, answer, speed in (
        ("AT+UART_CUR=9600,8,1,0,0", "ERROR", termios.B115200),
        ("AT+UART_CUR=57600,8,1,0,0", "OK", termios.B57600),
    ):
        user.types(line + "\r")
        wire.answer(line.encode(), b"\r\n%s\r\n" % answer.encode())
        user.sees(re.escape(line), answer, "AT:")
        assert wire.speed() == speed


def test_history_stays_without_data(wire, person, tmp_path):
    for _ in range(2):
        user = person(wire.path)
        user.sees("AT:")
        user.types("AT+CIPSEND=6\r")
        wire.answer(b"AT+CIPSEND=6", b"\r\nOK\r\n\r\n>")
        user.sees("6 bytes>")
        user.types("secret\r")
        wire.expect(b"secret")
        wire.send(b"\r\nSEND OK\r\n")
        user.sees("secret", "SEND OK", "AT:")
        assert user.leaves() == 0
    history = tmp_path / "mpy-at" / "history"
    assert history.stat().st_mode & 0o777 == 0o600
    assert "AT+CIPSEND=6" in history.read_text()
    assert "secret" not in history.read_text()


def test_lost_port_ends_the_editor(wire, person):
    user = person(wire.path)
    user.sees("AT:")
    wire.close()
    assert user.ends() == 1
    user.sees(f"atterm: {wire.path} has gone away; .*")


def test_much_output_is_shown_whole_and_in_order(wire, person):
    user = person(wire.path)
    user.sees("AT:")
    rows = [f"row {number}" for number in range(1500)]
    feeder = threading.Thread(target=lambda: [wire.send(row.encode() + b"\r\n") for row in rows])
    feeder.start()
    user.sees(rows[-1])
    feeder.join()
    assert [row for row in user.screen.rows if row.startswith("row")] == rows


# With the firmware


def test_a_script_through_make_run():
    script = b'AT\nAT+GMR\nAT+CWMODE=1\nAT+CWJAP="mpy-at","12345678"\nAT+CIFSR\n'
    status, out, errors = Script(script, "--simulator").finish()
    assert status == 0, errors
    assert re.fullmatch(
        rb"\r\nready\r\n"
        rb"AT\r\n\r\nOK\r\n"
        rb"AT\+GMR\r\nAT version:[^\r]+\r\nSDK version:[^\r]+\r\n"
        rb"compile time\(\w+\):[^\r]+\r\nBin version:[^\r]+\r\n\r\nOK\r\n"
        rb"AT\+CWMODE=1\r\n\r\nOK\r\n"
        rb'AT\+CWJAP="mpy-at","12345678"\r\nWIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n'
        rb'AT\+CIFSR\r\n\+CIFSR:STAIP,"127\.0\.0\.1"\r\n\+CIFSR:STAMAC,"[0-9a-f:]{17}"\r\n\r\nOK\r\n',
        out,
    ), out


def child_of(process):
    """A descriptor that becomes readable when the one child of the process ends."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return os.pidfd_open(int(child))


def test_simulator_ends_with_the_console(person):
    user = person("--simulator")
    user.sees("ready", "AT:")
    simulator = child_of(user.process)
    user.types("AT+CIPSTA")
    user.sees(r"AT: AT\+CIPSTA", r" +AT\+CIPSTART .*", r" +AT\+CIPSTATUS .*")
    user.types('RT="TCP",')
    user.sees(r'AT\+CIPSTART=\[?<type .*<host "...">,<port 1-65535>.*')
    assert user.screen.style_of("<host") != user.screen.style_of("<port")
    user.types("\x03AT+CIPMUX=1\r")
    user.sees("OK", "AT:")
    user.types("AT+CIPSTART=0,")
    user.sees(r"AT\+CIPSTART=<link 0-4>,.*")
    user.types("\x03")
    assert user.leaves() == 0
    assert select.select([simulator], [], [], 0)[0]
    os.close(simulator)


def test_the_prompt_of_micropython(person):
    user = person("--simulator")
    user.sees("ready", "AT:")
    user.types("AT+MPYREPL\r")
    user.sees("OK", "  MicroPython .*", "  >>>", "Python:")
    user.types("print(6 * 7, '\\\\')\r")
    user.sees(r".*print\(6 \* 7, .*\).*", r"  42 .*", "  >>>", "Python:")
    user.types("import machine; machine.reset()\r")
    user.sees("ready", "AT:")
    user.types("AT\r")
    user.sees("AT", "OK", "AT:")
    assert user.leaves() == 0


def test_commands_of_ones_own_are_completed(person, wire):
    user = person("--simulator", "--", "--commands", str(sources.root() / "examples" / "commands"))
    user.sees("ready", "AT:")
    user.types("AT+PIN")
    user.sees(r"AT: AT\+PIN", r" +AT\+PIN= +set.*", r" +AT\+PING .*")
    user.types("=4,")
    user.sees(r"AT\+PIN=<number 0-39>,\[<level 0-1>\].*")
    user.types("1\r")
    user.sees(r"AT\+PIN=4,1", "OK", "AT:")
    assert user.leaves() == 0
    # Of a module on a port the console learns from what that lists.
    user = person(wire.path)
    user.sees("AT:")
    user.types("AT+CMD?\r")
    wire.answer(b"AT+CMD?", b'+CMD:0,"AT",0,0,0,1\r\n+CMD:1,"AT+MINE",0,1,0,0\r\n\r\nOK\r\n')
    user.sees("OK", "AT:")
    user.types("AT+MIN")
    user.sees(r"AT: AT\+MIN", r" +AT\+MINE +A command of the module's own.*")
    user.types("\x03")
    assert user.leaves() == 0


@pytest.mark.parametrize("options", [["--wifi", "/nope"], ["--no-such-option"]])
def test_simulator_that_does_not_start(person, options):
    status, out, errors = Script(b"AT\n", "--simulator", "--", *options).finish()
    assert (status, out) == (1, b"")
    assert errors[-1].startswith("atterm: atsim ended with status ")
    user = person("--simulator", "--", *options)
    assert user.ends() == 1
    user.sees("atsim: .*", "atterm: atsim ended with status .*")


def test_simulator_ends_when_the_console_is_killed():
    console = subprocess.Popen(
        [*_CONSOLE, "--simulator"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert read_some(console.stdout.fileno(), b"").lstrip().startswith(b"ready")
    simulator = child_of(console)
    console.send_signal(signal.SIGKILL)
    console.communicate()
    assert select.select([simulator], [], [], _TIMEOUT)[0]
    os.close(simulator)


def test_tcp_by_hand(person):
    with socket.create_server(("127.0.0.1", 0)) as server:
        user = person("--simulator", "--", "--board", "esp8266")
        user.sees("ready", "AT:")
        user.types("AT+CWMODE=1\r")
        user.sees("OK", "AT:")
        user.types('AT+CWJAP="mpy-at","12345678"\r')
        user.sees("WIFI GOT IP", "OK", "AT:")
        user.types(f'AT+CIPSTART="TCP","127.0.0.1",{server.getsockname()[1]}\r')
        peer, _ = server.accept()
        with peer:
            peer.settimeout(_TIMEOUT)
            user.sees("CONNECT", "OK", "AT:")
            user.types("AT+CIPSEND=7\r")
            user.sees("7 bytes>")
            user.types(r"hello\r\n" + "\r")
            assert peer.recv(100) == b"hello\r\n"
            user.sees(r"hello\\r\\n", "Recv 7 bytes", "SEND OK")
            peer.sendall(b"\x00world\n")
            user.sees(r"\+IPD,7:", r"  \\x00world\\n")
        user.sees("CLOSED")
        assert user.leaves() == 0
