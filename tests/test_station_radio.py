"""How the station's radio is set, what a scan shows, and the commands of the manual that no port of MicroPython can do.
What must be there after a restart is asked for after one."""

import pytest
from networks import ECHO, RESTART, TOWN
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])


@BOARDS
def test_cwstaproto(start, board):
    """Long range is a matter of the ESP32."""
    far = "⏎OK⏎" if board == "esp32" else "⏎ERROR⏎"
    play_transcript(
        start("--board", board),
        f"""
        > AT+CWSTAPROTO?
        < +CWSTAPROTO:7⏎⏎OK⏎
        > AT+CWSTAPROTO=15
        < {far}
        > AT+CWSTAPROTO=1
        < ⏎OK⏎
        > AT+CWSTAPROTO?
        < +CWSTAPROTO:1⏎⏎OK⏎
        > AT+CWSTAPROTO=3
        < ⏎OK⏎
        > AT+CWSTAPROTO=2
        < ⏎ERROR⏎
        > AT+CWSTAPROTO=5
        < ⏎ERROR⏎
        > AT+CWSTAPROTO=0
        < ⏎ERROR⏎
        {RESTART}{ECHO}
        > AT+CWSTAPROTO?
        < +CWSTAPROTO:3⏎⏎OK⏎
        > AT+CWMODE=0
        < ⏎OK⏎
        > AT+CWSTAPROTO?
        < ⏎ERROR⏎
        > AT+CWSTAPROTO=7
        < ⏎ERROR⏎
        """,
    )


def test_cwbandwidth(play):
    play(f"""
        > AT+CWBANDWIDTH?
        < +CWBANDWIDTH:0,2,0⏎⏎OK⏎
        > AT+CWBANDWIDTH=1,1
        < ⏎ERROR⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWBANDWIDTH=1,1
        < ⏎OK⏎
        > AT+CWBANDWIDTH?
        < +CWBANDWIDTH:0,2,0⏎+CWBANDWIDTH:1,1,0⏎⏎OK⏎
        > AT+CWBANDWIDTH=0,1,0
        < ⏎OK⏎
        > AT+CWBANDWIDTH=1,2
        < ⏎OK⏎
        > AT+CWBANDWIDTH=1,0
        < ⏎OK⏎
        > AT+CWBANDWIDTH=0,1,1
        < ⏎ERROR⏎
        > AT+CWBANDWIDTH=0,3
        < ⏎ERROR⏎
        > AT+CWBANDWIDTH=2,1
        < ⏎ERROR⏎
        {RESTART}{ECHO}
        > AT+CWBANDWIDTH?
        < +CWBANDWIDTH:0,1,0⏎+CWBANDWIDTH:1,2,0⏎⏎OK⏎
    """)


def test_what_only_the_esp32_has(start):
    """The neighbours of these commands are there, and loading them does not bring these."""
    play_transcript(
        start("--board", "esp8266"),
        """
        > AT+CWSTAPROTO?
        < +CWSTAPROTO:7⏎⏎OK⏎
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CWAPPROTO?
        < ERR CODE:0x01090000⏎⏎ERROR⏎
        > AT+CWBANDWIDTH?
        < ERR CODE:0x01090000⏎⏎ERROR⏎
        """,
    )


@BOARDS
def test_cwinit(start, board):
    play_transcript(
        start("--board", board),
        """
        > AT+CWINIT?
        < +CWINIT:1⏎⏎OK⏎
        > AT+CWINIT=1
        < ⏎OK⏎
        > AT+CWINIT=0
        < ⏎ERROR⏎
        """,
    )


def test_what_no_port_can_do(play):
    """These are commands of the manual, and ERROR."""
    lines = ["> AT+SYSLOG=1", "< ⏎OK⏎"]
    for line in (
        "CWSTARTSMART",
        "CWSTARTSMART=3",
        "CWSTOPSMART",
        "WPS=1",
        'CWJEAP="dlink11111",1,"example@espressif.com","espressif","test11",0',
        'CWDHCPS=1,3,"192.168.4.10","192.168.4.15"',
        "CWDHCPS?",
        'CWCOUNTRY=1,"CN",1,13',
        "CWCONFIG?",
    ):
        lines += [f"> AT+{line}", "< ERR CODE:0x01090000⏎⏎ERROR⏎"]
    play("\n".join(lines))


@BOARDS
def test_cwlapopt(start, board):
    play_transcript(
        start("--board", board, wifi=TOWN),
        r"""
        > AT+CWLAPOPT=1,31
        < ⏎OK⏎
        > AT+CWLAP="free"
        < +CWLAP:(0,"free",-50,"02:00:00:00:00:03",1)⏎⏎OK⏎
        > AT+CWLAPOPT=1,31,-100,1
        < ⏎OK⏎
        > AT+CWLAP
        < +CWLAP:(0,"free",-50,"02:00:00:00:00:03",1)⏎⏎OK⏎
        > AT+CWLAPOPT=,2,-60,0x18
        < ⏎OK⏎
        > AT+CWLAP
        < +CWLAP:("home")⏎+CWLAP:("home")⏎+CWLAP:("a,b"c\d")⏎⏎OK⏎
        > AT+CWLAPOPT=1,0x414
        < ⏎OK⏎
        > AT+CWLAP=,,,,,,0x800
        < +CWLAP:(-30,11,0)⏎⏎OK⏎
        > AT+CWLAP=,,,,,,0x2008
        < +CWLAP:(-60,3,0)⏎+CWLAP:(-90,13,0)⏎⏎OK⏎
        # A channel counts more than a map of channels.
        > AT+CWLAP=,,11,,,,0x2008
        < +CWLAP:(-30,11,0)⏎⏎OK⏎
        > AT+CWLAPOPT=1,0
        < ⏎OK⏎
        > AT+CWLAP="free"
        < +CWLAP:()⏎⏎OK⏎
        > AT+CWLAPOPT=1,2048
        < ⏎ERROR⏎
        > AT+CWLAPOPT=1,1,41
        < ⏎ERROR⏎
        > AT+CWLAPOPT=1
        < ⏎ERROR⏎
        > AT+CWLAPOPT=0,0x7FF
        < ⏎OK⏎
        > AT+CWLAP="home",,6
        < +CWLAP:(3,"home",-40,"02:00:00:00:00:01",6,-1,-1,7,7,0,0)⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwlap_in_the_order_of_the_scan(start, board):
    """The ESP32's port sorts by itself, the ESP8266's does not."""
    names = {"esp32": ["b", "a"], "esp8266": ["a", "b"]}[board]
    first, second = (f'+CWLAP:("{name}")⏎' for name in names)
    play_transcript(
        start("--board", board, wifi='[[ap]]\nssid = "a"\nrssi = -90\n[[ap]]\nssid = "b"\nrssi = -20\n'),
        f"""
        > AT+CWLAPOPT=0,2
        < ⏎OK⏎
        > AT+CWLAP
        < {first}{second}⏎OK⏎
        > AT+CWLAPOPT=1,2
        < ⏎OK⏎
        > AT+CWLAP
        < +CWLAP:("b")⏎+CWLAP:("a")⏎⏎OK⏎
        """,
    )
