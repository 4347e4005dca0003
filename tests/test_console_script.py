"""The console for real, with a script as its input: on a pseudo-terminal with a scripted module behind it, and on a
simulator with the firmware."""

import re
import select
import time

import pytest
from console_user import Script


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
