"""AT+USERWKMCUCFG and AT+USERMCUSLEEP: a host that sleeps is woken before something is reported to it."""

import pytest
from transcript import play


def test_a_pin_wakes_the_host(start, board):
    """The level stays until the host says that it is awake; then comes what waited, in its order."""
    play(
        start("--board", board).join(),
        """
        > AT+USERWKMCUCFG=1,1,4,1,60000
        < ⏎OK⏎
        ! pin 4 is low
        peer web
        link web
        web sends one
        < ⏎+IPD,3:one
        > AT+USERMCUSLEEP=1
        < ⏎OK⏎
        web sends two
        ? pin 4 is high
        web closes
        > AT+USERMCUSLEEP=0
        < ⏎OK⏎⏎+IPD,3:twoCLOSED⏎
        ! pin 4 is low
        > AT+USERWKMCUCFG=0
        < ⏎OK⏎
        """,
    )


def test_a_level_that_is_low(start, board):
    play(
        start("--board", board).join(),
        """
        > AT+USERWKMCUCFG=1,1,4,0,60000
        < ⏎OK⏎
        ! pin 4 is high
        > AT+USERMCUSLEEP=1
        < ⏎OK⏎
        ! ap down mpy-at
        ? pin 4 is low
        > AT+USERMCUSLEEP=0
        < ⏎OK⏎WIFI DISCONNECT⏎
        ! pin 4 is high
        """,
    )


@pytest.mark.parametrize("board, number", [("esp32", 1), ("esp8266", 0)])
def test_a_byte_wakes_the_host(start, board, number):
    """After the delay it is told in any case, and has to be woken again for the next report."""
    play(
        start("--board", board).join(),
        f"""
        > AT+USERWKMCUCFG=1,2,{number},85,50
        < ⏎OK⏎
        peer web
        link web
        > AT+USERMCUSLEEP=1
        < ⏎OK⏎
        web sends one
        < U⏎+IPD,3:one
        web sends two
        < U⏎+IPD,3:two
        > AT+USERWKMCUCFG=0
        < ⏎ERROR⏎
        > AT+USERMCUSLEEP=0
        < ⏎OK⏎
        web sends three
        < ⏎+IPD,5:three
        """,
    )


def test_awake_after_the_delay(start, board):
    """Bit 2 of the last parameter."""
    number = 1 if board == "esp32" else 0
    play(
        start("--board", board).join(),
        f"""
        > AT+USERWKMCUCFG=1,2,{number},85,0,5
        < ⏎OK⏎
        peer web
        link web
        > AT+USERMCUSLEEP=1
        < ⏎OK⏎
        web sends one
        < U⏎+IPD,3:one
        web sends two
        < ⏎+IPD,3:two
        """,
    )


def test_sleep_says_how_the_host_is(start, board):
    """Bit 1: AT+SLEEP does, and AT+USERMCUSLEEP does not count."""
    number = 1 if board == "esp32" else 0
    play(
        start("--board", board).join(),
        f"""
        > AT+USERWKMCUCFG=1,2,{number},85,60000,2
        < ⏎OK⏎
        peer web
        link web
        > AT+USERMCUSLEEP=1
        < ⏎OK⏎
        web sends one
        < ⏎+IPD,3:one
        > AT+SLEEP=1
        < ⏎OK⏎
        web sends two
        < U
        > AT+SLEEP=0
        < ⏎OK⏎⏎+IPD,3:two
        """,
    )


def test_data_of_the_host_while_it_is_called(start, board):
    """A prompt holds reports as well: what waits for both comes when both are over."""
    module = start("--board", board).join()
    play(
        module,
        """
        > AT+USERWKMCUCFG=1,1,4,1,60000
        < ⏎OK⏎
        peer web
        link web
        > AT+USERMCUSLEEP=1
        < ⏎OK⏎
        > AT+CIPSEND=3
        < ⏎OK⏎⏎>
        web sends abc
        >> xyz
        < ⏎Recv 3 bytes⏎⏎SEND OK⏎
        web gets xyz
        > AT+USERMCUSLEEP=0
        < ⏎OK⏎⏎+IPD,3:abc
        """,
    )


@pytest.mark.parametrize("board, port, other", [("esp32", 1, 0), ("esp8266", 0, 1)])
def test_what_is_refused(start, board, port, other):
    module = start("--board", board)
    flash, tx = (8, 17) if board == "esp32" else (9, 1)
    wrong = ["1", "1,1,4,1", "1,0,4,1,10", "1,3,4,1,10", "1,1,4,2,10", "1,1,4,1,60001", "1,1,4,1,10,8", "2", ""]
    wrong += [
        f"1,2,{other},1,10",
        "1,2,,1,10",
        f"1,2,{port},256,10",
        f"1,1,{flash},1,10",
        f"1,1,{tx},1,10",
        "1,1,48,1,10",
    ]
    if board == "esp32":
        wrong.append("1,1,34,1,10")  # it can only be an input
    for parameters in wrong:
        module.send(f"AT+USERWKMCUCFG={parameters}")
        module.expect("⏎ERROR⏎")
    module.command("AT+USERWKMCUCFG=0")
    module.send("AT+USERMCUSLEEP=1")
    module.expect("⏎ERROR⏎")
    module.command("AT+USERWKMCUCFG=1,1,4,1,10")
    module.send("AT+USERWKMCUCFG=1,1,5,1,10")
    module.expect("⏎ERROR⏎")
    module.send("AT+USERMCUSLEEP=2")
    module.expect("⏎ERROR⏎")
    module.settled()
