"""The console for real, with a person's keys: on a pseudo-terminal with a scripted module behind it, and on a simulator
with the firmware."""

import os
import re
import select
import signal
import socket
import subprocess
import termios
import threading
from pathlib import Path

import pytest
from console_user import CONSOLE, TIMEOUT, Person, Script, read_some
from mpyat import sources


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


# With a scripted module


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
        [*CONSOLE, "--simulator"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert read_some(console.stdout.fileno(), b"").lstrip().startswith(b"ready")
    simulator = child_of(console)
    console.send_signal(signal.SIGKILL)
    console.communicate()
    assert select.select([simulator], [], [], TIMEOUT)[0]
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
            peer.settimeout(TIMEOUT)
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
