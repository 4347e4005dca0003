"""Networks of two access points, and networks that are not what they were when the station comes back.
Loss and return of a network with one access point are in test_wifi_events.py, random walks in test_radio_walks.py."""

import pytest
from networks import TOWN, wait_for_state
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
WEAK, STRONG = "02:00:00:00:00:01", "02:00:00:00:00:02"
BACK = "< WIFI CONNECTED⏎WIFI GOT IP⏎"


def joined(*parameters):
    return f'> AT+CWJAP="home","12345678"{"".join(parameters)}\n < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎'


@BOARDS
def test_the_station_goes_over_to_the_other(start, board):
    """Where it takes the other one long enough to be noticed: the ESP8266's SDK goes over by itself."""
    slow = TOWN.replace('ssid = "home"\n', 'ssid = "home"\njoin_ms = 700\n')
    play_transcript(
        start("--board", board, wifi=slow),
        f"""
        peer web
        ! ap down {WEAK}
        {joined()}
        > AT+CIPSTART="TCP","127.0.0.1",{{web}}
        < CONNECT⏎⏎OK⏎
        ! ap up {WEAK}
        ! ap down {STRONG}
        < CLOSED⏎WIFI DISCONNECT⏎
        {BACK}
        > AT+CWJAP?
        < +CWJAP:"home","{WEAK}",6,-40,0,1,3,0,0⏎⏎OK⏎
        > AT+CIPSTART="TCP","127.0.0.1",{{web}}
        < CONNECT⏎⏎OK⏎
        """,
    )


@BOARDS
def test_the_stronger_is_taken_if_that_is_wanted(start, board):
    play_transcript(
        start("--board", board, wifi=TOWN),
        f"""
        {joined(",,,,,1")}
        > AT+CWJAP?
        < +CWJAP:"home","{STRONG}",11,-30,0,1,3,1,0⏎⏎OK⏎
        # It stays where it is while that is there.
        ! ap rssi -90 {STRONG}
        > AT+CWJAP?
        < +CWJAP:"home","{STRONG}",11,-90,0,1,3,1,0⏎⏎OK⏎
        ! ap down home
        < WIFI DISCONNECT⏎
        ! ap up home
        {BACK}
        > AT+CWJAP?
        < +CWJAP:"home","{WEAK}",6,-40,0,1,3,1,0⏎⏎OK⏎
        ! ap rssi -30 {STRONG}
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        {BACK}
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","{STRONG}",11,-30,0,1,3,1,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_the_one_that_was_named_and_no_other(start, board):
    module = start("--board", board, wifi=TOWN)
    play_transcript(
        module,
        joined(f',"{STRONG}"')
        + f"""
        ! ap down {STRONG}
        < WIFI DISCONNECT⏎
        """,
    )
    # The first attempt, which the other access point could have ended.
    wait_for_state(module, 3, "home")
    wait_for_state(module, 4, "home")
    play_transcript(
        module,
        f"""
        ! ap up {STRONG}
        {BACK}
        > AT+CWJAP?
        < +CWJAP:"home","{STRONG}",11,-30,0,1,3,0,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_the_password_has_changed(start, board):
    """A station that comes back does not get in, and says nothing of it; the host can ask, and join anew."""
    module = start("--board", board, wifi=TOWN)
    play_transcript(module, f"! ap down {WEAK}\n {joined()}\n ! ap down home\n < WIFI DISCONNECT⏎")
    for line in ("ap password 87654321 home", f"ap up {STRONG}"):
        assert module.control(line) == "ok"
    wait_for_state(module, 3, "home")
    wait_for_state(module, 4, "home")
    play_transcript(
        module,
        """
        > AT+CWJAP="home","87654321"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_dhcp_does_not_answer_any_more(start, board):
    module = start("--board", board, wifi=TOWN)
    play_transcript(module, f"! ap down {WEAK}\n {joined()}\n ! ap down home\n < WIFI DISCONNECT⏎")
    for line in ("ap dhcp off home", f"ap up {STRONG}"):
        assert module.control(line) == "ok"
    wait_for_state(module, 1, "home")
    play_transcript(module, f"! ap dhcp on home\n {BACK}")


@BOARDS
def test_the_network_goes_while_an_address_is_missing(start, board):
    """It was reported as joined, so it is reported as lost."""
    module = start("--board", board, wifi=TOWN)
    play_transcript(
        module,
        f"""
        ! ap down {WEAK}
        {joined()}
        > AT+CWDHCP=0,1
        < ⏎OK⏎
        ! ap dhcp off home
        > AT+CWDHCP=1,1
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:1,"home"⏎⏎OK⏎
        ! ap down home
        < WIFI DISCONNECT⏎
        ! ap dhcp on home
        ! ap up home
        {BACK}
        """,
    )


def test_errors_of_the_bench(module):
    for line in (
        "ap down nowhere",
        "ap rssi 5 mpy-at",
        "ap rssi x mpy-at",
        "ap channel 15 mpy-at",
        "ap address 127.0.0 mpy-at",
        "ap dhcp maybe mpy-at",
        "ap password short mpy-at",
        "ap colour red mpy-at",
        "station dance 02:00:00:00:00:01",
    ):
        assert module.control(line).startswith("error: "), line
    module.settled()
