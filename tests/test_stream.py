"""The console's stream parser and its text functions, fed with byte strings: no port, no module.
Every sequence is fed whole and byte by byte, since a serial line may cut it anywhere."""

from dataclasses import dataclass

import pytest
from mpyat.console_text import completions, readable, readable_rows, reminder, unescape
from mpyat.stream import Data, Line, Prompt, Raw, Stream


def line(text, kind="response", final=False):
    return Line(text, kind, final)


OK = line(b"OK", final=True)
ERROR = line(b"ERROR", "error", True)


@pytest.fixture(params=["whole", "bytewise"])
def feed(request):
    """Feeds bytes to a stream, in one piece or byte by byte, and returns the events."""

    def feed(stream, data):
        if request.param == "whole":
            return stream.feed(data)
        return [event for byte in data for event in stream.feed(bytes([byte]))]

    return feed


@pytest.mark.parametrize(
    ("sent", "received", "events"),
    [
        (b"AT", b"AT\r\n\r\nOK\r\n", [line(b"AT", "echo"), OK]),
        (b"AT", b"AT\r\r\n\r\nOK\r\n", [line(b"AT", "echo"), OK]),
        (b"AT", b"\r\nOK\r\n", [OK]),
        (
            b"AT+X",
            b"\r\nERR CODE:0x01090000\r\n\r\nERROR\r\n",
            [line(b"ERR CODE:0x01090000", "error"), ERROR],
        ),
        (b"AT+CWMODE?", b"+CWMODE:1\r\n\r\nOK\r\n", [line(b"+CWMODE:1"), OK]),
        (b"", b"\r\nready\r\n", [line(b"ready", "report")]),
        (b"", b"0,CONNECT\r\nCLOSED\r\n", [line(b"0,CONNECT", "report"), line(b"CLOSED", "report")]),
        (b"", b"WIFI GOT IP\r\n", [line(b"WIFI GOT IP", "report")]),
        (b"", b"\r\nbusy p...\r\n", [line(b"busy p...", "report")]),
        (
            b"",
            b'+LINK_CONN:0,1,"TCP",1,"1.2.3.4",5,6\r\n',
            [line(b'+LINK_CONN:0,1,"TCP",1,"1.2.3.4",5,6', "report")],
        ),
        (b"", b"+CWJAP:3\r\n\r\nERROR\r\n", [line(b"+CWJAP:3", "error"), ERROR]),
        (b"", b'+CWJAP:"a","b",6\r\n', [line(b'+CWJAP:"a","b",6')]),
        (b"", b"\r\nSEND FAIL\r\n", [line(b"SEND FAIL", "error", True)]),
        (b"", b"\x00\xffnoise\n", [line(b"\x00\xffnoise")]),
    ],
)
def test_lines(feed, sent, received, events):
    stream = Stream()
    stream.sent_line(sent)
    assert feed(stream, received) == events
    assert not stream.waiting
    assert stream.unfinished == b""


@pytest.mark.parametrize(
    ("received", "header"),
    [
        (b"\r\n+IPD,%d:%s", b"+IPD,%d:"),
        (b"\r\n+IPD,0,%d:%s", b"+IPD,0,%d:"),
        (b'\r\n+IPD,%d,"1.2.3.4",80:%s', b'+IPD,%d,"1.2.3.4",80:'),
        (b'\r\n+IPD,4,%d,"fe80::1",80:%s', b'+IPD,4,%d,"fe80::1",80:'),
        (b"\r\n+IPD,4,%d,1.2.3.4,80:%s", b"+IPD,4,%d,1.2.3.4,80:"),
    ],
)
@pytest.mark.parametrize("data", [b"", b"x", b"\r\nOK\r\n>+IPD,5:", bytes(range(256))])
def test_received_data(feed, received, header, data):
    """Data is taken by its length: whatever is in it, the lines around it stay lines."""
    stream = Stream()
    stream.sent_line(b"AT")
    received = received % (len(data), data)
    assert feed(stream, b"AT\r\n" + received + b"\r\nOK\r\n") == [
        line(b"AT", "echo"),
        Data(header % len(data), data, True),
        OK,
    ]


def test_passive_notice_has_no_data(feed):
    stream = Stream()
    assert feed(stream, b"\r\n+IPD,0,5\r\n\r\n+IPD,7\r\n") == [
        line(b"+IPD,0,5", "report"),
        line(b"+IPD,7", "report"),
    ]


def test_data_that_was_fetched(feed):
    stream = Stream()
    data = b'"1.2.3.4",80,\r\nOK\r\n'
    fetched = b"+CIPRECVDATA:%d,%s\r\nOK\r\n" % (len(data), data)
    assert feed(stream, fetched) == [Data(b"+CIPRECVDATA:%d," % len(data), data, False), OK]
    stream.sent_line(b"AT+CIPDINFO=1")
    assert feed(stream, b"\r\nOK\r\n") == [OK]
    fetched = b'+CIPRECVDATA:2,"1.2.3.4",80,\r\n\r\nOK\r\n'
    assert feed(stream, fetched) == [Data(b'+CIPRECVDATA:2,"1.2.3.4",80,', b"\r\n", False), OK]
    # A restart sets CIPDINFO back.
    assert feed(stream, b"\r\nready\r\n+CIPRECVDATA,2:\r\n") == [
        line(b"ready", "report"),
        Data(b"+CIPRECVDATA,2:", b"\r\n", False),
    ]


@pytest.mark.parametrize(
    ("command", "length"),
    [
        (b"AT+CIPSEND=5", 5),
        (b"at+cipsend=3,50", 50),
        (b'AT+CIPSEND=5,"host",80', 5),
        (b'AT+CIPSEND=3,50,"host",80', 50),
        (b"AT+CIPSENDL=0,70000", 70000),
        (b'AT+SYSFLASH=1,"client_cert",0,100', 100),
        (b'AT+FS=0,1,"name",100,10', 10),
        (b'AT+SYSMFG=2,"client_cert","client_cert.0",8,1164', 1164),
    ],
)
@pytest.mark.parametrize("prompt", [b"\r\nOK\r\n\r\n>", b"\r\nOK\r\n> "])
def test_sending(feed, command, length, prompt):
    stream = Stream()
    stream.sent_line(command)
    assert feed(stream, prompt[: prompt.index(b">")])[-1] == OK
    assert stream.waiting, "OK is not the end: the prompt is"
    assert feed(stream, prompt[prompt.index(b">") :]) == [Prompt(length)]
    assert (stream.waiting, stream.data_left) == (False, length)
    stream.sent_data(b"x" * (length - 1))
    assert (stream.waiting, stream.data_left) == (False, 1)
    stream.sent_data(b"x")
    assert (stream.waiting, stream.data_left) == (True, None)
    # Too much was sent: the complaint about it is not the result.
    assert feed(stream, b"\r\nbusy p...\r\n\r\nRecv %d bytes\r\n" % length)
    assert stream.waiting
    assert feed(stream, b"\r\nSEND OK\r\n") == [line(b"SEND OK", final=True)]
    assert not stream.waiting


def test_cancelled_data(feed):
    stream = Stream()
    stream.sent_line(b"AT+CIPSEND=5")
    feed(stream, b"\r\nOK\r\n\r\n>")
    stream.sent_escape()
    assert stream.waiting
    feed(stream, b"\r\nSEND Canceled\r\n")
    assert (stream.waiting, stream.data_left) == (False, None)


def test_refused_send(feed):
    stream = Stream()
    stream.sent_line(b"AT+CIPSEND=5")
    assert feed(stream, b"\r\nERROR\r\n") == [ERROR]
    assert not stream.waiting


@pytest.mark.parametrize(("data", "accepted"), [(rb"ab\0cd", 4), (rb"a\\0b", 5), (rb"a\\\0b", 5), (b"a" * 20, 10)])
def test_early_end(feed, data, accepted):
    r"""CIPSENDEX ends at \0, unless that backslash is escaped, or at its length."""
    stream = Stream()
    stream.sent_line(b"AT+CIPSENDEX=10")
    feed(stream, b"\r\nOK\r\n\r\n>")
    assert stream.accepts(data) == accepted
    stream.sent_data(data[:accepted])
    assert stream.waiting == (data != rb"a\\0b")


def test_passthrough(feed):
    stream = Stream()
    stream.sent_line(b"AT+CIPSEND")
    assert feed(stream, b"\r\nOK\r\n\r\n>") == [OK, Prompt(None)]
    assert stream.passthrough
    raw = b"\r\nready\r\n+IPD,5:>"
    events = feed(stream, raw)
    assert all(isinstance(event, Raw) for event in events)
    assert b"".join(event.data for event in events) == raw
    stream.sent_escape()
    stream.sent_line(b"AT")
    assert feed(stream, b"AT\r\n\r\nOK\r\n") == [line(b"AT", "echo"), OK]


def test_passthrough_from_the_start(feed):
    stream = Stream()
    stream.sent_line(b"AT+CIPSEND=5")
    assert feed(stream, b"\r\nready\r\n\r\n>x") == [line(b"ready", "report"), Prompt(None), Raw(b"x")]


@pytest.mark.parametrize("sent, answer", [(b"AT+RST", b""), (b"at+restore", b""), (b"AT+GSLP=100", b"100\r\n")])
def test_restart(feed, sent, answer):
    stream = Stream()
    stream.sent_line(sent)
    feed(stream, sent + b"\r\n" + answer + b"\r\nOK\r\n")
    assert stream.waiting
    assert feed(stream, b">\xffboot messages\r\n\r\nready\r\n")[-1] == line(b"ready", "report")
    assert (stream.waiting, stream.passthrough) == (False, False)


def test_the_prompt_of_micropython(feed):
    """Its `>>>` is none of the module's prompts; the start of the firmware ends it."""
    stream = Stream()
    stream.sent_line(b"AT+MPYREPL")
    said = feed(stream, b"AT+MPYREPL\r\n\r\nOK\r\nMicroPython v1\r\n>>> 1+1\r\n2\r\n>>> x\r\nready\r\n")
    assert (
        b"".join(event.data for event in said if isinstance(event, Raw)) == b"MicroPython v1\r\n>>> 1+1\r\n2\r\n>>> x"
    )
    assert said[-1] == line(b"ready", "report")
    assert not (stream.python or stream.passthrough or stream.waiting)
    # What it refuses stays as it was.
    stream.sent_line(b"AT+MPYREPL")
    feed(stream, b"AT+MPYREPL\r\n\r\nERROR\r\n")
    assert not stream.python


def test_line_during_a_command(feed):
    stream = Stream()
    stream.sent_line(b'AT+CIPSTART="TCP","host",80')
    stream.sent_line(b"AT+RST=")
    feed(stream, b"\r\nbusy p...\r\n")
    assert stream.waiting
    feed(stream, b"CONNECT\r\n\r\nOK\r\n")
    assert not stream.waiting


def test_endless_line_is_given_out(feed):
    assert feed(Stream(), b"\xff" * 4096) == [line(b"\xff" * 4096)]


def test_readable():
    assert readable(b"a\r\n\t\\\x00\xff\x1b[m \xc3\xa9") == r"a\r\n\t\\\x00\xff\x1b[m é"
    assert readable_rows(b"a\r\nb\n\nc") == [r"a\r\n", r"b\n", r"\n", "c"]


def test_unescape():
    every_byte = bytes(range(256))
    assert unescape("".join(f"\\x{byte:02x}" for byte in every_byte)) == every_byte
    assert unescape(r"\r\n\t\0\\é") == b"\r\n\t\0\\\xc3\xa9"
    assert unescape(readable(every_byte)) == every_byte
    for wrong in ("\\", "\\q", "\\x1", "\\xgg"):
        with pytest.raises(ValueError, match="no escape"):
            unescape(wrong)


@dataclass(frozen=True)
class _Command:
    full_name: str
    help: str
    forms: frozenset
    lines: tuple = ()

    def usage(self):
        return list(self.lines)


_COMMANDS = [
    _Command("AT", "answers OK", frozenset({"execute"})),
    _Command("AT+CIPMUX", "several links", frozenset({"set", "query", "test"}), ("AT+CIPMUX=<mode 0-1>",)),
    _Command(
        "AT+CIP", "made up", frozenset({"set"}), ('AT+CIP=<link 0-4>,<a "x,y">,[<b 0-1>]=0,<c 0-2>', "AT+CIP=<d 1-2>")
    ),
]


def test_completions():
    assert completions("at+cipm", _COMMANDS) == [("AT+CIPMUX", "several links")]
    assert [name for name, _ in completions("AT+CIP", _COMMANDS)] == ["AT+CIP=", "AT+CIPMUX"]
    assert [name for name, _ in completions("AT+CIPMUX", _COMMANDS)] == [
        "AT+CIPMUX=",
        "AT+CIPMUX?",
        "AT+CIPMUX=?",
    ]
    assert [name for name, _ in completions("A", _COMMANDS)] == ["AT", "AT+CIPMUX", "AT+CIP"]
    assert completions("AT+CIPMUX=", _COMMANDS) == completions("", _COMMANDS) == completions("hello", _COMMANDS) == []


@pytest.mark.parametrize(
    ("text", "current"),
    [
        ("AT+CIP", []),
        ("AT+CIP=?", []),
        ("AT+CIP=", ['<a "x,y">,', "<d 1-2>"]),
        ('at+cip="q,\\",r', ['<a "x,y">,', "<d 1-2>"]),
        ('AT+CIP="q,r",', ["[<b 0-1>]=0,"]),
        ("AT+CIP=1,,", ["<c 0-2>"]),
        ("AT+CIP=1,2,3,", []),
    ],
)
def test_reminder(text, current):
    rows = reminder(text, _COMMANDS, links=False, width=80)
    assert ["".join(part for _, part in row) for row in rows] == [
        'AT+CIP=<a "x,y">,[<b 0-1>]=0,<c 0-2>',
        "AT+CIP=<d 1-2>",
    ]
    assert [part for row in rows for style, part in row if style == "class:current"] == current


def test_reminder_with_a_link_and_in_a_narrow_terminal():
    rows = reminder("AT+CIP=1,", _COMMANDS, links=True, width=24)
    assert ["".join(part for _, part in row) for row in rows] == [
        "AT+CIP=<link 0-4>,",
        '    <a "x,y">,',
        "    [<b 0-1>]=0,<c 0-2>",
        "AT+CIP=<d 1-2>",
    ]
    assert [part for row in rows for style, part in row if style == "class:current"] == ['<a "x,y">,']


def test_reminder_without_parameters():
    assert reminder("AT", _COMMANDS, False, 80) == [[("", "AT  answers OK")]]
    assert reminder("AT+NOSUCH=", _COMMANDS, False, 80) == []
