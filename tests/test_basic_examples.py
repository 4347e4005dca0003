"""Each example of the manual's Basic chapter, in the manual's order, on each chip that has the command.
Where the example is for another chip, as those of SYSREG are, the same is done with this one's numbers."""

import pytest
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
TEST_NETWORK = '[[ap]]\nssid = "test"\npassword = "1234567890"\n'
RESTART = "> AT+RST\n < ⏎OK⏎⏎ready⏎{}\n > ATE0\n < ATE0⏎⏎OK⏎\n"

EXAMPLES = {
    "AT": "> AT\n < ⏎OK⏎",
    "GMR": r"""
        > AT+GMR
        ~ AT version:\d\.\d\.\d\.\d\(\w{7} - ESP\w+ - [^)]*\)⏎
        ~ SDK version:v[\d.]+⏎compile time\(\w{7}\):.*?⏎Bin version:.*?⏎⏎OK⏎
    """,
    "UART_DEF": """
        > AT+UART_DEF=115200,8,1,0,3
        < ⏎OK⏎
        > AT+UART_DEF?
        < +UART_DEF:115200,8,1,0,3⏎⏎OK⏎
    """,
    "UART_CUR": """
        > AT+UART_CUR=115200,8,1,0,3
        < ⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,3⏎⏎OK⏎
    """,
    "SLEEP": """
        > AT+SLEEP=0
        < ⏎OK⏎
        > AT+SLEEP?
        < +SLEEP:0⏎⏎OK⏎
    """,
    "SYSRAM": r"""
        > AT+SYSRAM?
        ~ \+SYSRAM:\d+,\d+⏎⏎OK⏎
    """,
    "SYSMSG": """
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:2⏎⏎OK⏎
    """,
    "SYSTIMESTAMP": r"""
        > AT+SYSTIMESTAMP=1565853509
        < ⏎OK⏎
        > AT+SYSTIMESTAMP?
        ~ \+SYSTIMESTAMP:15658535\d\d⏎⏎OK⏎
        > AT+CIPSNTPTIME?
        ~ \+CIPSNTPTIME:Thu Aug 15 07:18:\d\d 2019⏎⏎OK⏎
    """,
    "SYSLOG": """
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+FAKE
        < ERR CODE:0x01090000⏎⏎ERROR⏎
        > AT+SYSLOG=0
        < ⏎OK⏎
        > AT+FAKE
        < ⏎ERROR⏎
    """,
    "SLEEPWKCFG": "> AT+SLEEPWKCFG=2,12,0\n < ⏎OK⏎",
    "SYSREG esp32": """
        > AT+SYSREG=1,0x3FF4402C,0x2
        < ⏎OK⏎
        > AT+SYSREG=1,0x3FF44010,0x2
        < ⏎OK⏎
        > AT+SYSREG=0,0x3FF44010
        < +SYSREG:0x2⏎⏎OK⏎
        > AT+SYSREG=1,0x3FF44010,0x0
        < ⏎OK⏎
    """,
    "SYSREG esp8266": """
        > AT+SYSREG=1,0x6000030C,0x2
        < ⏎OK⏎
        > AT+SYSREG=1,0x60000300,0x2
        < ⏎OK⏎
        > AT+SYSREG=0,0x60000300
        < +SYSREG:0x2⏎⏎OK⏎
    """,
}
# Neither flow control nor a pin that wakes it: not with MicroPython's port for it.
NOT_ON_ESP8266 = ("UART_DEF", "UART_CUR", "SLEEPWKCFG")


@BOARDS
def test_examples(start, board):
    module = start("--board", board)
    for name, text in EXAMPLES.items():
        if name.endswith(("esp32", "esp8266")) and not name.endswith(board):
            continue
        if board == "esp8266" and name in NOT_ON_ESP8266:
            text = text.split("<")[0] + "< ⏎ERROR⏎"
        play_transcript(module, text)


@BOARDS
def test_sysstore(start, board):
    module = start("--board", board, wifi=TEST_NETWORK)
    joins = '> AT+CWJAP="test","1234567890"\n < {}WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎\n'
    for text in (
        "> AT+SYSSTORE=0\n < ⏎OK⏎\n > AT+CWMODE=1\n < ⏎OK⏎",
        joins.format(""),
        RESTART.format(""),
        '> AT+CWSTATE?\n < +CWSTATE:0,""⏎⏎OK⏎',
        "> AT+SYSSTORE=1\n < ⏎OK⏎\n > AT+CWMODE=3\n < ⏎OK⏎",
        joins.format(""),
        RESTART.format("WIFI CONNECTED⏎WIFI GOT IP⏎"),
        "> AT+CWMODE?\n < +CWMODE:3⏎⏎OK⏎",
    ):
        play_transcript(module, text)


@BOARDS
def test_what_is_not_there_is_an_error(start, board):
    """Bluetooth."""
    module = start("--board", board)
    module.command("AT+SYSLOG=1")
    lines = ["AT+BLEINIT=2", "AT+BLEINIT?", "AT+BLENAME?", "AT+BTINIT=1", "AT+BLUFI=1"]
    for line in lines:
        module.send(line)
        module.expect("ERR CODE:0x01090000⏎⏎ERROR⏎")
    module.settled()
