"""The same command again and again, in one piece and in several: each line has its one final result, no byte is lost,
and what a command does the second time is what it does the first time."""

import random
import re

import pytest
from peers import Peer

KINDS = '''
from firmware.at import messages
from firmware.at.command import command
from firmware.at.messages import ATError

_count = 0


@command("AT+KIND")
class Kind:
    """Ends in another way each time; the last one has it loaded anew."""

    def execute(at):
        global _count
        _count += 1
        if _count == 2:
            return b"\\r\\nBYTES\\r\\n"
        if _count == 3:
            raise ATError(messages.E_RANGE, 3)
        if _count == 4:
            return _wait(at)
        if _count == 5:
            at.line("+KIND:%d", _count)
        if _count == 6:
            raise MemoryError


async def _wait(at):
    await at.loop.sleep(1)
    at.line("+KIND:waited")
'''


@pytest.fixture
def board_module(start, board):
    return start("--board", board)


def test_at_in_two_writes(board_module):
    for line in (b"AT\r\n", b"AT+CWMODE?\r\n", b"\xffAT\r\n"):
        answer = b"+CWMODE:1\r\n\r\nOK\r\n" if b"?" in line else b"\r\nOK\r\n"
        for place in range(len(line) + 1):
            for echo in (b"", line):
                board_module.command("ATE1" if echo else "ATE0")
                board_module.write(line[:place])
                board_module.expect(echo[:place])
                board_module.write(line[place:])
                board_module.expect(echo[place:] + answer)
                if echo:
                    board_module.send("ATE0")
                    board_module.expect("ATE0⏎⏎OK⏎")
    board_module.settled()


def test_a_line_and_a_half(board_module):
    for place in range(1, 4):
        line = b"AT\r\n"
        for _ in range(20):
            board_module.write(line + line[:place])
            board_module.expect("⏎OK⏎")
            board_module.write(line[place:] + line)
            board_module.expect("⏎OK⏎⏎OK⏎")
    board_module.settled()


def test_echo_goes_on_and_off(board_module):
    for _ in range(3):
        board_module.write(b"ATE0\r\nATE0\r\n")
        board_module.expect("⏎OK⏎⏎OK⏎")
        board_module.send("ATE1")
        board_module.expect("⏎OK⏎")
        board_module.send("ATE1")
        board_module.expect("ATE1⏎⏎OK⏎")
        board_module.write(b"AT\r\nAT\r\n")
        board_module.expect("AT⏎⏎OK⏎AT⏎⏎OK⏎")
        board_module.send("ATE0")
        board_module.expect("ATE0⏎⏎OK⏎")
    board_module.settled()


def test_what_is_nearly_the_same(board_module):
    for line, answer in (
        ("AT", "⏎OK⏎"),
        ("AT?", "⏎ERROR⏎"),
        ("A", "⏎ERROR⏎"),
        ("AT", "⏎OK⏎"),
        ("at", "⏎OK⏎"),
        ("ATA", "⏎ERROR⏎"),
        ("AT=1", "⏎ERROR⏎"),
        ("BT", "⏎ERROR⏎"),
        ("AT+CIPSTATUS", "STATUS:1⏎⏎OK⏎"),
        ("AT+CIPSTATUSES", "⏎ERROR⏎"),
        ("AT+CIPSTATU", "⏎ERROR⏎"),
        ("AT+CIPSTATUS", "STATUS:1⏎⏎OK⏎"),
        ("", ""),
        ("AT", "⏎OK⏎"),
    ):
        for _ in range(3):
            board_module.send(line)
            board_module.expect(answer)
    board_module.settled()


def test_the_longest_line_between_short_ones(board_module):
    for size, answer in ((254, "⏎OK⏎"), (255, "⏎ERROR⏎")):
        line = b"AT+SYSSTORE=".ljust(size - 1, b"0") + b"1"
        for _ in range(3):
            board_module.write(b"AT\r\n")
            board_module.expect("⏎OK⏎")
            board_module.write(line + b"\r\n")
            board_module.expect(answer)
            board_module.write(line + b"\r\nAT\r\n")
            board_module.expect(answer + "⏎OK⏎")
    board_module.settled()


def test_each_kind_of_end(start, board, tmp_path):
    (tmp_path / "commands").mkdir()
    (tmp_path / "commands" / "kinds.py").write_text(KINDS)
    module = start("--board", board, "--commands", tmp_path / "commands")
    module.command("AT+SYSLOG=1")
    for _ in range(3):
        for answer in (
            "⏎OK⏎",
            "⏎BYTES⏎",
            "ERR CODE:0x01070003⏎⏎ERROR⏎",
            "+KIND:waited⏎⏎OK⏎",
            "+KIND:5⏎⏎OK⏎",
            "ERR CODE:0x010a0000⏎⏎ERROR⏎",
        ):
            module.send("AT+KIND")
            module.expect(answer)
    module.settled()


def test_the_same_line_while_another_command_runs(board_module):
    for _ in range(2):
        board_module.command("AT")
        board_module.write(b'AT+CWJAP="mpy-at","12345678"\r\nAT\r\nAT\r\n')
        board_module.match(r"(WIFI DISCONNECT\r\n)?(\r\nbusy p\.\.\.\r\n){2}")
        board_module.match(r"WIFI CONNECTED\r\nWIFI GOT IP\r\n\r\nOK\r\n")
        board_module.command("AT")
    board_module.settled()


def test_it_tells_what_holds_now(joined):
    peer = Peer()
    for _ in range(2):
        for _ in range(2):
            joined.send("AT+CIPSTATUS")
            joined.match(r"STATUS:[24]\r\n\r\nOK\r\n")
            joined.send("AT+CIPCLOSE")
            joined.expect("⏎ERROR⏎")
        joined.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
        peer.accept()
        joined.expect("CONNECT⏎⏎OK⏎")
        for _ in range(2):
            joined.send("AT+CIPSTATUS")
            joined.match(r'STATUS:3\r\n\+CIPSTATUS:0,"TCP","127.0.0.1",\d+,\d+,0\r\n\r\nOK\r\n')
        joined.send("AT+CIPCLOSE")
        joined.expect("CLOSED⏎⏎OK⏎")
        peer.sock.close()
    peer.close()


@pytest.mark.parametrize("echo", [b"", b"AT\r\n"], ids=["without echo", "with echo"])
def test_reports_between_lines(joined, echo):
    """Data of a peer come all the while: none is lost, none stands inside of an answer or an echo."""
    peer = Peer()
    joined.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    joined.expect("CONNECT⏎⏎OK⏎")
    if echo:
        joined.command("ATE1")
    chance = random.Random(1)
    lines = 0
    sent = b""
    for _ in range(150):
        count = chance.randrange(4)
        data = bytes([65 + chance.randrange(26)]) * chance.randrange(300)
        peer.send(data)
        joined.write(b"AT\r\n" * count)
        lines += count
        sent += data
    joined.send("AT+CIPMODE?")
    said = b""
    while not said.endswith(b"+CIPMODE:0\r\n\r\nOK\r\n"):
        said += joined.take(1)
    got = b""
    while found := re.search(rb"\r\n\+IPD,(\d+):", said):
        assert re.fullmatch(rb"((AT\r\n)?(\r\nOK\r\n)?|AT\+CIPMODE\?\r\n)*", said[: found.start()]), said[:200]
        end = found.end() + int(found[1])
        got += said[found.end() : end]
        said, lines = said[end:], lines - said[: found.start()].count(b"\r\nOK\r\n")
    assert said.count(b"\r\nOK\r\n") == lines + 1
    rest = len(sent) - len(got)
    while rest:
        count = int(joined.match(r"\r\n\+IPD,(\d+):")[1])
        got += joined.take(count)
        rest -= count
    assert got == sent
    peer.close()


def test_passthrough_and_back(joined):
    peer = Peer()
    joined.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    joined.expect("CONNECT⏎⏎OK⏎")
    joined.command("AT+CIPMODE=1")
    for _ in range(3):
        joined.command("AT")
        joined.send("AT+CIPSEND")
        joined.expect("⏎OK⏎⏎>")
        joined.write(b"AT\r\n")
        assert peer.get(4) == b"AT\r\n"
        peer.send(b"there")
        joined.expect("there")
        joined.leave()
        for _ in range(3):
            joined.command("AT")
        peer.send(b"here")
        joined.expect("here")
    peer.close()
