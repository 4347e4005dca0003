"""AT+PIN: reads and sets the chip's pins.
An example of a command of one's own; docs/your-own-command.md explains it line by line."""

from machine import Pin

from firmware.at.command import command
from firmware.at.messages import ATError


@command("AT+PIN", "number:0..39, level:0..1?")
class Level:
    """AT+PIN=4 reads a pin, AT+PIN=4,1 sets it."""

    def set(at, number, level):
        try:
            if level is None:
                at.line("+PIN:%d,%d", number, Pin(number).value())
            else:
                Pin(number, Pin.OUT).value(level)
        except ValueError:  # the chip has no such pin, or it is an input only
            raise ATError() from None
