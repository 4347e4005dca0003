"""Stands in for the chip's module esp32, which tells the firmware by its presence which family it runs on."""

import pc


def wake_on_gpio(pins, level):
    pc.ask("wake_on", [pin._number for pin in pins], level)
