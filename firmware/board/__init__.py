"""Which chip this is, and what differs between the chips: the UART, its pins, its limits. Nothing else asks.
/board.json on the flash changes any of the values by name (see docs/architecture.md); so does /bench.json, which the
simulator writes and removes by itself."""

import json
import os
import sys

# The oldest MicroPython of each family, see docs/ports.md.
MICROPYTHON = {"esp32": (1, 29), "esp8266": (1, 25)}


def load():
    """The module of this chip, with the files on the flash applied to it. ImportError where MicroPython is too old."""
    try:
        import esp32  # noqa: F401  only the ESP32 family has it

        import firmware.board.esp32 as board

        board.variant(os.uname().machine)
    except ImportError:
        import firmware.board.esp8266 as board
    needed, there = MICROPYTHON[board.FAMILY], sys.implementation[1]
    if there < needed:
        raise ImportError("this firmware needs MicroPython %d.%d or newer, and this is %d.%d" % (needed + there[:2]))
    if hasattr(board, "hold_port"):
        board.hold_port()
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


def mended(fault):
    """Whether a new start does better after this fault. Without /board.json the next one finds a port; where there is
    none, or where MicroPython is too old, it would end in the same way."""
    if not isinstance(fault, ImportError):
        try:
            os.rename("/board.json", "/board.bad")
            print("/board.json is /board.bad now, as the chip refuses it:", fault)
            return True
        except OSError:
            print("the AT port cannot be had on this chip:")
    print(fault)
    return False


def _spelled(name):
    """The name of a value as the build has left it."""
    from firmware.board.names import NAMES

    start = NAMES.find(b"\n" + name.encode() + b" ")
    if start < 0:
        return name
    start += len(name) + 2
    return NAMES[start : NAMES.find(b"\n", start)].decode()
