"""The bytes in which ESP-AT 2.3, which an ESP8266 speaks, differs from 4.1, which an ESP32 speaks. Each case runs on
both boards."""

import pytest
from clients import Client, Door, full_listener
from privileges import pings
from transcript import play


@pytest.fixture
def module(joined):
    return joined


@pytest.fixture
def old(board):
    """Whether it is 2.3."""
    return board == "esp8266"


def test_connecting_on_a_link_in_use(module, old):
    before = "ALREADY CONNECTED⏎" if old else ""
    play(
        module,
        f"""
        peer web
        udp a
        link web
        > AT+CIPSTART="TCP","127.0.0.1",{{web}}
        < {before}⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{{a}}
        < {before}⏎ERROR⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{{web}}
        < {before}⏎ERROR⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        """,
    )


def test_server(module, old):
    more = "" if old else ",0"
    play(
        module,
        f"""
        door d
        door e
        > AT+CIPSERVER=0
        < ⏎OK⏎
        > AT+CIPSERVER=0,1
        < ⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{{d}}
        < ⏎OK⏎
        > AT+CIPSERVER?
        < +CIPSERVER:1,{{d}},"TCP",0{more}⏎⏎OK⏎
        # The same again is no fault for 2.3.
        > AT+CIPSERVER=1,{{d}}
        < ⏎{"OK" if old else "ERROR"}⏎
        > AT+CIPSERVER=1,{{e}}
        < ⏎ERROR⏎
        > AT+CIPSERVER=1,{{d}},"TCP",0,1
        < ⏎ERROR⏎
        > AT+CIPSERVER?
        < +CIPSERVER:1,{{d}},"TCP",0{more}⏎⏎OK⏎
        > AT+CIPSERVER=0
        < ⏎OK⏎
        > AT+CIPSERVER=0
        < ⏎OK⏎
        > AT+CIPSERVER=1,{{d}},,,2
        < ⏎OK⏎
        > AT+CIPSERVER?
        < +CIPSERVER:1,{{d}},"TCP",0{more and ",2"}⏎⏎OK⏎
        """,
    )


def test_name_servers(module, old):
    more = "" if old else ',"114.114.114.114","8.8.8.8"'
    play(
        module,
        f"""
        > AT+CIPDNS=1
        < ⏎OK⏎
        > AT+CIPDNS?
        < +CIPDNS:1,"208.67.222.222"{more}⏎⏎OK⏎
        > AT+CIPDNS=1,"127.0.0.1"
        < ⏎OK⏎
        > AT+CIPDNS?
        < +CIPDNS:1,"127.0.0.1"⏎⏎OK⏎
        """,
    )


def test_options(module, old):
    more = "" if old else ",60"
    play(
        module,
        f"""
        > AT+CIPTCPOPT=0,1,5000,60
        < ⏎OK⏎
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,0,1,5000{more}⏎⏎OK⏎
        > AT+CIPTCPOPT=-1,0,0,0
        < ⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPTCPOPT=2,10,1,0
        < ⏎OK⏎
        > AT+CIPTCPOPT?
        """
        + "".join(f"< +CIPTCPOPT:{i},{'10,1' if i == 2 else '-1,0'},0{more and ',0'}⏎\n" for i in range(5))
        + "< ⏎OK⏎",
    )


@pings
def test_ping(module, old):
    play(
        module,
        f"""
        > AT+PING="127.0.0.1"
        ~ \\+PING:\\d+⏎⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+PING="127.0.0.1"
        < {"" if old else "+PING:TIMEOUT⏎"}⏎ERROR⏎
        """,
    )


def test_the_old_name_of_uart_def(module):
    """AT+UART is AT+UART_DEF."""
    play(
        module,
        """
        > AT+UART?
        < +UART:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART_CUR=57600,8,1,0,0
        < ⏎OK⏎
        > AT+UART?
        < +UART:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART=9600,7,3,1,0
        < ⏎OK⏎
        > AT+UART?
        < +UART:9600,7,3,1,0⏎⏎OK⏎
        > AT+UART_DEF?
        < +UART_DEF:9600,7,3,1,0⏎⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:9600,7,3,1,0⏎⏎OK⏎
        > AT+UART=1
        < ⏎ERROR⏎
        """,
    )
    module.control("power cycle")
    module.expect("⏎ready⏎")
    module.send("AT+UART_CUR?")
    module.expect("AT+UART_CUR?⏎+UART_CUR:9600,7,3,1,0⏎⏎OK⏎")


def test_an_empty_name_is_any(module):
    play(
        module,
        """
        > AT+CWLAP=""
        ~ \\+CWLAP:\\(3,"mpy-at",-40,.*?\\)⏎⏎OK⏎
        > AT+CWLAP="other"
        < ⏎OK⏎
        """,
    )


def test_a_network_that_comes_back_has_had_no_links(module):
    play(
        module,
        """
        peer web
        link web
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:4⏎⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+CWJAP
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:2⏎⏎OK⏎
        link web
        ! ap down mpy-at
        < CLOSED⏎WIFI DISCONNECT⏎
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+CIPSTATUS
        < STATUS:2⏎⏎OK⏎
        link web
        > AT+CIPSTATUS
        ~ STATUS:3⏎\\+CIPSTATUS:.*?⏎⏎OK⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:4⏎⏎OK⏎
        """,
    )


def test_a_servers_client_takes_no_id_that_is_being_connected(module):
    port = Door().port
    module.command("AT+CIPMUX=1")
    module.command(f"AT+CIPSERVER=1,{port}")
    with full_listener() as away:
        module.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{away},,,1500')
        module.send("?")
        module.expect("⏎busy p...⏎")
        client = Client(port)
        module.expect("1,CONNECT⏎⏎ERROR⏎")
        other = Client(port)
        module.expect("0,CONNECT⏎")
    client.close()
    module.expect("1,CLOSED⏎")
    other.close()
    module.expect("0,CLOSED⏎")
