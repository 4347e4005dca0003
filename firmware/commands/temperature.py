"""The Basic chapter: how warm the chip is.
Manual: Basic_AT_Commands.rst of espressif/esp-at, HEAD."""

import esp32

from firmware.at.command import command
from firmware.at.messages import ATError


@command("AT+SYSTEMP", board="esp32")
class Temperature:
    """The temperature in the chip, in degrees Celsius; MicroPython's port tells whole ones. The plain ESP32, which has
    no sensor that tells degrees, answers ERROR."""

    def query(at):
        measure = getattr(esp32, "mcu_temperature", None)
        if not measure:
            raise ATError()
        at.line("+SYSTEMP:%d.00", measure())
