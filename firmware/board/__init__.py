"""Which chip this is, and what differs between the chips: the UART, its pins, its limits. Nothing else asks.
/board.json on the flash changes any of the values by name (see docs/architecture.md); so does /bench.json, which the
simulator writes and removes by itself."""

import json
import os


def load():
    """The module of this chip, with the files on the flash applied to it."""
    try:
        import esp32  # noqa: F401  only the ESP32 family has it

        import firmware.board.esp32 as board

        board.variant(os.uname().machine)
    except ImportError:
        import firmware.board.esp8266 as board
    for path in ("/board.json", "/bench.json"):
        try:
            with open(path) as file:
                for name, value in json.load(file).items():
                    setattr(board, _spelled(name.upper()), value)
        except OSError:  # no file: as built
            pass
        except (ValueError, AttributeError):
            print(path, "is not a JSON object: ignored")
    if board.UART == "usb":
        import firmware.board.esp32_usb as usb

        usb.take_over(board)
    return board


def _spelled(name):
    """The name of a value as the build has left it."""
    from firmware.board.names import NAMES

    start = NAMES.find(b"\n" + name.encode() + b" ")
    if start < 0:
        return name
    start += len(name) + 2
    return NAMES[start : NAMES.find(b"\n", start)].decode()
