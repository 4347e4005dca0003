"""Sleep: deep sleep to its end by time and by the reset pin, light sleep and what wakes it, and the modes of the radio.
In deep sleep the chip's process is gone; in light sleep it waits for an answer, and nothing of it runs."""

import time

import pytest
from flashimage import has_power
from module import LIMIT
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
RESTARTED = "> ATE0\n < ATE0⏎⏎OK⏎\n"


def fall_asleep(module):
    """Waits until the module sleeps, as the bench sees it."""
    deadline = time.monotonic() + LIMIT
    while module.control("asleep") != "ok":
        assert time.monotonic() < deadline
        time.sleep(0.005)


@BOARDS
def test_gslp_ends_with_a_clean_start(start, board):
    module = start("--board", board)
    module.command("AT+CWMODE=3")
    module.command("AT+SYSTIMESTAMP=1565853509")
    module.command("AT+CIPMUX=1")
    began = time.monotonic()
    module.send("AT+GSLP=300")
    module.expect("300⏎⏎OK⏎")
    fall_asleep(module)
    assert not has_power(module)
    # Nothing that comes while it sleeps is heard.
    module.write(b"AT+CWMODE=0\r\nAT\r\n")
    module.expect("⏎ready⏎")
    assert time.monotonic() - began >= 0.3
    play_transcript(
        module,
        RESTARTED
        + """
        > AT+CWMODE?
        < +CWMODE:3⏎⏎OK⏎
        > AT+CIPMUX?
        < +CIPMUX:0⏎⏎OK⏎
        # The clock goes on.
        > AT+SYSTIMESTAMP?
        ~ \\+SYSTIMESTAMP:15658535\\d\\d⏎⏎OK⏎
        """,
    )


@BOARDS
def test_gslp_and_the_reset_pin(start, board):
    module = start("--board", board)
    for end in ("wake", "power cycle"):
        module.send("AT+GSLP=3600000")
        module.expect("3600000⏎⏎OK⏎")
        fall_asleep(module)
        assert not has_power(module)
        assert module.control(end) == "ok"
        play_transcript(module, "< ⏎ready⏎\n" + RESTARTED)
    assert module.control("wake") == "error: the module does not sleep, or no pin wakes it"
    assert module.control("asleep") == "error: the module is awake, or off"


def test_gslp_zero(start):
    """The ESP32 starts anew at once, the ESP8266 stays asleep."""
    module = start("--board", "esp32")
    play_transcript(module, "> AT+GSLP=0\n < 0⏎⏎OK⏎⏎ready⏎\n" + RESTARTED)
    module = start("--board", "esp8266")
    module.send("AT+GSLP=0")
    module.expect("0⏎⏎OK⏎")
    fall_asleep(module)
    assert not has_power(module)
    assert module.control("wake") == "ok"
    play_transcript(module, "< ⏎ready⏎\n" + RESTARTED)


@pytest.mark.parametrize("board, most", [("esp32", 2147483647), ("esp8266", 4294967)])
def test_gslp_limits(start, board, most):
    module = start("--board", board)
    module.command("AT+SYSLOG=1")
    module.send(f"AT+GSLP={most + 1}")
    module.expect("ERR CODE:0x01070000⏎⏎ERROR⏎")
    module.send("AT+GSLP?")
    module.expect("ERR CODE:0x010c0000⏎⏎ERROR⏎")
    module.send(f"AT+GSLP={most}")
    module.expect(f"{most}⏎⏎OK⏎")
    fall_asleep(module)
    assert not has_power(module)


@BOARDS
def test_gslp_closes_what_is_open(start, board):
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    play_transcript(
        module,
        """
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+GSLP=100
        < 100⏎⏎OK⏎
        web ended
        < ⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        """
        + RESTARTED,
    )


@pytest.mark.parametrize(
    "board, shown", [("esp32", {0: 0, 1: 1, 2: 3, 3: 3}), ("esp8266", {0: 0, 1: 1, 2: 3})], ids=["esp32", "esp8266"]
)
def test_sleep_modes(start, board, shown):
    module = start("--board", board)
    module.send("AT+SLEEP?")
    module.expect("+SLEEP:1⏎⏎OK⏎")
    for mode in range(5):
        module.send(f"AT+SLEEP={mode}")
        module.expect("⏎OK⏎" if mode in shown else "⏎ERROR⏎")
        if mode in shown:
            module.send("AT+SLEEP?")
            module.expect(f"+SLEEP:{shown[mode]}⏎⏎OK⏎")
            module.command("AT+SLEEP=0")
    # Only without softAP; the ESP8266's port sets nothing of a station that is off.
    for mode, answer in ((3, "ERROR"), (2, "ERROR"), (1, "OK"), (0, "OK" if board == "esp32" else "ERROR")):
        module.command(f"AT+CWMODE={mode}")
        module.send("AT+SLEEP=1")
        module.expect(f"⏎{answer}⏎")
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+SLEEP?")
    module.expect("+SLEEP:1⏎⏎OK⏎")


def test_sleepwkcfg(start):
    module = start("--board", "esp32")
    module.command("AT+SYSLOG=1")
    module.command("AT+SLEEPWKCFG=2,12,0")
    for line, code in (
        ("AT+SLEEPWKCFG=0,1000", "01060302"),
        ("AT+SLEEPWKCFG=1,1000,0", "01070000"),
        ("AT+SLEEPWKCFG=2,6,0", "01070001"),
        ("AT+SLEEPWKCFG=2,12,2", "01070002"),
        # The AT port's own pins.
        ("AT+SLEEPWKCFG=2,17,0", "01070001"),
        ("AT+SLEEPWKCFG=2,16,0", "01070001"),
        ("AT+SLEEPWKCFG?", "010c0000"),
    ):
        module.send(line)
        module.expect(f"ERR CODE:0x{code}⏎⏎ERROR⏎")
    module.command("AT+SLEEPWKCFG=2,14,0")
    module.command("AT+UART_CUR=115200,8,1,0,3")
    module.send("AT+SLEEPWKCFG=2,14,0")
    module.expect("ERR CODE:0x01070001⏎⏎ERROR⏎")
    # MicroPython's port for the ESP8266 has no wake-up by pins.
    module = start("--board", "esp8266")
    module.send("AT+SLEEPWKCFG=2,12,0")
    module.expect("⏎ERROR⏎")


def test_light_sleep_lasts_until_the_pin_wakes_it(start):
    module = start("--board", "esp32")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    play_transcript(
        module,
        """
        ! pin 12 high
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+SLEEPWKCFG=2,12,1
        < ⏎OK⏎
        > AT+SLEEP=2
        < ⏎OK⏎
        # While the pin has its level the module is awake.
        > AT+CIPSEND=2
        < ⏎OK⏎⏎>
        >> hi
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        web gets hi
        ! pin 12 low
        < CLOSED⏎WIFI DISCONNECT⏎
        web ended
        """,
        settled=False,
    )
    fall_asleep(module)
    module.write(b"AT+GMR\r\n")
    assert module.control("asleep") == "ok" and not module.said()
    assert module.control("pin 12 high") == "ok"
    play_transcript(
        module,
        """
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+SLEEP=0
        < ⏎OK⏎
        ! pin 12 low
        > AT+CWSTATE?
        < +CWSTATE:2,"mpy-at"⏎⏎OK⏎
        """,
    )


def test_light_sleep_begins_again_after_a_pulse(start):
    module = start("--board", "esp32")
    module.command("AT+CWMODE=0")
    module.command("AT+SLEEPWKCFG=2,12,0")
    assert module.control("pin 12 high") == "ok"
    module.command("AT+SLEEP=2")
    fall_asleep(module)
    assert module.control("wake") == "ok"
    module.command("AT")
    fall_asleep(module)
    # A reset ends it as well, and deep sleep is possible after it.
    assert module.control("power cycle") == "ok"
    play_transcript(module, "< ⏎ready⏎\n" + RESTARTED + "> AT+GSLP=50\n < 50⏎⏎OK⏎⏎ready⏎\n" + RESTARTED)


def test_light_sleep_without_a_pin_lasts_until_a_reset(start):
    """As the manual warns."""
    module = start("--board", "esp32")
    module.command("AT+CWMODE=0")
    module.command("AT+SLEEP=2")
    fall_asleep(module)
    assert module.control("wake") == "error: the module does not sleep, or no pin wakes it"
    assert module.control("pin 12 high") == "ok"
    assert module.control("asleep") == "ok"
    assert module.control("power cycle") == "ok"
    play_transcript(module, "< ⏎ready⏎\n" + RESTARTED)
