"""Writes MicroPython to a board with esptool, then the firmware: `make flash PORT=... BOARD=... IMAGE=...`.
What is written is looked into first, and named by its SHA-256; without IMAGE= it comes from micropython.org."""

import argparse
import hashlib
import sys
import time
from pathlib import Path

import serial

from . import app_image, images
from .board_port import PROMPT_BAUD, BoardError
from .build import BuildError, build, update_key
from .deploy import deploy, family, rehearse
from .sources import oldest_micropython

# For each of MicroPython's boards: the chip as esptool calls it, where its images begin in the flash, and the MiB that
# this has to have, unless the image says more. On the ESP8266 those are for ROMFS, in which the firmware runs.
BOARDS = {
    "ESP32_GENERIC": ("esp32", 0x1000, 4),
    "ESP32_GENERIC_C3": ("esp32c3", 0, 4),
    "ESP32_GENERIC_C6": ("esp32c6", 0, 4),
    "ESP32_GENERIC_S2": ("esp32s2", 0x1000, 4),
    "ESP32_GENERIC_S3": ("esp32s3", 0, 4),
    "ESP8266_GENERIC": ("esp8266", 0, 2),
}
# Seconds that a new MicroPython takes at most to make its file system.
_FIRST_START = 30


def checked_image(board, image, sha256=None):
    """The image's bytes and what they are, a loader.Image, once it is clear that it is for this board. Raises
    BoardError."""
    chip, address, least = BOARDS[board]
    try:
        data = Path(image).read_bytes()
    except OSError as error:
        raise BoardError(f"cannot read {image}: {error.strerror}") from None
    found = hashlib.sha256(data).hexdigest()
    if sha256 and sha256.lower() != found:
        raise BoardError(f"{image}: its SHA-256 is {found}, and not as SHA256= says")
    # esptool takes long to load, and is not there for who only looks at --help.
    from . import loader

    try:
        seen = loader.look(data, address)
    except BoardError as error:
        raise BoardError(f"{image} {error}") from None
    if seen.chip != chip:
        raise BoardError(f"{image} is for {seen.chip}, and {board} is {chip}")
    version, oldest = app_image.micropython(data), oldest_micropython(family(board))
    if version and version < oldest:
        had, needed = (".".join(map(str, numbers)) for numbers in (version, oldest))
        raise BoardError(f"{image} is MicroPython {had}, and the firmware needs {needed} or newer")
    print(f"{image}: SHA-256 {found}", flush=True)
    return data, max(seen.flash, least << 20)


def flash(options):
    """Writes the image and the firmware; returns the line that says what AT+GMR answers. Raises BoardError."""
    if options.board not in BOARDS:
        raise BoardError(f"BOARD={options.board or ''} is not one of {', '.join(BOARDS)}")
    build(family(options.board), key=update_key(options.update_key))  # what is wrong with it is said before all else
    chip, address, _ = BOARDS[options.board]
    image, found = _image(options)
    if options.dry_run:
        print(_intended(options, image, found))
        rehearse(options.port, family(options.board), key=options.update_key)
        return None
    from . import loader

    data, least = found
    loader.write(options.port, options.baud, chip, address, data, not options.keep, least)
    deadline = time.monotonic() + _FIRST_START
    while True:
        try:
            return deploy(options.port, PROMPT_BAUD, options.at_port, key=options.update_key)
        except BoardError:
            if time.monotonic() > deadline:
                raise
            time.sleep(2)


def _intended(options, image, found):
    """What would be done, as a line."""
    chip, address, least = BOARDS[options.board]
    size = found[1] >> 20 if found else least
    erase = "" if options.keep else "erase the flash, "
    return (
        f"esptool on {options.port}: see that it is an {chip} with {size} MiB of flash, then at {options.baud} baud"
        f" {erase}write {address:#x} {image}"
    )


def _image(options):
    """The path of the image, and what checked_image() says of it; for a dry run without one the name that it would
    have."""
    image = options.image or images.get(options.board, download=not options.dry_run)
    if not image:
        print(f"get {images.wanted(options.board)}, and look into it")
        return images.name(options.board), None
    try:
        return image, checked_image(options.board, image, options.sha256)
    except BoardError:
        if not options.image:
            images.drop(image)
        raise


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(prog="flash", description=__doc__)
    parser.add_argument("port", help="the serial port of the board")
    parser.add_argument("board", help=f"one of {', '.join(BOARDS)}")
    parser.add_argument("image", nargs="?", help="MicroPython's image for the board (default: from micropython.org)")
    parser.add_argument("--sha256", help="what the image's has to be")
    parser.add_argument("--baud", type=int, default=460800, help="at which esptool writes (default: %(default)s)")
    parser.add_argument("--at-port", help="where AT+GMR is asked afterwards, if that is another port")
    parser.add_argument("--update-key", metavar="FILE", help="the public key whose updates the firmware takes")
    parser.add_argument("--keep", action="store_true", help="do not erase what else is in the flash")
    parser.add_argument("--dry-run", action="store_true", help="check the image, say what would be done")
    options = parser.parse_args()
    try:
        done = flash(options)
    except (BoardError, BuildError) as error:
        sys.exit(f"flash: {error}")
    except serial.SerialException as error:
        sys.exit(f"flash: {options.port} went away: {error}")
    if done:
        print(done)


if __name__ == "__main__":
    main()
