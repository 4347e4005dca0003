"""The Basic chapter: each command in each of its forms, and the restart.
Where the two chips differ, both are there."""

import socket
import time

import pytest
from mpyat import catalog
from transcript import play as play_transcript

BOARDS = ("esp32", "esp8266")
UNUSABLE = '[[ap]]\nssid = "slow"\ndhcp = false\n'
# What a host does once the module has started anew.
RESTARTED = """
    > ATE0
    < ATE0⏎⏎OK⏎
"""
RESTART = "> AT+RST\n < ⏎OK⏎⏎ready⏎" + RESTARTED


def test_at(play):
    play("""
        > AT
        < ⏎OK⏎
        > AT?
        < ⏎ERROR⏎
        > AT=1
        < ⏎ERROR⏎
        > AT=?
        < ⏎ERROR⏎
    """)


def test_echo(play):
    play("""
        > ATE1
        < ⏎OK⏎
        > ATE1
        < ATE1⏎⏎OK⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > ATE0
        < ⏎OK⏎
        > ATE0?
        < ⏎ERROR⏎
    """)


@pytest.mark.parametrize("board, compat, chip", [("esp32", "4.1.0.0", "ESP32"), ("esp8266", "2.3.0.0", "ESP8266")])
def test_gmr(start, board, compat, chip):
    module = start("--board", board)
    module.send("AT+GMR")
    found = module.match(
        rf"AT version:{compat}\(([0-9a-f]{{7}}) - {chip} - (\w{{3}} \d\d \d{{4}} \d\d:\d\d:\d\d)\)\r\n"
        r"SDK version:v\d+\.\d+\.\d+\r\n"
        r"compile time\(([0-9a-f]{7})\):(\w{3} \d\d \d{4} \d\d:\d\d:\d\d)\r\n"
        rf"Bin version:\d+\.\d+\.\d+\({chip}\)\r\n"
        r"\r\nOK\r\n"
    )
    assert found[1] == found[3]
    assert found[2] == found[4]
    module.settled()


@pytest.mark.parametrize("board", BOARDS)
def test_cmd_lists_every_command(start, board):
    module = start("--board", board)
    module.send("AT+CMD?")
    for number, command in enumerate(catalog.load(board=board)):
        forms = ",".join(str(int(form in command.forms)) for form in catalog.FORMS)
        module.expect(f'+CMD:{number},"{command.full_name}",{forms}⏎')
    module.expect("⏎OK⏎")
    module.settled()


@pytest.mark.parametrize("board", BOARDS)
def test_sysram(start, board):
    module = start("--board", board)
    for _ in range(2):
        module.send("AT+SYSRAM?")
        found = module.match(r"\+SYSRAM:(\d+),(\d+)\r\n\r\nOK\r\n")
        assert 0 < int(found[2]) <= int(found[1])
    module.settled()


def test_syslog(play):
    play(
        """
        > AT+SYSLOG?
        < +SYSLOG:0⏎⏎OK⏎
        > AT+SYSLOG=?
        < +SYSLOG:<status>(0-1)⏎⏎OK⏎
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+SYSLOG?
        < +SYSLOG:1⏎⏎OK⏎
        > AT+SYSLOG
        < ERR CODE:0x010c0000⏎⏎ERROR⏎
        """
        + RESTART
        + """
        > AT+SYSLOG?
        < +SYSLOG:0⏎⏎OK⏎
        """
    )


def test_sysstore(play):
    play("""
        > AT+SYSSTORE?
        < +SYSSTORE:1⏎⏎OK⏎
        > AT+SYSSTORE=?
        < +SYSSTORE:<mode>(0-1)⏎⏎OK⏎
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+SYSSTORE?
        < +SYSSTORE:0⏎⏎OK⏎
        > AT+SYSSTORE=2
        < ⏎ERROR⏎
        > AT+SYSSTORE
        < ⏎ERROR⏎
    """)


def test_sysmsg(play):
    play("""
        > AT+SYSMSG?
        < +SYSMSG:0⏎⏎OK⏎
        > AT+SYSMSG=7
        < ⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:7⏎⏎OK⏎
        > AT+SYSMSG=8
        < ⏎ERROR⏎
        > AT+SYSMSG?
        < +SYSMSG:7⏎⏎OK⏎
    """)


@pytest.mark.parametrize("pace", [(), ("--pace",)], ids=["plain", "paced"])
@pytest.mark.parametrize("board", BOARDS)
def test_uart(start, board, pace):
    play_transcript(
        start("--board", board, *pace),
        """
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART_DEF?
        < +UART_DEF:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART_CUR=?
        < +UART_CUR:<baud>(80-5000000),<bits>(5-8),<stop>(1-3),<parity>(0-2),<flow>(0-3)⏎⏎OK⏎
        > AT+UART_CUR=115200,8,1,0,0
        < ⏎OK⏎
        > AT+UART_CUR=9600,7,3,2,0
        < ⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:9600,7,3,2,0⏎⏎OK⏎
        > AT+UART_DEF?
        < +UART_DEF:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART_CUR=4500000,8,1,1,0
        < ⏎OK⏎
        > AT+UART_CUR
        < ⏎ERROR⏎
        """
        + RESTART
        + """
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,0⏎⏎OK⏎
        """,
    )


@pytest.mark.parametrize("board", BOARDS)
def test_uart_def(start, board):
    module = start("--board", board)
    # SYSSTORE has no say in this one.
    play_transcript(
        module,
        """
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+UART_DEF=57600,8,3,1,0
        < ⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:57600,8,3,1,0⏎⏎OK⏎
        > AT+UART_DEF=9600,8,2,0,0
        < ⏎ERROR⏎
        """
        + RESTART
        + """
        > AT+UART_DEF?
        < +UART_DEF:57600,8,3,1,0⏎⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:57600,8,3,1,0⏎⏎OK⏎
        """,
    )


def test_uart_refusals_of_the_esp8266(start):
    play_transcript(
        start("--board", "esp8266"),
        """
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+UART_CUR=4500001,8,1,0,0
        < ERR CODE:0x01070000⏎⏎ERROR⏎
        > AT+UART_CUR=115200,8,2,0,0
        < ERR CODE:0x01070002⏎⏎ERROR⏎
        # It has neither RTS nor CTS.
        > AT+UART_CUR=115200,8,1,0,1
        < ERR CODE:0x01070004⏎⏎ERROR⏎
        > AT+UART_CUR=115200,8,1,0,3
        < ERR CODE:0x01070004⏎⏎ERROR⏎
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,0⏎⏎OK⏎
        """,
    )


def test_uart_refusals_of_the_esp32(start):
    play_transcript(
        start("--board", "esp32"),
        """
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+UART_CUR=5000000,8,1,0,3
        < ⏎OK⏎
        > AT+UART_CUR=115200,8,2,0,0
        < ERR CODE:0x01070002⏎⏎ERROR⏎
        > AT+UART_CUR=115200,8,1,3,0
        < ERR CODE:0x01070003⏎⏎ERROR⏎
        > AT+UART_CUR=115200,8,1,0
        < ERR CODE:0x01060504⏎⏎ERROR⏎
        > AT+UART_CUR?
        < +UART_CUR:5000000,8,1,0,3⏎⏎OK⏎
        """,
    )


@pytest.mark.parametrize("board", BOARDS)
def test_rst(start, board):
    play_transcript(
        start("--board", board),
        """
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        # Echo is on again, and what is not saved is as it was.
        > AT+CIPMUX?
        < AT+CIPMUX?⏎+CIPMUX:0⏎⏎OK⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+SYSSTORE?
        < +SYSSTORE:1⏎⏎OK⏎
        """,
    )


def test_ok_has_left_well_before_ready(module):
    """Who is late in reading the OK sees less time pass, so the longest of some counts."""
    passed = []
    for line in ("AT+RST", "AT+RST", "AT+RESTORE", "AT+RST"):
        module.write(line.encode() + b"\n")
        module.match(r".*?\r\nOK\r\n")
        began = time.monotonic()
        module.expect("⏎ready⏎")
        passed.append(time.monotonic() - began)
    assert max(passed) >= 0.010, passed
    assert min(passed) <= 1.5, passed


def test_rst_ends_a_command_that_waits(start):
    play_transcript(
        start(wifi=UNUSABLE),
        """
        > AT+CWJAP="slow",,,,,,,600
        > AT
        < ⏎busy p...⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        """
        + RESTARTED
        # What did not end well was not saved.
        + """
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        """,
    )


# Each of them waits for somebody who never answers; {full} is the port of a server that takes nobody.
WAITING = [
    'AT+CIPDOMAIN="nobody.example"',
    'AT+PING="nobody.example"',
    'AT+CIPSTART="TCP","nobody.example",80',
    'AT+CIPSTART="UDP","nobody.example",80',
    'AT+CIPSTART="TCP","127.0.0.1",{full}',
    'AT+CWJAP="slow",,,,,,,600',
]


@pytest.mark.parametrize("board", BOARDS)
def test_rst_during_anything(start, board):
    """Whatever waits is ended, and nothing of it is there after the restart."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, socket.socket() as full:
        silent.bind(("127.0.0.1", 0))
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        # One connection fills the queue of a listener that accepts none; those behind it get no answer.
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        network = f'[[ap]]\nssid = "good"\ndns = "127.0.0.1:{silent.getsockname()[1]}"\n'
        module = start("--board", board, wifi=network + UNUSABLE)
        module.send('AT+CWJAP="good"')
        module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
        for line in WAITING:
            module.send(line.replace("{full}", str(full.getsockname()[1])))
            module.send("AT")
            module.match(r"(WIFI DISCONNECT\r\n)?\r\nbusy p\.\.\.\r\n")
            play_transcript(module, "> AT+RST\n < ⏎OK⏎⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎" + RESTARTED)
            play_transcript(module, "> AT+CIPSTATE?\n < ⏎OK⏎")
        for filler in fillers:
            filler.close()


def test_lines_behind_rst_get_no_answer(module):
    module.write(b"AT+RST\r\nAT+CWMODE?\r\n")
    module.expect("⏎OK⏎")
    module.match(r"(\r\nbusy p...\r\n)?\r\nready\r\n")
    module.send("AT")
    module.expect("AT⏎⏎OK⏎")


def test_sysram_with_capabilities(start, board):
    """Largest free block, free, least free and all bytes, in the order of the manual at HEAD."""
    module = start("--board", board)
    module.send("AT+SYSRAM=0x1800")
    largest, free, least, whole = map(int, module.match(r"\+SYSRAM:(\d+),(\d+),(\d+),(\d+)⏎⏎OK⏎").groups())
    assert 1024 < largest <= free < whole and 0 < least <= free
    if board == "esp32":
        # No memory of the chip can do this.
        module.send("AT+SYSRAM=0x40000000")
        module.expect("+SYSRAM:0,0,0,0⏎⏎OK⏎")
    for wrong in ("-1", "x", "4294967296", "", "1,1"):
        module.send(f"AT+SYSRAM={wrong}")
        module.expect("⏎ERROR⏎")
