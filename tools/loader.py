"""The loader in the ROM of an ESP chip, by way of esptool's library: what is in an image, what is at the port, and the
writing. Its settings in the environment, such as ESPTOOL_CHIP, are for its command line alone."""

import struct
from dataclasses import dataclass

import esptool
from esptool.bin_image import LoadFirmwareImage
from esptool.targets import CHIP_DEFS
from esptool.util import FatalError, flash_size_bytes

from . import app_image
from .board_port import BoardError

_MIB = 1 << 20
# Where the program of an ESP32 is in the flash, behind the bootloader.
_PROGRAM = 0x10000
# The size of the flash in the header, 2 bytes behind the magic number.
_SIZE_AT, _SIZE_MASK = 3, 0xF0


@dataclass(frozen=True)
class Image:
    """What an image is for: the chip as esptool calls it, and the bytes of flash that it needs."""

    chip: str
    flash: int


def look(data, address):
    """The Image that `data` is, from `address` of the flash on, if it is whole. Raises BoardError."""
    try:
        chip = _chip(data)
        image = LoadFirmwareImage(chip, data)
        if image.checksum != image.calculate_checksum():
            raise BoardError("is damaged: its checksum is not right")
        if getattr(image, "append_digest", False) and image.stored_digest != image.calc_digest:
            raise BoardError("is damaged: its SHA-256 is not right")
        program = data[_PROGRAM - address :] if chip != "esp8266" else b""
        if program:
            app_image.look(program)
    except app_image.ImageError as error:
        raise BoardError(f"is damaged: the program in it: {error}") from None
    except (FatalError, struct.error, IndexError, TypeError) as error:
        raise BoardError(f"is no image of an ESP chip: {' '.join(str(error).split())}") from None
    # An image of an ESP8266 leaves open how large the flash is, one of an ESP32 does not start with a smaller one.
    sizes = {} if chip == "esp8266" else CHIP_DEFS[chip].FLASH_SIZES
    named = [size for size, code in sizes.items() if code == data[_SIZE_AT] & _SIZE_MASK]
    return Image(chip, max([flash_size_bytes(size) for size in named] + [address + len(data)]))


def _chip(data):
    """The header of all chips but the ESP8266 names its chip, and says in its last byte whether a SHA-256 follows."""
    if len(data) > 24 and data[23] < 2:
        number = struct.unpack_from("<H", data, 12)[0]
        for name, chip in CHIP_DEFS.items():
            if getattr(chip, "IMAGE_CHIP_ID", None) == number:
                return name
    return "esp8266"


def write(port, baud, chip, address, data, erase, flash):
    """Writes an image to the chip at the port, and starts that. What the chip is, and that its flash has the bytes
    `flash`, is looked at before anything changes. Raises BoardError."""
    try:
        with esptool.connect_esp(port=port) as loader:
            found = loader.CHIP_NAME.lower().replace("-", "")
            if found != chip:
                raise BoardError(f"{port} has an {loader.CHIP_NAME}, and the board is one with {chip.upper()}")
            loader = esptool.run_stub(loader)
            esptool.attach_flash(loader)
            _check_size(port, loader, flash)
            if baud != loader.ESP_ROM_BAUD:
                loader.change_baud(baud)
            size = "detect" if chip == "esp8266" else "keep"
            esptool.write_flash(loader, [(address, data)], flash_size=size, erase_all=erase)
            esptool.reset_chip(loader, "hard-reset")
    except (FatalError, OSError) as error:  # also pyserial's
        raise BoardError(f"{port}: {' '.join(str(error).split())}") from None


def _check_size(port, loader, wanted):
    name = esptool.cmds.detect_flash_size(loader)
    if name is None:
        print(f"{port}: the size of the flash is not known; {_mib(wanted)} are needed", flush=True)
    elif flash_size_bytes(name) < wanted:
        small = ", as on an ESP-01" if loader.CHIP_NAME == "ESP8266" else ""
        had = _mib(flash_size_bytes(name))
        raise BoardError(f"{port}: the flash has {had}{small}, and {_mib(wanted)} are needed. Nothing was changed")


def _mib(size):
    return f"{size / _MIB:.3g} MiB"
