"""What happens to the station without a command: networks that go away and come back, joining by itself after a start.
The access points are switched by the simulator's control socket."""

import pytest
from networks import ECHO, JOIN, RESTART, network, wait_for_state
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
TWINS = "".join(
    f'[[ap]]\nssid = "home"\npassword = "12345678"\nbssid = "02:00:00:00:00:0{n}"\nrssi = -{n}0\n' for n in (3, 4, 5)
)
# A restart after which the saved network is joined.
REJOINED = RESTART + "< WIFI CONNECTED⏎WIFI GOT IP⏎" + ECHO


@BOARDS
def test_a_network_goes_away_and_comes_back(start, board):
    play_transcript(
        start("--board", board),
        JOIN
        + """
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        > AT+CWJAP?
        < ⏎OK⏎
        > AT+CIPSTA?
        < +CIPSTA:ip:"0.0.0.0"⏎+CIPSTA:gateway:"0.0.0.0"⏎+CIPSTA:netmask:"0.0.0.0"⏎⏎OK⏎
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"mpy-at"⏎⏎OK⏎
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        """,
    )


@BOARDS
def test_links_are_reported_closed_before_the_network(start, board):
    play_transcript(
        start("--board", board),
        JOIN
        + """
        peer web
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=0,"TCP","127.0.0.1",{web}
        < 0,CONNECT⏎⏎OK⏎
        > AT+CIPSTART=4,"TCP","127.0.0.1",{web}
        < 4,CONNECT⏎⏎OK⏎
        > AT+CIPSTART=2,"TCP","127.0.0.1",{web}
        < 2,CONNECT⏎⏎OK⏎
        ! ap down mpy-at
        < 0,CLOSED⏎2,CLOSED⏎4,CLOSED⏎WIFI DISCONNECT⏎
        > AT+CIPSTATUS
        < STATUS:5⏎⏎OK⏎
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+CIPSTART=2,"TCP","127.0.0.1",{web}
        < 2,CONNECT⏎⏎OK⏎
        """,
    )


@BOARDS
def test_the_single_link_is_reported_closed_before_the_network(start, board):
    play_transcript(
        start("--board", board),
        JOIN
        + """
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        ! ap down mpy-at
        < CLOSED⏎WIFI DISCONNECT⏎
        web ended
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        """,
    )


def test_links_that_outlive_the_network(module):
    play_transcript(
        module,
        JOIN
        + """
        peer web
        peer other
        > AT+CIPCONNPERSIST?
        < +CIPCONNPERSIST:0⏎⏎OK⏎
        > AT+CIPCONNPERSIST=1
        < ⏎OK⏎
        > AT+CIPCONNPERSIST=1,1
        < ⏎ERROR⏎
        > AT+CIPCONNPERSIST=2
        < ⏎ERROR⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPCONNPERSIST?
        < +CIPCONNPERSIST:1,0,0,0,0⏎⏎OK⏎
        > AT+CIPCONNPERSIST=0,0
        < ⏎OK⏎
        > AT+CIPCONNPERSIST=3,1
        < ⏎OK⏎
        > AT+CIPCONNPERSIST=5,1
        < ⏎ERROR⏎
        > AT+CIPSTART=0,"TCP","127.0.0.1",{other}
        < 0,CONNECT⏎⏎OK⏎
        other accepts
        link web 3
        ! ap down mpy-at
        < 0,CLOSED⏎WIFI DISCONNECT⏎
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        web sends still here
        < ⏎+IPD,3,10:still here
        """,
    )


@BOARDS
def test_leaving_ends_the_attempts_to_come_back(start, board):
    play_transcript(
        start("--board", board),
        JOIN
        + """
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        > AT+CWQAP
        < ⏎OK⏎
        ! ap up mpy-at
        > AT+CWSTATE?
        < +CWSTATE:4,"mpy-at"⏎⏎OK⏎
        # What was left is not wanted any more; another wish is.
        > AT+CWJAP
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_an_interval_of_0_is_for_not_coming_back(start, board):
    play_transcript(
        start("--board", board, wifi=network("join_ms = 0")),
        """
        > AT+CWJAP="mpy-at","12345678",,,0
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"mpy-at","02:6d:70:79:61:01",6,-40,0,0,3,0,0⏎⏎OK⏎
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        ! ap up mpy-at
        > AT+CWSTATE?
        < +CWSTATE:4,"mpy-at"⏎⏎OK⏎
        > AT+CIPSTA?
        < +CIPSTA:ip:"0.0.0.0"⏎+CIPSTA:gateway:"0.0.0.0"⏎+CIPSTA:netmask:"0.0.0.0"⏎⏎OK⏎
        """,
    )


@BOARDS
def test_joining_by_itself_after_a_start(start, board):
    play_transcript(
        start("--board", board),
        JOIN
        + REJOINED
        + """
        > AT+CWSTATE?
        < +CWSTATE:2,"mpy-at"⏎⏎OK⏎
        # Left, but still known.
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        """
        + REJOINED
        + """
        ! power cycle
        < ⏎ready⏎
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_what_is_joined_after_a_start_is_what_was_saved(start, board):
    play_transcript(
        start("--board", board, wifi=TWINS),
        """
        > AT+CWJAP="home","12345678","02:00:00:00:00:04",1,60,9,1,30,1
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """
        + REJOINED
        + """
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:04",6,-40,1,60,9,1,1⏎⏎OK⏎
        > AT+CWJAP="home","wrong678"
        < WIFI DISCONNECT⏎+CWJAP:2⏎⏎ERROR⏎
        """
        + REJOINED
        + """
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:04",6,-40,1,60,9,1,1⏎⏎OK⏎
        """,
    )


@BOARDS
def test_nothing_is_joined_that_was_not_saved(start, board):
    """The ESP8266's SDK would do so, as it keeps the network in a memory of its own."""
    play_transcript(
        start("--board", board, wifi=network("join_ms = 0")),
        """
        > AT+SYSSTORE=0
        < ⏎OK⏎
        """
        + JOIN
        + """
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        > AT+CIPSTA?
        < +CIPSTA:ip:"0.0.0.0"⏎+CIPSTA:gateway:"0.0.0.0"⏎+CIPSTA:netmask:"0.0.0.0"⏎⏎OK⏎
        > AT+CWJAP
        < ⏎ERROR⏎
        """,
    )


@BOARDS
def test_a_network_that_is_not_there_at_the_start_is_joined_later(start, board):
    play_transcript(
        start("--board", board),
        JOIN
        + """
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWJAP?
        < ⏎OK⏎
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        """,
    )


@BOARDS
def test_another_network_can_be_joined_while_one_is_awaited(start, board):
    play_transcript(
        start("--board", board, wifi=TWINS + network("")),
        JOIN
        + """
        ! ap down mpy-at
        < WIFI DISCONNECT⏎
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        ! ap up mpy-at
        > AT+CWSTATE?
        < +CWSTATE:2,"home"⏎⏎OK⏎
        """,
    )


@BOARDS
@pytest.mark.parametrize("then, state", [("join_ms = 60000", 3), ("join_ms = 1\ndhcp = false", 1), ("join_ms = 1", 2)])
def test_cwstate_while_it_joins_by_itself(start, tmp_path, board, then, state):
    options = "--board", board, "--flash", tmp_path / "flash.img"
    first = start(*options, wifi=network(""))
    play_transcript(first, '> AT+CWSTATE?\n < +CWSTATE:0,""⏎⏎OK⏎' + JOIN)
    first.stop()
    second = start(*options, wifi=network(then), ready=False)
    second.expect("⏎ready⏎")
    second.send("ATE0")
    second.match(r".*ATE0\r\n\r\nOK\r\n")
    wait_for_state(second, state)


@BOARDS
def test_cwstate_after_a_loss(start, board):
    module = start("--board", board)
    play_transcript(module, JOIN + "! ap down mpy-at\n < WIFI DISCONNECT⏎")
    # By turns it waits for the interval to pass, and tries.
    wait_for_state(module, 4)
    wait_for_state(module, 3)
    wait_for_state(module, 4)
