"""AT+SYSMSGFILTER: reports that the host does not want to see, by regular expressions; answers and data always come."""

import pytest
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
JOIN = '> AT+CWJAP="mpy-at","12345678"\n'


def configure(module, operator, head=b"", tail=b"", cflags=0, answer="OK"):
    module.send(f"AT+SYSMSGFILTERCFG={operator},{len(head)},{len(tail)},{cflags}")
    module.expect("⏎OK⏎⏎>")
    module.write(head + tail)
    module.expect(f"⏎{answer}⏎")


@BOARDS
def test_sysmsgfilter(start, board):
    """The manual's example: no WIFI CONNECTED."""
    module = start("--board", board)
    configure(module, 1, b"^WIFI CONNECTED\r\n")
    play_transcript(
        module,
        """
        > AT+SYSMSGFILTER?
        < +SYSMSGFILTER:0⏎⏎OK⏎
        > AT+SYSMSGFILTER=1
        < ⏎OK⏎
        > AT+SYSMSGFILTER?
        < +SYSMSGFILTER:1⏎⏎OK⏎
        > AT+CWMODE=1
        < ⏎OK⏎
        """
        + JOIN
        + """
        < WIFI GOT IP⏎⏎OK⏎
        > AT+SYSMSGFILTERCFG?
        < +SYSMSGFILTERCFG:1,"^WIFI CONNECTED⏎","",0⏎⏎OK⏎
        """,
    )
    configure(module, 2, b"^WIFI CONNECTED\r\n")
    play_transcript(module, JOIN + "< WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    configure(module, 1, b"^WIFI CONNECTED\r\n")
    play_transcript(
        module, "> AT+SYSMSGFILTER=0\n < ⏎OK⏎\n" + JOIN + "< WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎"
    )


def test_head_and_tail(start):
    """What stands between them comes, of the first filter that matches with both."""
    module = start()
    module.command("AT+SYSMSGFILTER=1")
    configure(module, 1, b"^WIFI ", b"ED\r\n$")
    configure(module, 1, b"", b" IP\r\n$")
    play_transcript(module, JOIN + "< CONNECTWIFI GOT⏎OK⏎")
    # Answers and what a command prints are no reports.
    play_transcript(module, "> AT+CIPSTA?\n ~ \\+CIPSTA:ip:.*?⏎⏎OK⏎\n > AT+SYSMSGFILTERCFG=0\n < ⏎OK⏎")
    play_transcript(
        module, "> AT+SYSMSGFILTERCFG?\n < ⏎OK⏎\n" + JOIN + "< WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎"
    )


@pytest.mark.parametrize(
    "expression, extended, hides",
    [
        (b"^WIFI (CONNECTED|GOT IP)\r\n", 1, True),
        (b"^WIFI (CONNECTED|GOT IP)\r\n", 0, False),
        (b"^WIFI \\(CONNECTED\\|GOT IP\\)\r\n", 0, True),
        (b"^[A-Z ]+\r\n$", 1, True),
        (b"^[A-Z ]+\r\n$", 0, False),
        (b"^[A-Z ]\\+\r\n$", 0, True),
        (b"^[A-Z ]*\r\n$", 0, True),
        (b"^W...\\.*\r\n$", 0, False),
        (b"^[]A-Z\\ ]*\r\n$", 0, True),
        # 2: in any case.
        (b"^wifi (connected|got ip)\r\n", 3, True),
        (b"^wifi (connected|got ip)\r\n", 1, False),
        (b"^[a-z ]+\r\n$", 3, True),
        (b"^[^a-z]+\r\n$", 3, False),
    ],
)
def test_expressions(start, expression, extended, hides):
    module = start()
    module.command("AT+SYSMSGFILTER=1")
    configure(module, 1, expression, cflags=extended)
    play_transcript(module, JOIN + f"< {'' if hides else 'WIFI CONNECTED⏎WIFI GOT IP⏎'}⏎OK⏎")


@BOARDS
@pytest.mark.parametrize("place", ["head", "tail"])
def test_what_cannot_be_matched(start, board, place):
    """MicroPython gives up on this expression with a RuntimeError, whatever the text: then all of it comes."""
    module = start("--board", board)
    module.command("AT+SYSMSGFILTER=1")
    configure(module, 1, **{place: b"(x*)*y"}, cflags=1)
    configure(module, 1, b"^WIFI.*")
    play_transcript(module, JOIN + "< WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    configure(module, 2, **{place: b"(x*)*y"}, cflags=1)
    play_transcript(module, JOIN + "< ⏎OK⏎")


@pytest.mark.parametrize(
    "head, tail, cflags, left",
    [
        (b"^+IPD.*", b"", 4, "\\n"),
        (b"^+IPD.*", b"", 0, "⏎+IPD,3⏎"),
        (b"^+ipd,[^9]*", b"", 6, "\\n"),
        (b"^\r$", b"3\r$", 4, "\\n+IPD,"),
        (b"^\r$", b"3\r$", 0, "⏎+IPD,3⏎"),
        (b"", b"\r\n$", 0, "⏎+IPD,3"),
    ],
)
def test_lines_of_a_report(online, head, tail, cflags, left):
    """4: ^ and $ stand for begin and end of each line, and a dot is not the end of a line."""
    online.command("AT+CIPRECVMODE=1")
    configure(online, 1, head, tail, cflags)
    play_transcript(
        online,
        f"""
        > AT+SYSMSGFILTER=1
        < ⏎OK⏎
        peer web
        link web
        web sends abc
        < {left}
        """,
    )


def test_what_is_refused(start):
    module = start()
    configure(module, 1, b"^(", cflags=1, answer="ERROR")
    configure(module, 1, b"^[a", answer="ERROR")
    configure(module, 1, b"^[a", cflags=3, answer="ERROR")
    configure(module, 2, b"^x", answer="ERROR")
    configure(module, 1, b"^x")
    configure(module, 2, b"^x", cflags=1, answer="ERROR")
    configure(module, 2, b"", b"^x", answer="ERROR")
    configure(module, 2, b"^x")
    for wrong in ("1", "1,0,0", "1,65,0", "1,0,65", "2,,", "3,1,1", "1,1,1,8"):
        module.send(f"AT+SYSMSGFILTERCFG={wrong}")
        module.expect("⏎ERROR⏎")
    module.settled()
