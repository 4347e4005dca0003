"""Writes MicroPython to a board with esptool, then the firmware: `make flash PORT=... BOARD=... IMAGE=...`.
What is written is looked into first, and named by its SHA-256; without IMAGE= it comes from micropython.org."""

import argparse
import hashlib
import re
import subprocess
import sys
import time
from pathlib import Path

import serial

from . import images
from .board_port import PROMPT_BAUD, BoardError
from .build import BuildError, build, update_key
from .deploy import deploy, family, rehearse

# For each of MicroPython's boards: the chip as esptool calls it, and where its images begin in the flash.
BOARDS = {
    "ESP32_GENERIC": ("esp32", 0x1000),
    "ESP32_GENERIC_C3": ("esp32c3", 0),
    "ESP32_GENERIC_C6": ("esp32c6", 0),
    "ESP32_GENERIC_S2": ("esp32s2", 0x1000),
    "ESP32_GENERIC_S3": ("esp32s3", 0),
    "ESP8266_GENERIC": ("esp8266", 0),
}
# Seconds that a new MicroPython takes at most to make its file system.
_FIRST_START = 30


def checked_image(board, image, sha256=None):
    """The image's SHA-256, once it is clear that it is for this board. Raises BoardError."""
    try:
        data = Path(image).read_bytes()
    except OSError as error:
        raise BoardError(f"cannot read {image}: {error.strerror}") from None
    found = hashlib.sha256(data).hexdigest()
    if sha256 and sha256.lower() != found:
        raise BoardError(f"{image}: its SHA-256 is {found}, and not as SHA256= says")
    chip = _chip(image)
    if chip != BOARDS[board][0]:
        raise BoardError(f"{image} is for {chip}, and {board} is {BOARDS[board][0]}")
    return found


def _chip(image):
    """The chip that an image is for, as esptool calls it."""
    command = [*_esptool(), "image-info", str(image)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    said = result.stdout + result.stderr
    found = re.search(r"^Detected image type: (\S+)", said, re.MULTILINE)
    if result.returncode or not found:
        raise BoardError(f"{image} is no image of an ESP chip: {_reason(said)}")
    wrong = re.search(r"^(?:Checksum|Validation hash): .*\binvalid\b.*", said, re.MULTILINE | re.IGNORECASE)
    if wrong:
        raise BoardError(f"{image} is damaged: {wrong[0]}")
    return found[1].lower().replace("-", "")


def _reason(said):
    lines = [line for line in said.splitlines() if "rror" in line] or said.splitlines()
    return lines[-1].strip() if lines else "esptool says nothing"


def _esptool():
    return [sys.executable, "-m", "esptool"]


def command(board, port, baud, image, keep=False):
    """The command line of esptool that writes an image."""
    chip, address = BOARDS[board]
    words = ["--chip", chip, "--port", port, "--baud", str(baud), "write-flash"]
    if not keep:
        words.append("--erase-all")
    if chip == "esp8266":
        # Its images leave open how large the flash is.
        words += ["--flash-size", "detect"]
    return [*_esptool(), *words, hex(address), str(image)]


def flash(options):
    """Writes the image and the firmware; returns the line that says what AT+GMR answers. Raises BoardError."""
    if options.board not in BOARDS:
        raise BoardError(f"BOARD={options.board or ''} is not one of {', '.join(BOARDS)}")
    build(family(options.board), key=update_key(options.update_key))  # what is wrong with it is said before all else
    written = command(options.board, options.port, options.baud, _image(options), options.keep)
    if options.dry_run:
        print(" ".join(written[2:]))
        rehearse(options.port, family(options.board), key=options.update_key)
        return None
    if subprocess.run(written, check=False).returncode:
        raise BoardError(f"esptool failed on {options.port}; see above")
    deadline = time.monotonic() + _FIRST_START
    while True:
        try:
            return deploy(options.port, PROMPT_BAUD, options.at_port, key=options.update_key)
        except BoardError:
            if time.monotonic() > deadline:
                raise
            time.sleep(2)


def _image(options):
    """The path of the image, which is checked; for a dry run without one the name that it would have."""
    image = options.image or images.get(options.board, download=not options.dry_run)
    if not image:
        print(f"get {images.wanted(options.board)}, and look into it")
        return images.name(options.board)
    try:
        found = checked_image(options.board, image, options.sha256)
    except BoardError:
        if not options.image:
            images.drop(image)
        raise
    print(f"{image}: SHA-256 {found}", flush=True)
    return image


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
