"""Images of ESP32s in the format of ESP-IDF: whether one is whole, for which chip, and how long. Its header has 24
bytes; segments follow, each behind its address and size, then a checksum as the last of 16 bytes, mostly a SHA-256."""

import functools
import hashlib
import operator
import re
import struct

# What the header calls the chips, and esptool.
CHIPS = {
    0: "esp32",
    2: "esp32s2",
    5: "esp32c3",
    9: "esp32s3",
    12: "esp32c2",
    13: "esp32c6",
    16: "esp32h2",
    18: "esp32p4",
    23: "esp32c5",
}
# What the first segment of a program begins with, unlike that of a bootloader.
_PROGRAM = 0xABCD5432
_HEADER, _SEGMENT = struct.Struct("<BBBBIBxxxH9xB"), struct.Struct("<II")
_MAGIC, _SEGMENTS = 0xE9, 16
_CHECKSUM = 0xEF
# What MicroPython says at its prompt, which is in its image.
_BANNER = re.compile(rb"MicroPython v(\d+)\.(\d+)\.(\d+)[-. ]")


class ImageError(Exception):
    """This is no whole image; the message says why, in a few words."""


def micropython(data):
    """The version of the MicroPython that is in an image, three numbers; None if it does not tell."""
    found = _BANNER.search(data)
    return found and tuple(map(int, found.groups()))


def look(data):
    """The chip that the image at the start of `data` is for, its size, and whether it is a program and no bootloader.
    Raises ImageError."""
    if len(data) < _HEADER.size or data[0] != _MAGIC or not 0 < data[1] <= _SEGMENTS:
        raise ImageError("it is no image of an ESP32")
    *_, chip, hashed = _HEADER.unpack_from(data)
    if chip not in CHIPS or hashed > 1:
        raise ImageError("it is for a chip that is not known")
    at, total = _HEADER.size, _CHECKSUM
    for _ in range(data[1]):
        if at + _SEGMENT.size > len(data):
            raise ImageError("it is cut off")
        size = _SEGMENT.unpack_from(data, at)[1]
        at += _SEGMENT.size
        total = functools.reduce(operator.xor, data[at : at + size], total)
        at += size
    at += 16 - at % 16
    end = at + 32 * hashed
    if end > len(data):
        raise ImageError("it is cut off")
    if data[at - 1] != total:
        raise ImageError("its checksum is not right")
    if hashed and hashlib.sha256(data[:at]).digest() != data[at:end]:
        raise ImageError("its SHA-256 is not right")
    return CHIPS[chip], end, struct.unpack_from("<I", data, _HEADER.size + _SEGMENT.size)[0] == _PROGRAM


def make(contents, chip="esp32"):
    """An image of a program with these bytes, for stand-ins and tests: no chip can run it."""
    number = next(number for number, name in CHIPS.items() if name == chip)
    segment = struct.pack("<I", _PROGRAM) + contents
    segment += bytes(-len(segment) % 4)
    image = _HEADER.pack(_MAGIC, 1, 2, 0x20, 0x40080000, 0xEE, number, 1) + _SEGMENT.pack(0x3F400020, len(segment))
    image += segment
    image += bytes(15 - len(image) % 16) + bytes([functools.reduce(operator.xor, segment, _CHECKSUM)])
    return image + hashlib.sha256(image).digest()
