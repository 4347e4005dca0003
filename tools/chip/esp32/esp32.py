"""Stands in for the chip's module esp32, whose presence tells the firmware which family it runs on."""
