"""Stands in for the chip's module esp: its flash, of which only the ROMFS partition is here."""

import pc


def flash_read(_offset, _size):
    if isinstance(_size, int):
        return pc.ask("esp_flash_read", _offset, _size)
    _size[:] = pc.ask("esp_flash_read", _offset, len(_size))


def __getattr__(name):
    return pc.lookup(b" flash_write flash_erase flash_user_start ", name, "esp_")
