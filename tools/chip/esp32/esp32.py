"""Stands in for the chip's module esp32, which tells the firmware by its presence which family it runs on."""
