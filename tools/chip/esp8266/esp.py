"""Stands in for the chip's module esp: its flash, of which only the ROMFS partition is here."""

import pc

_PIECE = 64


def flash_read(_offset, _size):
    if isinstance(_size, int):
        return pc.ask("esp_flash_read", _offset, _size)
    # By the piece, as the chip needs no memory for this.
    for at in range(0, len(_size), _PIECE):
        _size[at : at + _PIECE] = pc.ask("esp_flash_read", _offset + at, min(_PIECE, len(_size) - at))


def __getattr__(name):
    return pc.lookup(b" flash_write flash_erase flash_user_start ", name, "esp_")
