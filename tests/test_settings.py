"""What survives a restart, a power cycle and a power cut, and what AT+RESTORE forgets.
Settings that are damaged all the same cost no more than themselves."""

import itertools
import time
from pathlib import Path

import pytest
from module import LIMIT
from mpyat.build import write_flash
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
RESTARTED = """
    > ATE0
    < ATE0⏎⏎OK⏎
"""
RESTART = "> AT+RST\n < ⏎OK⏎⏎ready⏎" + RESTARTED
POWER_CYCLE = "! power cycle\n < ⏎ready⏎" + RESTARTED


@BOARDS
def test_restore(start, board):
    play_transcript(
        start("--board", board),
        """
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+UART_DEF=9600,8,1,0,0
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+RESTORE
        < ⏎OK⏎⏎ready⏎
        """
        + RESTARTED
        + """
        > AT+CWMODE?
        < +CWMODE:1⏎⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:0⏎⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        > AT+CWJAP
        < ⏎ERROR⏎
        > AT+RESTORE?
        < ⏎ERROR⏎
        """,
    )


@pytest.mark.parametrize("again", ["AT+RST", "power"])
@pytest.mark.parametrize("store", [0, 1])
@BOARDS
def test_what_is_saved(start, board, store, again):
    play_transcript(
        start("--board", board),
        f"""
        > AT+SYSMSG=1
        < ⏎OK⏎
        > AT+SYSSTORE={store}
        < ⏎OK⏎
        > AT+CWMODE=2
        < ⏎OK⏎
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+CWMODE?
        < +CWMODE:2⏎⏎OK⏎
        """
        + (POWER_CYCLE if again == "power" else RESTART)
        + f"""
        > AT+CWMODE?
        < +CWMODE:{1 + store}⏎⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:{1 + store}⏎⏎OK⏎
        """,
    )


def test_settings_stay_on_the_flash_of_a_module_that_was_off(start, tmp_path):
    flash = tmp_path / "flash.img"
    first = start("--flash", flash)
    first.command("AT+CWMODE=3")
    first.command("AT+SYSMSG=3")
    first.stop()
    second = start("--flash", flash)
    second.send("AT+CWMODE?")
    second.expect("+CWMODE:3⏎⏎OK⏎")
    second.send("AT+SYSMSG?")
    second.expect("+SYSMSG:3⏎⏎OK⏎")


def has_power(module):
    """Whether the chip runs, which is the only child of the simulator."""
    pid = module.process.pid
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def mode_after(module):
    """Starts the module anew and asks it for its mode."""
    assert module.control("power cycle") == "ok"
    module.match(r".*\r\nready\r\n")
    module.send("AT+CWMODE?")
    return int(module.match(r"AT\+CWMODE\?\r\n\+CWMODE:(\d)\r\n\r\nOK\r\n")[1])


@BOARDS
def test_a_power_cut_leaves_the_old_setting_or_the_new(start, board):
    """The power goes after the first, the second, ... write to the flash, until saving needs no more of them."""
    module = start("--board", board)
    module.command("AT+CWMODE=2")
    mode = 2
    for writes in itertools.count(1):
        assert module.control(f"power cut after {writes} writes") == "ok"
        module.send(f"AT+CWMODE={5 - mode}")
        deadline = time.monotonic() + LIMIT
        while has_power(module) and not module.said():
            assert time.monotonic() < deadline
        done = has_power(module)
        found = mode_after(module)
        assert found in (mode, 5 - mode)
        assert not done or found == 5 - mode
        if done:
            break
        mode = found
    assert writes > 3
    assert "damaged" not in module.console()


@BOARDS
@pytest.mark.parametrize("text", ["", '{"CWMODE": [3', "[]", "\0" * 50], ids=["empty", "cut", "list", "zeros"])
def test_damaged_settings_are_set_aside(start, tmp_path, board, text):
    flash, settings = tmp_path / "flash.img", tmp_path / "settings.json"
    first = start("--board", board, "--flash", flash)
    first.command("AT+CWMODE=3")
    first.stop()
    settings.write_text(text)
    write_flash(flash, {"/settings.json": settings})
    second = start("--board", board, "--flash", flash)
    assert "settings: damaged, set aside as /settings.bad" in second.console()
    play_transcript(
        second,
        """
        > AT+CWMODE?
        < +CWMODE:1⏎⏎OK⏎
        > AT+CWMODE=2
        < ⏎OK⏎
        """
        + RESTART
        + """
        > AT+CWMODE?
        < +CWMODE:2⏎⏎OK⏎
        """,
    )
    assert second.console().count("damaged") == 1
