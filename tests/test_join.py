"""AT+CWJAP: joining a network in all its outcomes, and what the query and the last network tell of it.
What happens when a network goes away and comes back is in test_wifi_events.py."""

import pytest
from networks import HOME, TOWN
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])


@BOARDS
def test_cwjap_query(start, board):
    # The ESP32 takes the first AP of that name that it meets, the ESP8266 the strongest.
    found = {"esp32": '"02:00:00:00:00:01",6,-40', "esp8266": '"02:00:00:00:00:02",11,-30'}[board]
    play_transcript(
        start("--board", board, wifi=TOWN),
        f"""
        > AT+CWJAP?
        < ⏎OK⏎
        > AT+CWJAP="home","12345678","02:00:00:00:00:01",1,7,5,1,20,3
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:01",6,-40,1,7,5,1,3⏎⏎OK⏎
        > AT+CWJAP="home","12345678"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home",{found},0,1,3,0,0⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home",{found},0,1,3,0,0⏎⏎OK⏎
        # The strongest, on either chip; also when it has become that only now.
        > AT+CWJAP="home","12345678",,,,,1
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:02",11,-30,0,1,3,1,0⏎⏎OK⏎
        ! ap rssi -80 02:00:00:00:00:02
        > AT+CWJAP
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:01",6,-40,0,1,3,1,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_names_with_escapes(start, board):
    play_transcript(
        start("--board", board, wifi=TOWN),
        r"""
        > AT+CWJAP="a\,b\"c\\d","1\,2\"3\\4567"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"a,b"c\d"⏎⏎OK⏎
        > AT+CWJAP="a,b\"\c\\d","1,2\"3\\4\567"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_error_codes(start, board):
    play_transcript(
        start("--board", board, wifi=TOWN),
        """
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CWJAP="home","wrong678"
        < +CWJAP:2⏎ERR CODE:0x010a0002⏎⏎ERROR⏎
        > AT+CWJAP="nowhere","12345678"
        < +CWJAP:3⏎ERR CODE:0x010a0003⏎⏎ERROR⏎
        > AT+CWJAP="home","wrong678"
        < +CWJAP:2⏎ERR CODE:0x010a0002⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678","02:00:00:00:00:09"
        < +CWJAP:3⏎ERR CODE:0x010a0003⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP="nowhere","12345678"
        < WIFI DISCONNECT⏎+CWJAP:3⏎ERR CODE:0x010a0003⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:4,"nowhere"⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_fails_twice_for_the_same_reason(start, board):
    """The ESP32 goes on showing the old reason, so it takes longer to believe it; the ESP8266 does not."""
    play_transcript(
        start("--board", board, wifi=TOWN),
        """
        > AT+CWJAP="nowhere","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="nowhere","12345678",,,,,,3
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_time_out(start, board):
    """No address ever comes, also where an older failure could be taken for the reason."""
    play_transcript(
        start("--board", board, wifi=TOWN),
        """
        > AT+CWJAP="nowhere","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="silent","12345678",,,,,,5
        < +CWJAP:1⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:4,"silent"⏎⏎OK⏎
        """,
    )


def test_cwjap_fails_for_another_reason(start):
    """The ESP8266 knows nothing of WPA3."""
    play_transcript(
        start("--board", "esp8266", wifi=HOME + '[[ap]]\nssid = "strange"\npassword = "12345678"\nsecurity = "WPA3"\n'),
        """
        > AT+CWJAP="strange","12345678"
        < +CWJAP:4⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


def test_cwjap_security_that_does_not_fit(start):
    """An ESP32 takes a network that has no security as absent when it has a password for it."""
    play_transcript(
        start(wifi=TOWN),
        """
        > AT+CWJAP="free","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="home"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="free"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP="free",""
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@pytest.mark.parametrize(
    "mac", ["", "02", "02:00:00:00:00:0", "02:00:00:00:00:0g", "02-00-00-00-00-01", "0200000000001"]
)
def test_cwjap_mac_address_that_is_none(start, mac):
    play_transcript(
        start(wifi=TOWN),
        f"""
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CWJAP="home","12345678","{mac}"
        < ERR CODE:0x01080002⏎⏎ERROR⏎
        > AT+CWLAP="home","{mac}"
        < ERR CODE:0x01080001⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_the_last_network_again(start, board):
    play_transcript(
        start("--board", board, wifi=TOWN),
        """
        > AT+CWJAP
        < ⏎ERROR⏎
        > AT+CWJAP=
        < ⏎ERROR⏎
        > AT+CWJAP=,"12345678"
        < ⏎ERROR⏎
        > AT+CWJAP="home","12345678","02:00:00:00:00:01"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        # What is left out stays as it was; a failure changes nothing.
        > AT+CWJAP=,"wrong678"
        < WIFI DISCONNECT⏎+CWJAP:2⏎⏎ERROR⏎
        > AT+CWJAP=,,,1,9
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:01",6,-40,1,9,3,0,0⏎⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+CWJAP
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:01",6,-40,1,9,3,0,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_joining_another_network_ends_what_was_open(start, board):
    play_transcript(
        start("--board", board, wifi=TOWN),
        """
        peer web
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=3,"TCP","127.0.0.1",{web}
        < 3,CONNECT⏎⏎OK⏎
        web accepts
        > AT+CWJAP="far","12345678"
        < 3,CLOSED⏎WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        web ended
        > AT+CIPSTA?
        < +CIPSTA:ip:"127.0.0.2"⏎+CIPSTA:gateway:"127.0.0.3"⏎+CIPSTA:netmask:"255.255.0.0"⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwautoconn(start, board):
    """It is kept even with AT+SYSSTORE=0, and is about the start only."""
    play_transcript(
        start("--board", board),
        """
        > AT+CWAUTOCONN?
        < +CWAUTOCONN:1⏎⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+CWAUTOCONN=0
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"mpy-at"⏎⏎OK⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        > AT+CWAUTOCONN=1
        < ⏎OK⏎
        ! power cycle
        < ⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWAUTOCONN=2
        < ⏎ERROR⏎
        """,
    )


@BOARDS
def test_cwjap_least_security(start, board):
    """What the ESP8266 shows of WPA3 is WPA2, as its SDK knows no more."""
    networks = """
[[ap]]
ssid = "open"
[[ap]]
ssid = "old"
password = "12345"
security = "WEP"
[[ap]]
ssid = "both"
password = "12345678"
security = "WPA/WPA2"
[[ap]]
ssid = "twins"
password = "12345678"
rssi = -20
bssid = "02:00:00:00:00:01"
security = "WPA"
[[ap]]
ssid = "twins"
password = "12345678"
rssi = -60
bssid = "02:00:00:00:00:02"
channel = 9
"""
    play_transcript(
        start("--board", board, wifi=networks),
        """
        > AT+CWJAP="open",,,1
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="old","12345",,1
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="old","12345"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP="both","12345678",,5
        < WIFI DISCONNECT⏎+CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="both","12345678",,4
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP="twins","12345678",,3
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"twins","02:00:00:00:00:02",9,-60,3,1,3,0,0⏎⏎OK⏎
        > AT+CWJAP="twins","12345678","02:00:00:00:00:01",3
        < WIFI DISCONNECT⏎+CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="twins","12345678",,17
        < ⏎ERROR⏎
        """,
    )


def test_the_least_security_holds_after_a_start_too(start, tmp_path):
    """The network that is joined by itself may not have become WEP, which the ESP8266 would join."""
    network = '[[ap]]\nssid = "home"\npassword = "1234567890"\njoin_ms = 1\nsecurity = '
    options = "--board", "esp8266", "--flash", tmp_path / "flash.img"
    first = start(*options, wifi=network + '"WPA2"')
    play_transcript(first, '> AT+CWJAP="home","1234567890",,1\n < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎')
    first.stop()
    play_transcript(
        start(*options, wifi=network + '"WEP"'),
        """
        > AT+CWSTATE?
        < +CWSTATE:4,"home"⏎⏎OK⏎
        > AT+CWJAP="home","1234567890",,1
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="home","1234567890"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )
