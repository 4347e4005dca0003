"""What a board is told about its UART: by the chip's kind, and by /board.json on the flash."""

import re

import pytest
from mpyat import catalog, sources
from mpyat.manual import OTHER_CHAPTERS, REASONS, TITLES, names
from prompt import mpremote, to_the_prompt

WRITE = """
with open("/board.json", "w") as file:
    file.write('{"tx": %d, "rx": %d, "baud": 57600}')
"""


def at_the_prompt(module, code, *more):
    """Runs code at MicroPython's prompt; returns what is printed."""
    to_the_prompt(module)
    return mpremote(module, "exec", code, *more)


def test_wiring_in_the_docs(module):
    """The table is what the chips do."""
    text = (sources.root() / "docs" / "getting-started.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:7]] for line in text.splitlines() if line.startswith("| ESP")]
    names = [name.strip() for row in rows[:-1] for name in row[0].split(",")]
    lines = [row[1:] for row in rows[:-1] for _ in row[0].split(",")]
    code = "import sys\n"
    for name in names:
        code += "import firmware.board.esp32 as b\n"
        if "SPIRAM" not in name:  # that is a matter of the pins that are there, see test_chips.py
            code += f"b.variant('A module with {name}')\n"
        else:
            code += "b.TX, b.RX = b._ELSEWHERE[:2]\n"
        code += "print(b.CHIP, b.UART, b.TX, b.RX, b.RTS, b.CTS)\ndel sys.modules['firmware.board.esp32']\n"
    found = [line.split() for line in at_the_prompt(module, code).splitlines()]
    chips = [re.match(r"ESP32(-[CS]\d)?", name)[0].replace("-", "") for name in names]
    assert found == [[chip, *line] for chip, line in zip(chips, lines, strict=True)]
    assert {"ESP32", "ESP32C2", "ESP32C3", "ESP32C5", "ESP32C6", "ESP32S2", "ESP32S3"} == set(chips)
    assert rows[-1][0] == "ESP8266"


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
@pytest.mark.parametrize("board, tx, rx", [("esp32", 22, 19), ("esp8266", 15, 13)])
def test_board_json(start, board, tx, rx):
    """Other pins and another rate: the firmware starts with them, and the prompt is there when it is asked for."""
    module = start("--board", board)
    at_the_prompt(module, WRITE % (tx, rx), "reset")
    module.expect("⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+UART_CUR?")
    module.expect("+UART_CUR:57600,8,1,0,0⏎⏎OK⏎")
    module.command("AT+UART_CUR=921600,8,3,1,0")
    assert at_the_prompt(module, "print(6 * 7)") == "42\n"


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
@pytest.mark.parametrize("board", ["esp32", "esp8266"])
@pytest.mark.parametrize(
    "values",
    [
        '{"uart": 7}',
        '{"uart": "x"}',
        '{"tx": 8}',  # of the flash
        '{"tx": "x"}',
        '{"write_burst": 0}',
        '{"ipd_max": "x"}',
        '{"ipd_max": -1}',
        '{"dialect": null}',
        '{"protocols": 3}',
    ],
)
def test_a_board_json_that_the_chip_refuses(start, board, values):
    """The module is there all the same, and the file is set aside."""
    module = start("--board", board)
    at_the_prompt(module, f"with open('/board.json', 'w') as file: file.write('{values}')", "reset")
    module.expect("⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+UART_CUR?")
    module.expect("+UART_CUR:115200,8,1,0,0⏎⏎OK⏎")
    files = at_the_prompt(module, "import os; print('board.json' in os.listdir('/'), open('/board.bad').read())")
    assert files == f"False {values}\n"


def test_what_differs_from_stock_is_complete():
    """The page names each command that is not there, not on each chip, or only here, and none that nobody knows."""
    named = set(re.findall(r"`AT\+(\w+)", (sources.root() / "docs" / "replacing-stock.md").read_text()))
    there = {command.name: command for command in catalog.load()}
    limited = {name for name, command in there.items() if command.board or name.startswith("MPY")}
    assert named >= set(REASONS) | limited
    manual = {name for chapter in TITLES for name in names(chapter)}
    assert named - there.keys() <= manual | OTHER_CHAPTERS
