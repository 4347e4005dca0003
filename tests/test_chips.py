"""Which chip the firmware takes a board for, which MicroPython it runs on, and what it does where it cannot start.
The names are those of ports/esp32/boards/*/mpconfigboard.h and mpconfigvariant_*.cmake of MicroPython 1.29."""

import time

import pytest
from module import LIMIT
from mpyat.board_port import BoardError
from mpyat.chips import CHIPS
from mpyat.deploy import Board
from mpyat.sources import oldest_micropython
from prompt import mpremote, to_the_prompt

# MICROPY_HW_BOARD_NAME and, for those that share one, how often; MICROPY_HW_MCU_NAME; and the chip.
BOARDS = """
Arduino Nano ESP32|ESP32-S3|ESP32S3
Generic ESP32 module|ESP32|ESP32
Generic ESP32 module|ESP32-D2WD|ESP32
Generic ESP32 module with OTA|ESP32|ESP32
Generic ESP32 module|ESP32-UNICORE|ESP32
ESP32C2 module|ESP32-C2|ESP32C2
Generic ESP32-C2 module with 2MiB Flash|ESP32-C2|ESP32C2
ESP32C3 module|ESP32-C3|ESP32C3
Generic ESP32C3 module with QEMU|ESP32-C3|ESP32C3
ESP32C5 module|ESP32-C5|ESP32C5
ESP32C6 module|ESP32-C6|ESP32C6
ESP32H2 module|ESP32-H2|ESP32H2
Generic ESP32P4 module|ESP32-P4|ESP32P4
Generic ESP32P4 module with WIFI module of external ESP32C5|ESP32-P4|ESP32P4
Generic ESP32P4 module with WIFI module of external ESP32C6|ESP32-P4|ESP32P4
Generic ESP32P4 with pre revision 3 chip|ESP32-P4|ESP32P4
Generic ESP32P4 module with pre revision 3 chip and ESP32C5 hosted WIFI|ESP32-P4|ESP32P4
Generic ESP32P4 module with pre revision 3 chip and ESP32C6 hosted WIFI|ESP32-P4|ESP32P4
Generic ESP32S2 module|ESP32-S2|ESP32S2
Generic ESP32S3 module|ESP32-S3|ESP32S3
Generic ESP32S3 module with Octal-SPIRAM|ESP32-S3|ESP32S3
PYBSTICK26_ESP32C3|ESP32-C3|ESP32C3
LILYGO T3-S3|ESP32-S3|ESP32S3
LILYGO TTGO LoRa32|ESP32|ESP32
LOLIN_C3_MINI|ESP32-C3FH4|ESP32C3
LOLIN_S2_MINI|ESP32-S2FN4R2|ESP32S2
LOLIN_S2_PICO|ESP32-S2FN4R2|ESP32S2
M5Stack ATOM|ESP32-PICO-D4|ESP32
M5Stack AtomS3 Lite|ESP32-S3|ESP32S3
M5Stack NanoC6|ESP32-C6|ESP32C6
M5Stack NanoH2|ESP32-H2|ESP32H2
Olimex ESP32 ETH|ESP32|ESP32
Seeed XIAO ESP32C3|ESP32-C3|ESP32C3
Seeed XIAO ESP32C5|ESP32-C5|ESP32C5
Seeed XIAO ESP32C6|ESP32-C6|ESP32C6
Seeed XIAO ESP32S3|ESP32-S3|ESP32S3
Silicognition ManT1S|ESP32-PICO-V3-02|ESP32
Silicognition wESP32|ESP32|ESP32
Soldered NULA Mini|ESP32-C6|ESP32C6
SparkFun IoT RedBoard ESP32|ESP32|ESP32
SparkFun Thing Plus ESP32-C5|ESP32-C5|ESP32C5
FeatherS2|ESP32-S2|ESP32S2
FeatherS2 Neo|ESP32-S2FN4R2|ESP32S2
FeatherS3|ESP32-S3|ESP32S3
FeatherS3 Neo|ESP32-S3|ESP32S3
NanoS3|ESP32-S3-FN8|ESP32S3
OMGS3|ESP32-S3-PICO-1-N8R2|ESP32S3
ProS3|ESP32-S3|ESP32S3
RGB Touch Mini|ESP32-S3-PICO-1-N8R2|ESP32S3
Unexpected Maker TinyC6|ESP32-C6|ESP32C6
TinyPICO|ESP32-PICO-D4|ESP32
TinyS2|ESP32-S2FN4R2|ESP32S2
TinyS3|ESP32-S3-FN8|ESP32S3
TinyWATCH S3|ESP32-S3-PICO-1-N8R2|ESP32S3
Waveshare ESP32-S3-Pico|ESP32-S3|ESP32S3
"""
# As they were called before 1.29.
OLD = """
Generic ESP32S3 module|ESP32S3|ESP32S3
ESP32C6 module|ESP32C6|ESP32C6
Generic ESP32P4 module with WIFI module of external ESP32C6|ESP32P4|ESP32P4
"""
TAKEN_FOR = """
import sys
for name in {names!r}:
    import firmware.board.esp32 as board
    board.variant(name)
    print(board.CHIP, board.TX, board.RX, board.RTS, board.CTS, board.FLOW_CONTROL)
    del sys.modules["firmware.board.esp32"]
"""


def test_every_board_is_taken_for_what_it_is(module):
    """The pins are there on its chip, and are not those of the memory in a PICO; a chip without pins has the port's."""
    rows = [line.split("|") for line in (BOARDS + OLD).strip().split("\n") if line]
    to_the_prompt(module)
    said = mpremote(module, "exec", TAKEN_FOR.format(names=[f"{name} with {mcu}" for name, mcu, _ in rows]))
    found = [line.split() for line in said.splitlines()]
    assert [line[0] for line in found] == [chip for _, _, chip in rows]
    for (_, mcu, chip), (_, *pins, flow) in zip(rows, found, strict=True):
        if chip in CHIPS:
            assert CHIPS[chip].pins >= set(map(int, pins)) and flow == "True"
            assert "PICO-D" not in mcu or not {"16", "17"} & set(pins)
        else:
            assert pins == ["None"] * 4 and flow == "False"


@pytest.mark.parametrize("chip", [chip for chip in CHIPS if chip != "ESP8266"])
def test_every_chip_starts(start, chip):
    """As its own, at pins that it has."""
    module = start("--chip", chip)
    module.send("AT+GMR")
    module.match(rf"AT version:4\.1\.0\.0\(\w+ - {chip.partition('-')[0]} - .*OK\r\n")
    module.send("AT+MPYINFO?")
    module.match(rf'.*"{CHIPS[chip].machine((1, 29))}",.*OK\r\n')
    assert "board" not in module.console()
    pins = {"17", "16"} if chip == "ESP32" else {"22", "19"}
    if chip.partition("-")[0] == "ESP32":
        to_the_prompt(module)
        code = "from firmware import board; b = board.load(); print(b.TX, b.RX)"
        assert set(mpremote(module, "exec", code).split()) == pins


def said(module, text):
    """Waits until the chip's console has a text; returns how often it has."""
    deadline = time.monotonic() + LIMIT
    while text not in module.console():
        assert time.monotonic() < deadline, module.console()
        time.sleep(0.02)
    return module.console().count(text)


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
def test_a_port_that_cannot_be_had_ends_at_the_prompt(start, board):
    """And in no restart: there is no /board.json that would be to blame."""
    module = start("--board", board)
    to_the_prompt(module)
    mpremote(module, "exec", WRITE.format("/bench.json", '{"uart": 7}'), "reset")
    assert said(module, "the AT port cannot be had on this chip:\nUART(7) does not exist\n") == 1
    if board == "esp8266":
        module.match(r"(?s).*>>> ")
        assert mpremote(module, "exec", "print(6 * 7)") == "42\n"
    assert module.process.poll() is None and module.console().count("cannot be had") == 1


WRITE = """
with open({!r}, "w") as file:
    file.write({!r})
"""
TOO_OLD = {
    "esp32": ("1.28", "this firmware needs MicroPython 1.29 or newer, and this is 1.28\n"),
    "esp8266": ("1.24", "this firmware needs MicroPython 1.25 or newer, and this is 1.24\n"),
}


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
@pytest.mark.parametrize("options", [("esp32",), ("esp32", "--usb"), ("esp8266",)], ids=" ".join)
def test_a_micropython_that_is_too_old(start, options):
    """One line, then MicroPython's prompt; make deploy brings no firmware there."""
    version, line = TOO_OLD[options[0]]
    module = start("--board", *options, "--port-version", version, ready=False)
    if options == ("esp32",):
        assert said(module, line) == 1
        return
    module.match(r"(?s).*>>> ")
    assert line in module.console() or "--usb" in options
    module.close()
    needed = ".".join(map(str, oldest_micropython(options[0])))
    with pytest.raises(BoardError, match=rf"MicroPython {version}\.0 cannot run this firmware, which needs {needed} "):
        Board(module.port)


def test_a_trial_on_a_micropython_that_is_too_old(start):
    """Its timer can be had in each version, and after three starts boot.py goes to the other slot."""
    module = start("--usb", "--port-version", "1.28", ready=False)
    module.match(r"(?s).*>>> ")
    mpremote(module, "exec", WRITE.format("/slot", "0 1 0 9.0.0 0.1.0"))
    module.close()
    module.open()
    module.write(b"import machine; machine.reset()\r\n")
    line = TOO_OLD["esp32"][1].replace("\n", "\r\n").replace(".", r"\.")
    module.match(rf"(?s).*?({line}){{2}}{line}MicroPython.*?>>> ")
    assert mpremote(module, "exec", "print(open('/slot').read())") == "1 0 1 - 0.1.0\n"


def test_there_is_no_ipv6(start, board):
    """No port gives a program addresses of it, so nothing that asks for it is taken, and nothing is asked for."""
    module = start("--board", board).join()
    module.send("AT+CIPV6=1")
    module.expect("⏎ERROR⏎")
    module.send("AT+CIPV6?")
    module.expect("+CIPV6:0⏎⏎OK⏎")
    module.command("AT+CIPV6=0")
    for line in ('CIPSTART="TCPv6","::1",80', 'CIPSTART="UDPv6","::1",80', 'CIPDOMAIN="localhost",3', 'PING="::1"'):
        module.send(f"AT+{line}")
        module.match(r"(\+PING:TIMEOUT\r\n)?\r\nERROR\r\n")
    module.settled()


@pytest.mark.parametrize("chip", CHIPS)
def test_temperature_and_loader(start, chip):
    """Where the port has them; elsewhere both are an ERROR, and the module goes on."""
    there = CHIPS[chip]
    module = start("--board", there.board, "--chip", chip)
    module.send("AT+SYSTEMP?")
    module.expect("+SYSTEMP:21.00⏎⏎OK⏎" if there.sensor else "⏎ERROR⏎")
    for line in ("AT+RST=0", "AT+RST"):
        module.send(line)
        module.expect("⏎OK⏎⏎ready⏎")
        module.send("ATE0")
        module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+RST=2")
    module.expect("⏎ERROR⏎")
    module.send("AT+RST=1")
    if not there.loader:
        module.expect("⏎ERROR⏎")
        module.settled()
        return
    module.expect("⏎OK⏎")
    assert said(module, "atsim: the chip is in its loader\n") == 1
    # There it hears no AT until it is switched off and on.
    assert module.control("power cycle") == "ok"
    module.expect("⏎ready⏎")
