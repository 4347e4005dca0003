"""Hosts that were made for ESP-AT 1.7 or for an older 2.x: the _CUR and _DEF spellings, AT+CIPCLOSEMODE, and the
version that AT+GMR claims."""

import pytest
from declared import settable, valid
from mpyat import catalog
from networks import HOME
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
STORED = [command for command in catalog.load() if command.saved == "store"]
OTHERS = [command for command in settable() if command.saved != "store" and not command.name.startswith("UART")]
RESTART = "> AT+RST\n < ⏎OK⏎⏎ready⏎\n > ATE0\n < ATE0⏎⏎OK⏎\n"


@pytest.mark.parametrize("store", [0, 1])
@BOARDS
def test_cur_does_not_save_and_def_does(start, board, store):
    play_transcript(
        start("--board", board),
        f"""
        > AT+SYSSTORE={store}
        < ⏎OK⏎
        > AT+CWMODE_DEF=3
        < ⏎OK⏎
        > AT+CWMODE_CUR=2
        < ⏎OK⏎
        > AT+CWMODE_CUR?
        < +CWMODE_CUR:2⏎⏎OK⏎
        > AT+CWMODE?
        < +CWMODE:2⏎⏎OK⏎
        > at+sysmsg_def=2
        < ⏎OK⏎
        > AT+CIPDNS_CUR=1,"10.0.0.1","10.0.0.2"
        < ⏎OK⏎
        > AT+CIPDNS_CUR?
        < +CIPDNS_CUR:1,"10.0.0.1","10.0.0.2"⏎⏎OK⏎
        """
        + RESTART
        + """
        > AT+CWMODE_DEF?
        < +CWMODE_DEF:3⏎⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:2⏎⏎OK⏎
        > AT+CIPDNS?
        ~ \\+CIPDNS:0(,".*?")?⏎⏎OK⏎
        """,
    )


@BOARDS
def test_joining_as_1_7_has_it(start, board):
    module = start("--board", board, wifi=HOME)
    play_transcript(
        module,
        """
        > AT+CWMODE_CUR=1
        < ⏎OK⏎
        > AT+CWJAP_DEF="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP_CUR?
        ~ \\+CWJAP_CUR:"home","02:00:00:00:00:01",.*?⏎⏎OK⏎
        # What is reported unasked has the usual name, and so has the failure.
        > AT+CWJAP_CUR="home","87654321"
        < WIFI DISCONNECT⏎+CWJAP:2⏎⏎ERROR⏎
        > AT+CWJAP_CUR=?
        ~ \\+CWJAP_CUR:\\[<ssid>\\(32 bytes\\)\\],.*?⏎⏎OK⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )


def test_every_command_that_has_both_spellings_and_no_other(module):
    module.command("AT+SYSLOG=1")
    for command in STORED:
        for suffix in ("_CUR", "_DEF"):
            module.send(f"AT+{command.name}{suffix}=?")
            for parameters in command.parameters():
                text = ",".join(parameter.describe() for parameter in parameters if not parameter.link)
                module.expect(f"+{command.name}{suffix}:{text}⏎")
            module.expect("⏎OK⏎")
            module.send(f"AT+{command.name}{suffix}_CUR")
            module.expect("ERR CODE:0x01090000⏎⏎ERROR⏎")
    for command in OTHERS:
        values = ",".join(valid(parameter) for parameter in command.parameters()[0])
        for ending in ("_CUR?", f"_DEF={values}", "_DEF=?", "_CUR"):
            module.send(command.full_name + ending)
            module.expect("ERR CODE:0x01090000⏎⏎ERROR⏎")
    for name in ("AT_CUR", "_CUR", "AT+_CUR", "AT+CWMODE_OLD", "AT+CWMODE_CUR_DEF"):
        module.send(name)
        module.match(r"ERR CODE:0x010[39]0000\r\n\r\nERROR\r\n")
    module.settled()


@BOARDS
def test_mpyversion(start, board):
    usual = "4.1.0.0" if board == "esp32" else "2.3.0.0"
    play_transcript(
        start("--board", board),
        f"""
        > AT+MPYVERSION?
        < +MPYVERSION:"{usual}"⏎⏎OK⏎
        > AT+SYSSTORE=0
        < ⏎OK⏎
        > AT+MPYVERSION="3.2.0.0"
        < ⏎OK⏎
        > AT+GMR
        ~ AT version:3\\.2\\.0\\.0\\(.*?⏎⏎OK⏎
        > AT+MPYVERSION="3.2.x"
        < ⏎ERROR⏎
        > AT+MPYVERSION="3..2"
        < ⏎ERROR⏎
        """
        + RESTART
        + f"""
        > AT+MPYVERSION?
        < +MPYVERSION:"3.2.0.0"⏎⏎OK⏎
        > AT+GMR
        ~ AT version:3\\.2\\.0\\.0\\(.*?⏎⏎OK⏎
        > AT+MPYVERSION=""
        < ⏎OK⏎
        > AT+MPYVERSION?
        < +MPYVERSION:"{usual}"⏎⏎OK⏎
        """,
    )


def test_cipclosemode(play_online):
    """With a reset the peer reads no end of the data but an error."""
    play_online("""
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPCLOSEMODE=1
        < ⏎OK⏎
        > AT+CIPCLOSEMODE=2
        < ⏎ERROR⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        web broken
        > AT+CIPCLOSEMODE=0
        < ⏎OK⏎
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        web ended
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPCLOSEMODE=1
        < ⏎ERROR⏎
        > AT+CIPCLOSEMODE=3,1
        < ⏎OK⏎
        > AT+CIPSTART=3,"TCP","127.0.0.1",{web}
        < 3,CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPCLOSE=3
        < 3,CLOSED⏎⏎OK⏎
        web broken
    """)


LEVELS = {
    "esp32": [(40, 34), (43, 34), (44, 44), (51, 44), (52, 52), (56, 56), (60, 60), (66, 66), (77, 72), (78, 78)],
    "esp8266": [(40, 32), (48, 48), (56, 56), (64, 64), (68, 68), (74, 74), (78, 78), (81, 78), (82, 82)],
}


@BOARDS
def test_rfpower(start, board):
    module = start("--board", board)
    top = LEVELS[board][-1][0]
    module.send("AT+RFPOWER?")
    module.expect(f"+RFPOWER:{top}⏎⏎OK⏎")
    for wanted, actual in LEVELS[board]:
        module.command(f"AT+RFPOWER={wanted}")
        module.send("AT+RFPOWER?")
        module.expect(f"+RFPOWER:{actual}⏎⏎OK⏎")
    module.command("AT+SYSLOG=1")
    for wrong in (39, top + 1):
        module.send(f"AT+RFPOWER={wrong}")
        module.expect("ERR CODE:0x01070000⏎⏎ERROR⏎")
    module.settled()


def test_rfpower_of_a_radio_that_is_off(play):
    """The ESP32's refuses it."""
    play("""
        > AT+CWMODE=0
        < ⏎OK⏎
        > AT+RFPOWER=40
        < ⏎ERROR⏎
    """)
