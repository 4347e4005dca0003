"""The Wi-Fi chapter but for joining: modes, leaving, lists, addresses.
Joining is in test_join.py."""

import pytest
from networks import TOWN
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])


def test_cwmode(play):
    play("""
        > AT+CWMODE?
        < +CWMODE:1⏎⏎OK⏎
        > AT+CWMODE=0
        < ⏎OK⏎
        > AT+CWMODE?
        < +CWMODE:0⏎⏎OK⏎
        > AT+CIFSR
        < ⏎OK⏎
        > AT+CWLAP
        < ⏎ERROR⏎
        > AT+CWJAP="mpy-at","12345678"
        < ⏎ERROR⏎
        > AT+CWMODE=2,0
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < ⏎ERROR⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWMODE?
        < +CWMODE:3⏎⏎OK⏎
        > AT+CWMODE
        < ⏎ERROR⏎
    """)


@BOARDS
def test_the_station_leaves_and_comes_back_with_the_mode(start, board):
    play_transcript(
        start("--board", board),
        """
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        # Still a station: nothing happens to its network.
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"mpy-at"⏎⏎OK⏎
        > AT+CWMODE=2
        < WIFI DISCONNECT⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,"mpy-at"⏎⏎OK⏎
        > AT+CWJAP?
        < ⏎OK⏎
        > AT+CWMODE=1
        < ⏎OK⏎
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+CWMODE=0
        < WIFI DISCONNECT⏎⏎OK⏎
        > AT+CWMODE=3,0
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,"mpy-at"⏎⏎OK⏎
        > AT+CWJAP
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwqap(start, board):
    play_transcript(
        start("--board", board),
        """
        # Nothing to leave is no error.
        > AT+CWQAP
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+CWQAP
        < ⏎OK⏎CLOSED⏎WIFI DISCONNECT⏎
        web ended
        > AT+CWSTATE?
        < +CWSTATE:4,"mpy-at"⏎⏎OK⏎
        > AT+CWJAP?
        < ⏎OK⏎
        > AT+CWQAP?
        < ⏎ERROR⏎
        > AT+CWMODE=0
        < ⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎
        """,
    )


@BOARDS
def test_cwlap(start, board):
    silent = '+CWLAP:(3,"silent",-70,"02:00:00:00:00:05",4,-1,-1,7,7,0,0)⏎'
    weak = '+CWLAP:(3,"home",-40,"02:00:00:00:00:01",6,-1,-1,7,7,0,0)⏎'
    strong = '+CWLAP:(3,"home",-30,"02:00:00:00:00:02",11,-1,-1,7,7,0,0)⏎'
    far = '+CWLAP:(4,"far",-90,"02:00:00:00:00:06",13,-1,-1,7,7,0,0)⏎'
    free = '+CWLAP:(0,"free",-50,"02:00:00:00:00:03",1,-1,-1,7,7,0,0)⏎'
    odd = '+CWLAP:(3,"a,b"c\\d",-60,"02:00:00:00:00:04",3,-1,-1,7,7,0,0)⏎'
    play_transcript(
        start("--board", board, wifi=TOWN),
        rf"""
        > AT+CWLAP
        < {strong}{weak}{free}{odd}{silent}{far}⏎OK⏎
        > AT+CWLAP="home"
        < {strong}{weak}⏎OK⏎
        > AT+CWLAP="home","02:00:00:00:00:01"
        < {weak}⏎OK⏎
        > AT+CWLAP=,"02:00:00:00:00:03"
        < {free}⏎OK⏎
        > AT+CWLAP=,,11
        < {strong}⏎OK⏎
        > AT+CWLAP="home",,6,1,100,1500
        < {weak}⏎OK⏎
        > AT+CWLAP=,,0
        < {strong}{weak}{free}{odd}{silent}{far}⏎OK⏎
        > AT+CWLAP="a\,b\"c\\d"
        < {odd}⏎OK⏎
        > AT+CWLAP="Home"
        < ⏎OK⏎
        > AT+CWLAP="home",,5
        < ⏎OK⏎
        > AT+CWLAP=,,15
        < ⏎ERROR⏎
        > AT+CWLAP?
        < ⏎ERROR⏎
        ! ap down home
        > AT+CWLAP
        < {free}{odd}{silent}{far}⏎OK⏎
        """,
    )


@pytest.mark.parametrize("board, count", [("esp32", 120), ("esp8266", 24)])
def test_cwlap_of_many_networks_is_complete(start, board, count):
    """The list is longer than the port's buffer, on the ESP32 also than the terminal's."""
    names = [f"network {number:03}" for number in range(count)]
    networks = [f'[[ap]]\nssid = "{name}"\nrssi = {-1 - i * 100 // count}\n' for i, name in enumerate(names)]
    module = start("--board", board, wifi="".join(networks))
    # Of networks with the same signal any may come first, when it sorts them.
    module.command("AT+CWLAPOPT=0,0x7FF")
    module.send("AT+CWLAP")
    for name in names:
        module.match(rf'\+CWLAP:\(0,"{name}",-\d+,"02:6d:70:79:61:..",6,-1,-1,7,7,0,0\)\r\n')
    module.expect("⏎OK⏎")
    module.settled()


@pytest.mark.parametrize("board, mac", [("esp32", "24:0a:c4:c0:ff:ee"), ("esp8266", "5c:cf:7f:c0:ff:ee")])
def test_cipsta_and_cifsr(start, board, mac):
    play_transcript(
        start("--board", board),
        rf"""
        > AT+CIPSTA?
        < +CIPSTA:ip:"0.0.0.0"⏎+CIPSTA:gateway:"0.0.0.0"⏎+CIPSTA:netmask:"0.0.0.0"⏎⏎OK⏎
        > AT+CIFSR
        < +CIFSR:STAIP,"0.0.0.0"⏎+CIFSR:STAMAC,"{mac}"⏎⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIPSTA?
        < +CIPSTA:ip:"127.0.0.1"⏎+CIPSTA:gateway:"127.0.0.1"⏎+CIPSTA:netmask:"255.0.0.0"⏎⏎OK⏎
        > AT+CIFSR
        < +CIFSR:STAIP,"127.0.0.1"⏎+CIFSR:STAMAC,"{mac}"⏎⏎OK⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CIFSR
        ~ \+CIFSR:APIP,"192\.168\.4\.1"⏎\+CIFSR:APMAC,"..:..:..:..:..:.."⏎
        < +CIFSR:STAIP,"127.0.0.1"⏎+CIFSR:STAMAC,"{mac}"⏎⏎OK⏎
        > AT+CIFSR?
        < ⏎ERROR⏎
        """,
    )
