"""What host drivers in wide use send at start-up, and how they go on: an ERROR to one of these lines stops some."""

import pytest
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])

SENT = """
    AT
    ATE0
    AT+GMR
    AT+RFPOWER=40
    AT+CWMODE=3,1
    AT+CWDHCP?
    AT+CWDHCP=1,3
    AT+CWLAPOPT=1,0x7FF
    AT+CIPAP?
    AT+CIPAPMAC?
    AT+CIPSTAMAC?
    AT+SYSMSG=7
    AT+SYSLOG=1
    AT+SYSSTORE=0
    AT+CWAUTOCONN=0
    AT+UART_CUR=115200,8,1,0,0
    AT+UART_CUR?
    AT+CWSTATE?
    AT+CIPSTA?
    AT+CIPDINFO=1
    AT+CIPMUX=1
    AT+CIPSSLSIZE=2048
    AT+CIPSSLSIZE=4096
    AT+CIPCLOSEMODE=0,1
    AT+CIPSTO=0
    AT+CIPSTATUS
    AT+CWQAP
    AT+SYSTIMESTAMP?
"""
START_UP = SENT.split()


@pytest.mark.parametrize("line", START_UP)
@BOARDS
def test_each_line_is_accepted(start, board, line):
    module = start("--board", board)
    module.send(line)
    module.match(r"([+A-Za-z][^\r\n]*\r\n)*\r\nOK\r\n")
    module.settled()


@BOARDS
def test_all_lines_after_one_another(start, board):
    module = start("--board", board)
    for line in START_UP:
        module.send(line)
        module.match(r"([+A-Za-z][^\r\n]*\r\n)*\r\nOK\r\n")
    module.settled()


@BOARDS
def test_a_driver_that_restarts_the_module_first(start, board):
    module = start("--board", board, ready=False)
    module.expect("⏎ready⏎")
    play_transcript(
        module,
        r"""
        > AT+RST
        < AT+RST⏎⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWMODE=1
        < ⏎OK⏎
        > AT+GMR
        ~ AT version:\d\.\d\.\d\.\d\(.*?⏎Bin version:.*?⏎⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIFSR
        ~ \+CIFSR:STAIP,"127\.0\.0\.1"⏎\+CIFSR:STAMAC,"[0-9a-f:]{17}"⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        """,
    )


@BOARDS
def test_a_driver_that_stores_nothing(start, board):
    play_transcript(
        start("--board", board),
        r"""
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+CWMODE=1
        < ⏎OK⏎
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        ~ \+CWJAP:"mpy-at","[0-9a-f:]{17}",6,-40,0,1,3,0,0⏎⏎OK⏎
        > AT+CIPSTA?
        ~ \+CIPSTA:ip:"127\.0\.0\.1"⏎.*?⏎⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:2⏎⏎OK⏎
        peer web
        > AT+CIPSTART=0,"TCP","127.0.0.1",{web},120
        < 0,CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPSTATUS
        ~ STATUS:3⏎\+CIPSTATUS:0,"TCP","127\.0\.0\.1",{web},\d+,0⏎⏎OK⏎
        > AT+CIPCLOSE=0
        < 0,CLOSED⏎⏎OK⏎
        web ended
        > AT+CIPCLOSE=0
        < ⏎ERROR⏎
        """,
    )


@pytest.mark.roomy(reason="the MicroPython for 32 bits knows no keep-alive")
@BOARDS
def test_a_driver_that_finds_the_module_as_the_last_one_left_it(start, board):
    """Echo is off, links are numbered, the network is joined, half a line has been sent."""
    play_transcript(
        start("--board", board),
        r"""
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        >> AT+CIPSTA
        # Now the new one.
        >> \r\n
        < ⏎ERROR⏎
        > ATE0
        < ⏎OK⏎
        > AT+CIPMUX=0
        < ⏎OK⏎
        > AT+CWMODE=1,1
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web},120
        < CONNECT⏎⏎OK⏎
        """,
    )


@BOARDS
def test_odd_arguments(start, board):
    """As drivers in wide use spell them: an empty local port, an unused one, links that only receive, a keep-alive."""
    play_transcript(
        start("--board", board),
        r"""
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        udp a
        free p
        > AT+CIPSTARTEX="UDP","127.0.0.1",{a},,0
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=2
        < ⏎OK⏎⏎>
        >> hi
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        a gets hi
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{p}
        < CONNECT⏎⏎OK⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=4,"UDP","0.0.0.0",{p},{p},2
        < 4,CONNECT⏎⏎OK⏎
        a faces {p}
        a sends one
        < ⏎+IPD,4,3:one
        > AT+CIPCLOSE=4
        < 4,CLOSED⏎⏎OK⏎
        > AT+CIPSTART=0,"UDP","0",0,{p},2
        < 0,CONNECT⏎⏎OK⏎
        a sends two
        < ⏎+IPD,0,3:two
        > AT+CIPCLOSE=0
        < 0,CLOSED⏎⏎OK⏎
        > ?
        < ⏎ERROR⏎
        > AT+CIPCLOSE=0
        < ⏎ERROR⏎
        """,
    )


@BOARDS
def test_a_driver_of_1_7(start, board):
    """It knows the module by its old names, saves nothing, and asks for whatever it has set."""
    play_transcript(
        start("--board", board),
        r"""
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+UART_CUR=115200,8,1,0,0
        < ⏎OK⏎
        > AT+CWMODE_CUR=1
        < ⏎OK⏎
        > AT+CWMODE_DEF?
        < +CWMODE_DEF:1⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPSSLSIZE=4096
        < ⏎OK⏎
        > AT+CIPCLOSEMODE=0,1
        < ⏎OK⏎
        > AT+CIPDNS_CUR=0
        < ⏎OK⏎
        > AT+CWJAP_CUR="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP_CUR?
        ~ \+CWJAP_CUR:"mpy-at","[0-9a-f:]{17}",6,-40,.*?⏎⏎OK⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWJAP_DEF?
        < ⏎OK⏎
        """,
    )


def test_a_driver_that_asks_until_the_module_answers(start):
    """It begins before the module has started; what it sends by then may be lost, but not understood by halves."""
    module = start(ready=False)
    module.write(b"AT\r\n")
    module.expect("⏎ready⏎")
    module.send("ATE0")
    module.match(r"(AT\r\n\r\nOK\r\n|\r?\n|[AT]+\r\n\r\nERROR\r\n)?ATE0\r\n\r\nOK\r\n")
    module.settled()
