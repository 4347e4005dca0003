"""Stands in for the chip's module esp: its flash, of which only the ROMFS partition is here."""

import pc


def flash_read(offset, size):
    if isinstance(size, int):
        return pc.ask("esp_flash_read", offset, size)
    size[:] = pc.ask("esp_flash_read", offset, len(size))


def __getattr__(name):
    return pc.lookup(b" flash_write flash_erase flash_user_start ", name, "esp_")
