"""Which chip this is, and what differs between the chips: the UART, its pins, its limits. Nothing else asks.
/board.json on the flash, if it is there, changes any of the values by name (see docs/architecture.md)."""

import json
import os


def load():
    """The module of this chip, with /board.json applied to it."""
    try:
        import esp32  # noqa: F401  only the ESP32 family has it

        import firmware.board.esp32 as board
    except ImportError:
        import firmware.board.esp8266 as board
    for name in ("ESP32C3", "ESP32C6", "ESP32S2", "ESP32S3"):
        if name in os.uname().machine:
            board.CHIP = name
    try:
        with open("/board.json") as file:
            for name, value in json.load(file).items():
                setattr(board, name.upper(), value)
    except OSError:  # no file: as built
        pass
    except ValueError:
        print("board.json: not valid JSON, ignored")
    return board
