"""Which chip this is, and what differs between the chips: the UART, its pins, its limits. Nothing else asks.
/board.json on the flash changes any of the values by name (see docs/architecture.md); so does /bench.json, which the
simulator writes and removes by itself."""

import json
import os
import sys

# The oldest MicroPython of each family, see docs/ports.md.
MICROPYTHON = {"esp32": (1, 29), "esp8266": (1, 25)}


def load():
    """The module of this chip, with the files on the flash applied to it. ImportError where MicroPython is too old,
    TypeError for a value in the files that nothing can be done with: later it would end what has begun to work."""
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
                values = json.load(file).items()
        except OSError:  # no file: as built
            continue
        except (ValueError, AttributeError):
            print(path, "is not a JSON object: ignored")
            continue
        for name, value in values:
            key = _spelled(name.upper())
            if not _fits(board, name.upper(), getattr(board, key, value), value):
                raise TypeError("%s in %s cannot be %r" % (name, path, value))
            setattr(board, key, value)
    if board.UART == "usb":
        import firmware.board.esp32_usb as usb

        usb.take_over(board)
    return board


def _fits(board, name, built, value):
    """Whether a value can take the place of the one that was built in: it is of its kind, and if that is a number no
    less than it has to be."""
    if name in ("TX", "RX", "RTS", "CTS"):
        # A pin of the flash stops the chip as soon as it is used.
        first, last = board.FLASH_PINS.get(board.CHIP, (-1, -1))
        return value is None or (type(value) is int and value >= 0 and not first <= value <= last)
    if name == "UART" and value == "usb":
        return True
    if type(built) is int:
        return type(value) is int and value >= (name != "UART" and built > 0)
    return built is None or type(value) is type(built) or (isinstance(value, list) and isinstance(built, tuple))


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
