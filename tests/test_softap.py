"""The softAP: its settings and addresses, the stations that come and go by the control socket, and links to them.
What must be there after a restart is asked for after one."""

import pytest
from privileges import pings
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
SSIDS = {"esp32": "ESP_C0FFEF", "esp8266": "ESP_C0FFEE"}
MACS = {"esp32": "24:0a:c4:c0:ff:ef", "esp8266": "5e:cf:7f:c0:ff:ee"}
ON = """
    > AT+CWMODE=2
    < ⏎OK⏎
"""
RESTART = """
    > AT+RST
    < ⏎OK⏎⏎ready⏎
    > ATE0
    < ATE0⏎⏎OK⏎
"""
A, B, C = (f"02:00:00:00:00:0{n}" for n in "abc")


def address(ip, gateway, netmask):
    return f'< +CIPAP:ip:"{ip}"⏎+CIPAP:gateway:"{gateway}"⏎+CIPAP:netmask:"{netmask}"⏎⏎OK⏎'


def joins(mac, ip):
    """A station comes, and gets an address."""
    return f'! station join {mac}\n < +STA_CONNECTED:"{mac}"⏎+DIST_STA_IP:"{mac}","{ip}"⏎\n'


def refused(module, line):
    """What the bench says to a line that it does not accept."""
    answer = module.control(line)
    assert answer.startswith("error: "), answer
    return answer


@BOARDS
def test_cwsap(start, board):
    """An open network at first, also where the chip's own memory has another one."""
    play_transcript(
        start("--board", board),
        f"""
        > AT+CWSAP?
        < ⏎ERROR⏎
        > AT+CWSAP="ESP","1234567890",5,3
        < ⏎ERROR⏎
        {ON}
        > AT+CWSAP?
        < +CWSAP:"{SSIDS[board]}","",1,0,4,0⏎⏎OK⏎
        > AT+CWSAP="ESP","1234567890",5,3
        < ⏎OK⏎
        > AT+CWSAP?
        < +CWSAP:"ESP","1234567890",5,3,4,0⏎⏎OK⏎
        > AT+CWSAP="a\\,b","",11,0,4,1
        < ⏎OK⏎
        {RESTART}
        > AT+CWSAP?
        < +CWSAP:"a,b","",11,0,4,1⏎⏎OK⏎
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+CWSAP="ESP","1234567890",13,4
        < ⏎OK⏎
        {RESTART}
        > AT+CWSAP?
        < +CWSAP:"a,b","",11,0,4,1⏎⏎OK⏎
        > AT+RESTORE
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        {ON}
        > AT+CWSAP?
        < +CWSAP:"{SSIDS[board]}","",1,0,4,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwsap_refuses(start, board):
    lines = []
    for parameters in (
        '"","1234567890",5,3',
        '"ESP","1234567",5,3',
        f'"ESP","{"x" * 64}",5,3',
        f'"{"x" * 33}","1234567890",5,3',
        '"ESP","1234567890",5,1',
        '"ESP","1234567890",5,5',
        '"ESP","1234567890",0,3',
        '"ESP","1234567890",15,3',
        '"ESP","1234567890",5,3,0',
        '"ESP","1234567890",5,3,11',
        '"ESP","1234567890",5,3,4,2',
        '"ESP","1234567890",5',
        '"ESP",,5,3',
    ):
        lines += [f"> AT+CWSAP={parameters}", "< ⏎ERROR⏎"]
    # This port's chip has no channel 14; the other's cannot have another number of stations than 4.
    chips_own = {"esp32": '"ESP","1234567890",14,3', "esp8266": '"ESP","1234567890",5,3,5'}[board]
    play_transcript(
        start("--board", board),
        "\n".join([ON, *lines, f"> AT+CWSAP={chips_own}", "< ⏎ERROR⏎"])
        + f"""
        > AT+CWSAP?
        < +CWSAP:"{SSIDS[board]}","",1,0,4,0⏎⏎OK⏎
        > AT+CWSAP="{"x" * 32}","{"x" * 63}",13,2
        < ⏎OK⏎
        """,
    )


@BOARDS
def test_stations_come_and_go(start, board):
    module = start("--board", board)
    play_transcript(
        module,
        f"""
        > AT+CWLIF
        < ⏎ERROR⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWLIF
        < ⏎OK⏎
        {joins(A, "192.168.4.2")}
        {joins(B, "192.168.4.3")}
        # With an address of its own: the softAP knows nothing of that.
        ! station static {C}
        < +STA_CONNECTED:"{C}"⏎
        > AT+CWLIF
        < +CWLIF:192.168.4.2,{A}⏎+CWLIF:192.168.4.3,{B}⏎⏎OK⏎
        ! station leave {A}
        < +STA_DISCONNECTED:"{A}"⏎
        > AT+CWLIF
        < +CWLIF:192.168.4.3,{B}⏎⏎OK⏎
        # It gets the address that it had.
        {joins(A, "192.168.4.2")}
        # Still a softAP, also without the station.
        > AT+CWMODE=2
        < ⏎OK⏎
        > AT+CWLIF
        < +CWLIF:192.168.4.3,{B}⏎+CWLIF:192.168.4.2,{A}⏎⏎OK⏎
        > AT+CWMODE=1
        < +STA_DISCONNECTED:"{B}"⏎+STA_DISCONNECTED:"{C}"⏎+STA_DISCONNECTED:"{A}"⏎⏎OK⏎
        > AT+CWLIF?
        < ⏎ERROR⏎
        """,
    )
    assert "off" in refused(module, f"station join {A}")
    assert "no station" in refused(module, f"station leave {A}")
    assert "MAC address" in refused(module, "station join 02:00")


@BOARDS
def test_who_is_let_in(start, board):
    module = start("--board", board)
    play_transcript(module, ON + '> AT+CWSAP="ESP","1234567890",5,3\n < ⏎OK⏎')
    assert "password" in refused(module, f"station join {A} 1234567891")
    play_transcript(
        module,
        f"""
        ! station join {A} 1234567890
        < +STA_CONNECTED:"{A}"⏎+DIST_STA_IP:"{A}","192.168.4.2"⏎
        {joins(B, "192.168.4.3")}
        {joins(C, "192.168.4.4")}
        ! station static 02:00:00:00:00:0d
        < +STA_CONNECTED:"02:00:00:00:00:0d"⏎
        """,
    )
    assert "no place" in refused(module, "station join 02:00:00:00:00:0e")
    if board == "esp32":
        play_transcript(
            module,
            f"""
            > AT+CWSAP="ESP","1234567890",5,3,10
            < ⏎OK⏎
            {joins("02:00:00:00:00:0e", "192.168.4.5")}
            """,
        )


@BOARDS
def test_cwqif(start, board):
    play_transcript(
        start("--board", board),
        f"""
        > AT+CWQIF
        < ⏎ERROR⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWSAP="ESP","1234567890",5,3
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWQIF
        < ⏎OK⏎
        {joins(A, "192.168.4.2")}
        {joins(B, "192.168.4.3")}
        # One of several cannot be sent away alone, and nobody who is not there.
        > AT+CWQIF="{A}"
        < ⏎ERROR⏎
        > AT+CWQIF
        < +STA_DISCONNECTED:"{A}"⏎+STA_DISCONNECTED:"{B}"⏎⏎OK⏎
        {joins(B, "192.168.4.3")}
        > AT+CWQIF="{A}"
        < ⏎ERROR⏎
        > AT+CWQIF="{B}"
        < +STA_DISCONNECTED:"{B}"⏎⏎OK⏎
        > AT+CWQIF="{B}"
        < ⏎ERROR⏎
        > AT+CWQIF="b"
        < ⏎ERROR⏎
        # The softAP is what it was, and so is the station; there is one radio, which is where the station's network is.
        > AT+CWSAP?
        < +CWSAP:"ESP","1234567890",6,3,4,0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"mpy-at"⏎⏎OK⏎
        {joins(A, "192.168.4.2")}
        """,
    )


@BOARDS
def test_cipap(start, board):
    """The stations get addresses behind the softAP's own; where that changes, they get others."""
    play_transcript(
        start("--board", board),
        f"""
        > AT+CIPAP?
        {address("192.168.4.1", "192.168.4.1", "255.255.255.0")}
        > AT+CIPAP="192.168.5.1"
        < ⏎ERROR⏎
        {ON}
        > AT+CIPAP="192.168.5.1","192.168.5.1","255.255.255.0"
        < ⏎OK⏎
        > AT+CIPAP?
        {address("192.168.5.1", "192.168.5.1", "255.255.255.0")}
        {joins(A, "192.168.5.2")}
        > AT+CIPAP="10.1.2.3",,"255.255.0.0"
        < ⏎OK⏎
        < +DIST_STA_IP:"{A}","10.1.2.4"⏎
        > AT+CIPAP="10.1.2.3","10.2.2.3","255.255.0.0"
        < ⏎ERROR⏎
        > AT+CIPAP="10.1.2"
        < ⏎ERROR⏎
        {RESTART}
        > AT+CIPAP?
        {address("10.1.2.3", "10.1.2.1", "255.255.0.0")}
        > AT+CIFSR
        < +CIFSR:APIP,"10.1.2.3"⏎+CIFSR:APMAC,"{MACS[board]}"⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cipapmac(start, board):
    play_transcript(
        start("--board", board),
        f"""
        > AT+CIPAPMAC?
        < +CIPAPMAC:"{MACS[board]}"⏎⏎OK⏎
        > AT+CIPAPMAC="18:fe:35:98:d3:7b"
        < ⏎ERROR⏎
        {ON}
        {joins(A, "192.168.4.2")}
        > AT+CIPAPMAC="18:fe:35:98:d3:7b"
        < +STA_DISCONNECTED:"{A}"⏎⏎OK⏎
        > AT+CIPAPMAC?
        < +CIPAPMAC:"18:fe:35:98:d3:7b"⏎⏎OK⏎
        > AT+CIPAPMAC="15:fe:35:98:d3:7b"
        < ⏎ERROR⏎
        > AT+CIPAPMAC="00:00:00:00:00:00"
        < ⏎ERROR⏎
        {RESTART}
        > AT+CIPAPMAC?
        < +CIPAPMAC:"18:fe:35:98:d3:7b"⏎⏎OK⏎
        > AT+CWSAP?
        < +CWSAP:"ESP_98D37B","",1,0,4,0⏎⏎OK⏎
        """,
    )


def test_cwapproto(play):
    play(f"""
        > AT+CWAPPROTO?
        < ⏎ERROR⏎
        > AT+CWAPPROTO=3
        < ⏎ERROR⏎
        {ON}
        > AT+CWAPPROTO?
        < +CWAPPROTO:7⏎⏎OK⏎
        > AT+CWAPPROTO=4
        < ⏎ERROR⏎
        > AT+CWAPPROTO=3
        < ⏎OK⏎
        {RESTART}
        > AT+CWAPPROTO?
        < +CWAPPROTO:3⏎⏎OK⏎
    """)


@BOARDS
def test_links_to_the_stations(start, board):
    """A link to a station of the softAP needs no other network, and outlives it. The addresses are on loopback."""
    play_transcript(
        start("--board", board),
        f"""
        peer web
        peer near 127.99.0.2
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CIPAP="127.99.0.1",,"255.255.255.0"
        < ⏎OK⏎
        {joins(A, "127.99.0.2")}
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=0,"TCP","127.99.0.2",{{near}}
        < 0,CONNECT⏎⏎OK⏎
        near accepts
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIPSTART=1,"TCP","127.0.0.1",{{web}}
        < 1,CONNECT⏎⏎OK⏎
        web accepts
        ! ap down mpy-at
        < 1,CLOSED⏎WIFI DISCONNECT⏎
        near sends hello
        < ⏎+IPD,0,5:hello
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+CIPSTART=1,"TCP","127.0.0.1",{{web}}
        < 1,CONNECT⏎⏎OK⏎
        > AT+CWMODE=1
        < 0,CLOSED⏎+STA_DISCONNECTED:"{A}"⏎⏎OK⏎
        near ended
        """,
    )


@BOARDS
def test_names_of_older_versions(start, board):
    """The spellings of ESP-AT 1.7, which their answers have, too."""
    play_transcript(
        start("--board", board),
        f"""
        > AT+CWMODE_CUR=3
        < ⏎OK⏎
        > AT+CWSAP_CUR="ESP","1234567890",5,3
        < ⏎OK⏎
        > AT+CWSAP_CUR?
        < +CWSAP_CUR:"ESP","1234567890",5,3,4,0⏎⏎OK⏎
        > AT+CIPAP_DEF="10.0.0.1"
        < ⏎OK⏎
        > AT+CIPAP_CUR?
        < +CIPAP_CUR:ip:"10.0.0.1"⏎+CIPAP_CUR:gateway:"10.0.0.1"⏎+CIPAP_CUR:netmask:"255.255.255.0"⏎⏎OK⏎
        > AT+CIPAPMAC_CUR?
        < +CIPAPMAC_CUR:"{MACS[board]}"⏎⏎OK⏎
        > AT+CIPSTA_CUR="127.0.0.3"
        < ⏎OK⏎
        > AT+CWDHCP_CUR?
        < +CWDHCP_CUR:2⏎⏎OK⏎
        > AT+CWDHCP_DEF=1,3
        < ⏎OK⏎
        {RESTART}{ON}
        > AT+CIPAP?
        {address("10.0.0.1", "10.0.0.1", "255.255.255.0")}
        > AT+CWSAP?
        < +CWSAP:"{SSIDS[board]}","",1,0,4,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_a_softap_alone_is_a_network(start, board):
    play_transcript(
        start("--board", board),
        f"""
        peer near 127.99.0.2
        udp far 127.99.0.3
        {ON}
        > AT+CIPAP="127.99.0.1",,"255.255.255.0"
        < ⏎OK⏎
        {joins(A, "127.99.0.2")}
        {joins(B, "127.99.0.3")}
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=0,"TCP","127.99.0.2",{{near}}
        < 0,CONNECT⏎⏎OK⏎
        near accepts
        > AT+CIPSTART=1,"UDP","127.99.0.3",{{far}}
        < 1,CONNECT⏎⏎OK⏎
        > AT+CIPSEND=1,2
        < ⏎OK⏎⏎>
        >> hi
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        far gets hi
        door d
        > AT+CIPSERVER=1,{{d}}
        < ⏎OK⏎
        client c {{d}}
        < 2,CONNECT⏎
        # Without it there is nothing.
        > AT+CWMODE=0
        < 0,CLOSED⏎1,CLOSED⏎+STA_DISCONNECTED:"{A}"⏎+STA_DISCONNECTED:"{B}"⏎⏎OK⏎
        near ended
        > AT+CIPSTART=0,"TCP","127.99.0.2",{{near}}
        < ⏎ERROR⏎
        """,
    )


@pings
def test_ping_of_a_station(play):
    play(f"""
        {ON}
        > AT+CIPAP="127.99.0.1",,"255.255.255.0"
        < ⏎OK⏎
        {joins(A, "127.99.0.2")}
        > AT+PING="127.99.0.2"
        ~ \\+PING:\\d+⏎⏎OK⏎
        > AT+CWMODE=0
        < +STA_DISCONNECTED:"{A}"⏎⏎OK⏎
        > AT+PING="127.99.0.2"
        < +PING:TIMEOUT⏎⏎ERROR⏎
    """)
