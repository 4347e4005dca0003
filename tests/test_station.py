"""The station's settings: addresses, DHCP, MAC address, name, protocols, bandwidth, and the interval of its attempts.
What must be there after a restart is asked for after one."""

import pytest
from networks import TOWN
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
MACS = {"esp32": "24:0a:c4:c0:ff:ee", "esp8266": "5c:cf:7f:c0:ff:ee"}
JOIN = """
    > AT+CWJAP="mpy-at","12345678"
    < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
"""
RESTART = """
    > AT+RST
    < ⏎OK⏎⏎ready⏎
"""
ECHO = """
    > ATE0
    < ATE0⏎⏎OK⏎
"""


def network(more):
    return f'[[ap]]\nssid = "mpy-at"\npassword = "12345678"\n{more}\n'


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
