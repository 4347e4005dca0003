"""Gets MicroPython's image for a board from micropython.org, for who gives none with IMAGE=, and keeps it.
No checksum of it is known beforehand: images have one inside, and one that was kept has to be what it was."""

import hashlib
import http.client
import re
import urllib.error
import urllib.request

from .board_port import BoardError
from .build import BuildError, store

SITE = "https://micropython.org"
VERSION = "1.29.0"
# Of the ESP8266's images the one with a partition for ROMFS, in which the firmware has to run there.
_VARIANTS = {"ESP8266_GENERIC": "-FLASH_2M_ROMFS"}
_PATIENCE = 30  # seconds without a byte


def _page(board):
    return f"{SITE}/download/{board}/"


def name(board):
    """What the image is called; DATE stands for its day."""
    return f"{board}{_VARIANTS.get(board, '')}-DATE-v{VERSION}.bin"


def _pattern(board):
    return re.escape(name(board)).replace("DATE", r"\d{8}")


def get(board, download=True):
    """The path of the image, which is downloaded unless it was before; without `download` it is None then. Raises
    BoardError."""
    try:
        folder = store() / "images"
        folder.mkdir(exist_ok=True)
        for path in sorted(folder.iterdir()):
            if re.fullmatch(_pattern(board), path.name):
                return _unchanged(path)
        return _download(board, folder) if download else None
    except (OSError, http.client.HTTPException, BuildError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise BoardError(
            f"cannot get MicroPython's image: {reason}. Get {wanted(board)} by other means, and give it with IMAGE="
        ) from None


def wanted(board):
    """What get() looks for, and where."""
    return f"{name(board)} from {_page(board)}"


def drop(path):
    """Forgets an image that turned out to be none."""
    path.unlink()
    _sum(path).unlink()


def _download(board, folder):
    listed = re.search(rf'href="(/resources/firmware/({_pattern(board)}))"', _read(_page(board)).decode())
    if not listed:
        raise BoardError(f"{_page(board)} does not list {name(board)}: give an image with IMAGE=")
    address = SITE + listed[1]
    print(f"getting {address}", flush=True)
    data = _read(address)
    path = folder / listed[2]
    _sum(path).write_text(hashlib.sha256(data).hexdigest() + "\n")
    new = path.with_suffix(".new")
    new.write_bytes(data)
    return new.rename(path)


def _read(address):
    with urllib.request.urlopen(address, timeout=_PATIENCE) as answer:
        return answer.read()


def _unchanged(path):
    if hashlib.sha256(path.read_bytes()).hexdigest() != _sum(path).read_text().strip():
        raise BoardError(f"{path} is not as it was downloaded: remove it, or give an image with IMAGE=")
    return path


def _sum(path):
    return path.with_suffix(".sha256")
