"""What a bundle's manifest must say, and its signature: RSA with PKCS #1 v1.5 and SHA-256, for an exponent of 65537.
tools/bundle.py makes bundles. What is wrong with one is a ValueError with a text."""

import gc
import hashlib
import sys
from binascii import a2b_base64, unhexlify

from micropython import const

from firmware.update_key import MODULUS

_FORMAT = b"mpy-at bundle 1\n"
_KEYS = (b"name", b"version", b"board", b"kind", b"micropython", b"mpy")
_LINES = const(400)
_PATH = const(120)
# What stands in front of a SHA-256 that is signed (RFC 8017), behind the padding of 0xff.
_SHA256 = b"\x00010\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"


def room():
    """Memory that is to be there, and free again, for verify(), which cannot use small pieces; None if it is not."""
    if not MODULUS:
        raise ValueError("this firmware was built without a key for updates")
    try:
        return bytearray(14 * len(MODULUS))
    except MemoryError:
        return None


async def receive(download, path):
    """Writes the lines before the signature to a file; returns their SHA-256, and the line with the signature."""
    total = hashlib.sha256()
    line = b""
    with open(path, "wb") as file:
        for _ in range(_LINES):
            file.write(line)
            total.update(line)
            before, line = line, await download.line()
            if line.startswith(b"signature ") or (not before and line != _FORMAT):
                break
    return total.digest(), line


def verify(digest, line):
    """ValueError unless the line has the signature of what has this SHA-256."""
    try:
        line = a2b_base64(line[10:])
    except ValueError:
        line = b""
    number = power = int.from_bytes(line, "big")
    modulus = int.from_bytes(MODULUS, "big")
    size = len(MODULUS)
    if len(line) != size or number >= modulus:
        raise ValueError("the signature is not right")
    # The ESP8266's pow() has no third parameter.
    for _ in range(16):
        gc.collect()
        power = power * power % modulus
    power = power * number % modulus
    padding = b"\xff" * (size - 2 - len(_SHA256) - len(digest))
    if power.to_bytes(size, "big") != b"\0\1" + padding + _SHA256 + digest:
        raise ValueError("the signature is not right")


def check(path, board, kinds, name, version, running):
    """The version of the bundle that has this manifest, if it is for this board and of such a kind, has this name if
    there is one, and is this version, or without one newer than the one that is running. ValueError if not, or if it
    is the one that is running."""
    with open(path, "rb") as file:
        said = file.readline(99) and [_field(file, key) for key in _KEYS]
    found = numbers(said[1])
    if name not in (None, said[0]):
        raise ValueError("it has another name: " + said[0])
    if found != numbers(version or said[1]):
        raise ValueError("it is another version: " + said[1])
    if not version and found <= numbers(running):
        raise ValueError("it is not newer: " + said[1])
    if said[2] != board or said[3] not in kinds:
        raise ValueError("it is for another board: %s, %s" % tuple(said[2:4]))
    if said[3] == "image":  # which brings the MicroPython that it needs, and that is new although the version is not
        return said[1]
    if numbers(said[4]) > list(sys.implementation[1][:3]) or int(said[5]) != sys.implementation._mpy & 0xFF:
        raise ValueError("it is for another MicroPython: %s, .mpy %s" % tuple(said[4:]))
    # To write it over the version before would only take away the way back.
    if found == numbers(running):
        raise ValueError("this version runs already")
    return said[1]


def _field(file, key):
    words = file.readline(99).split(b" ")
    if len(words) != 2 or words[0] != key or words[1][-1:] != b"\n":
        raise ValueError("no line with " + key.decode())
    return words[1][:-1].decode()


def numbers(version):
    """A version as it is compared: three numbers."""
    found = version.split(".")
    if len(found) != 3 or not "".join(found).isdigit() or len(version) > 17:
        raise ValueError("not a version: " + version)
    return [int(part) for part in found]


def files(path):
    """Yields the size, the SHA-256 and the path of each file that is in a manifest."""
    with open(path, "rb") as file:
        for _ in range(len(_KEYS) + 1):
            file.readline()
        for line in file:
            words = line[:-1].split(b" ")
            if len(words) != 4 or words[0] != b"file" or len(words[2]) != 64 or not words[1].isdigit():
                raise ValueError("a line that is none")
            yield int(words[1]), unhexlify(words[2]), _path(words[3].decode())


def _path(path):
    for letter in path:
        if not (letter.isalpha() or letter.isdigit() or letter in "_-./"):
            raise ValueError("a path that is none")
    for part in path.split("/"):
        if part[:1] in ("", ".") or len(path) > _PATH:
            raise ValueError("a path that is none")
    return path
