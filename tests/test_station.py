"""The station's settings: addresses, DHCP, MAC address, name, and when it comes back to its network.
What must be there after a restart is asked for after one."""

import pytest
from networks import ECHO, JOIN, RESTART, network
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])

MACS = {"esp32": "24:0a:c4:c0:ff:ee", "esp8266": "5c:cf:7f:c0:ff:ee"}


def address(ip, gateway, netmask):
    return f'< +CIPSTA:ip:"{ip}"⏎+CIPSTA:gateway:"{gateway}"⏎+CIPSTA:netmask:"{netmask}"⏎⏎OK⏎'


@BOARDS
def test_cipsta(start, board):
    """A static address needs no DHCP; it is there at once in a network that is joined, and after a restart."""
    play_transcript(
        start("--board", board, wifi=network("dhcp = false")),
        f"""
        > AT+CIPSTA="192.168.6.100","192.168.6.1","255.255.255.0"
        < ⏎OK⏎
        > AT+CIPSTA?
        {address("192.168.6.100", "192.168.6.1", "255.255.255.0")}
        > AT+CWDHCP?
        < +CWDHCP:2⏎⏎OK⏎
        {JOIN}
        > AT+CIPSTA="127.0.0.7"
        < WIFI GOT IP⏎⏎OK⏎
        > AT+CIPSTA?
        {address("127.0.0.7", "127.0.0.1", "255.255.255.0")}
        > AT+CIPSTA="127.0.0.7"
        < ⏎OK⏎
        > AT+CIPSTA="127.0.0.8",,"255.0.0.0"
        < WIFI GOT IP⏎⏎OK⏎
        {RESTART}
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        {ECHO}
        > AT+CIPSTA?
        {address("127.0.0.8", "127.0.0.1", "255.0.0.0")}
        # DHCP does not answer here, so the address goes, but not at once the network.
        > AT+CWDHCP=1,1
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:1,"mpy-at"⏎⏎OK⏎
        ! ap dhcp on mpy-at
        < WIFI GOT IP⏎
        > AT+CIPSTA?
        {address("127.0.0.1", "127.0.0.1", "255.0.0.0")}
        > AT+CWDHCP?
        < +CWDHCP:3⏎⏎OK⏎
        > AT+CWMODE=2
        < WIFI DISCONNECT⏎⏎OK⏎
        > AT+CIPSTA="127.0.0.8"
        < ⏎ERROR⏎
        """,
    )


def test_cipsta_refuses(play):
    """With AT+SYSLOG=1 it says which parameter it was: 7 for what does not fit the others, 8 for what is no address."""
    lines = []
    for parameters, kind, index in (
        ('"1.2.3"', 8, 0),
        ('"1.2.3.256"', 8, 0),
        ('"0.0.0.0"', 8, 0),
        ('""', 8, 0),
        ('"::1"', 8, 0),
        ('"10.0.0.5","10.0.0"', 8, 1),
        ('"10.0.0.5","10.0.1.1"', 7, 1),
        ('"10.0.0.5","10.0.0.1","255.255.0.255"', 7, 2),
        ('"10.0.0.5","10.0.0.1","0.0.0.0"', 7, 2),
        ('"10.0.0.5","10.0.0.1","mask"', 8, 2),
    ):
        lines += [f"> AT+CIPSTA={parameters}", f"< ERR CODE:0x010{kind}000{index}⏎⏎ERROR⏎"]
    play(
        "\n".join(["> AT+SYSLOG=1", "< ⏎OK⏎", *lines])
        + """
        > AT+CIPSTA?
        < +CIPSTA:ip:"0.0.0.0"⏎+CIPSTA:gateway:"0.0.0.0"⏎+CIPSTA:netmask:"0.0.0.0"⏎⏎OK⏎
        """
    )


@BOARDS
def test_links_end_with_the_address(start, board):
    """Sockets that have the old address are of no use; the host hears of the new one as at first."""
    play_transcript(
        start("--board", board),
        f"""
        peer web
        udp far
        {JOIN}
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=0,"TCP","127.0.0.1",{{web}}
        < 0,CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPSTART=2,"UDP","127.0.0.1",{{far}}
        < 2,CONNECT⏎⏎OK⏎
        ! ap address 127.0.0.9 mpy-at
        < 0,CLOSED⏎2,CLOSED⏎WIFI GOT IP⏎
        web ended
        > AT+CIPSTA?
        {address("127.0.0.9", "127.0.0.1", "255.0.0.0")}
        > AT+CIPSTART=0,"TCP","127.0.0.1",{{web}}
        < 0,CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPSTA="127.0.0.5"
        < 0,CLOSED⏎WIFI GOT IP⏎⏎OK⏎
        web ended
        """,
    )


@BOARDS
def test_cwdhcp(start, board):
    play_transcript(
        start("--board", board, wifi=network('address = "127.0.0.3"')),
        f"""
        > AT+CWDHCP?
        < +CWDHCP:3⏎⏎OK⏎
        > AT+CWDHCP=1,3
        < ⏎OK⏎
        # The softAP's server cannot be stopped.
        > AT+CWDHCP=0,2
        < ⏎ERROR⏎
        > AT+CWDHCP=0,3
        < ⏎ERROR⏎
        > AT+CWDHCP?
        < +CWDHCP:3⏎⏎OK⏎
        {JOIN}
        # The address that there is becomes a static one.
        > AT+CWDHCP=0,1
        < ⏎OK⏎
        > AT+CWDHCP?
        < +CWDHCP:2⏎⏎OK⏎
        ! ap address 127.0.0.4 mpy-at
        {RESTART}
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        {ECHO}
        > AT+CIPSTA?
        {address("127.0.0.3", "127.0.0.1", "255.0.0.0")}
        > AT+CWDHCP=1,1
        ~ WIFI GOT IP⏎⏎OK⏎|⏎OK⏎WIFI GOT IP⏎
        > AT+CIPSTA?
        {address("127.0.0.4", "127.0.0.1", "255.0.0.0")}
        {RESTART}
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        {ECHO}
        > AT+CWDHCP?
        < +CWDHCP:3⏎⏎OK⏎
        # Neither DHCP nor an address: nothing that could be joined.
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+CWDHCP=0,1
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678",,,,,,3
        < +CWJAP:1⏎⏎ERROR⏎
        """,
    )


@BOARDS
def test_cipstamac(start, board):
    play_transcript(
        start("--board", board),
        f"""
        > AT+CIPSTAMAC?
        < +CIPSTAMAC:"{MACS[board]}"⏎⏎OK⏎
        > AT+CIPSTAMAC="1a:fe:35:98:d3:7b"
        < ⏎OK⏎
        > AT+CIPSTAMAC?
        < +CIPSTAMAC:"1a:fe:35:98:d3:7b"⏎⏎OK⏎
        > AT+CIPSTAMAC="15:fe:35:98:d3:7b"
        < ⏎ERROR⏎
        > AT+CIPSTAMAC="ff:ff:ff:ff:ff:ff"
        < ⏎ERROR⏎
        > AT+CIPSTAMAC="00:00:00:00:00:00"
        < ⏎ERROR⏎
        > AT+CIPSTAMAC="1a:fe:35:98:d3"
        < ⏎ERROR⏎
        > AT+CIPSTAMAC?
        < +CIPSTAMAC:"1a:fe:35:98:d3:7b"⏎⏎OK⏎
        {JOIN}
        # The same address is nothing new.
        > AT+CIPSTAMAC="1a:fe:35:98:d3:7b"
        < ⏎OK⏎
        > AT+CIPSTAMAC="1a:fe:35:98:d3:7c"
        < WIFI DISCONNECT⏎⏎OK⏎
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        {RESTART}
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        {ECHO}
        > AT+CIFSR
        < +CIFSR:STAIP,"127.0.0.1"⏎+CIFSR:STAMAC,"1a:fe:35:98:d3:7c"⏎⏎OK⏎
        > AT+CWMODE=0
        < WIFI DISCONNECT⏎⏎OK⏎
        > AT+CIPSTAMAC="1a:fe:35:98:d3:7d"
        < ⏎ERROR⏎
        """,
    )


@BOARDS
def test_cwhostname(start, board):
    play_transcript(
        start("--board", board),
        f"""
        > AT+CWHOSTNAME?
        < +CWHOSTNAME:mpy-{board}⏎⏎OK⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWHOSTNAME="my_test"
        < ⏎OK⏎
        > AT+CWHOSTNAME?
        < +CWHOSTNAME:my_test⏎⏎OK⏎
        > AT+CWHOSTNAME="{"x" * 33}"
        < ⏎ERROR⏎
        > AT+CWHOSTNAME=""
        < ⏎ERROR⏎
        > AT+CWHOSTNAME="{"x" * 32}"
        < ⏎OK⏎
        > AT+CWMODE=2
        < ⏎OK⏎
        > AT+CWHOSTNAME="other"
        < ⏎ERROR⏎
        # It is not kept in flash.
        {RESTART}{ECHO}
        > AT+CWHOSTNAME?
        < +CWHOSTNAME:mpy-{board}⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwreconncfg(start, board):
    play_transcript(
        start("--board", board),
        f"""
        > AT+CWRECONNCFG?
        < +CWRECONNCFG:1,0⏎⏎OK⏎
        > AT+CWRECONNCFG=1,100
        < ⏎OK⏎
        > AT+CWRECONNCFG?
        < +CWRECONNCFG:1,100⏎⏎OK⏎
        # The interval is that of CWJAP, too, whichever was said last.
        > AT+CWJAP="mpy-at","12345678",,,5
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWRECONNCFG?
        < +CWRECONNCFG:5,100⏎⏎OK⏎
        > AT+CWRECONNCFG=2,50,1
        < ⏎OK⏎
        > AT+CWJAP?
        ~ \\+CWJAP:"mpy-at",[^,]+,6,-40,0,2,3,0,0⏎⏎OK⏎
        {RESTART}
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        {ECHO}
        > AT+CWRECONNCFG?
        < +CWRECONNCFG:2,50⏎⏎OK⏎
        > AT+CWJAP
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWRECONNCFG?
        < +CWRECONNCFG:2,50⏎⏎OK⏎
        > AT+CWRECONNCFG=7201,0
        < ⏎ERROR⏎
        > AT+CWRECONNCFG=1,1001
        < ⏎ERROR⏎
        > AT+CWRECONNCFG=0,0
        < ⏎OK⏎
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        ! ap up mpy-at
        > AT+CWSTATE?
        < +CWSTATE:4,"mpy-at"⏎⏎OK⏎
        > AT+CWRECONNCFG=0,0,1
        < ⏎OK⏎
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        """,
    )


@BOARDS
def test_attempts_have_an_end(start, board):
    """One attempt, which fails; then the station stays away until the host wants it back."""
    module = start("--board", board, wifi=network("join_ms = 10"))
    play_transcript(module, JOIN + "> AT+CWRECONNCFG=1,1\n < ⏎OK⏎\n ! ap down mpy-at\n < WIFI DISCONNECT⏎")
    seen = "4"
    while seen == "4":  # until the attempt begins
        module.send("AT+CWSTATE?")
        seen = module.match(r'\+CWSTATE:(\d),"mpy-at"\r\n\r\nOK\r\n')[1]
    while seen == "3":  # and until it has failed
        module.send("AT+CWSTATE?")
        seen = module.match(r'\+CWSTATE:(\d),"mpy-at"\r\n\r\nOK\r\n')[1]
    assert module.control("ap up mpy-at") == "ok"
    play_transcript(
        module,
        """
        > AT+CWSTATE?
        < +CWSTATE:4,"mpy-at"⏎⏎OK⏎
        > AT+CWRECONNCFG=1,1,1
        < ⏎OK⏎
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        """,
    )
