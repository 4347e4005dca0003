"""Pins that commands may use."""

import machine


def free(at, number):
    """Whether there is such a pin, and neither the flash nor the AT port would be lost by its use."""
    board = at.board
    first, last = board.FLASH_PINS[board.CHIP]
    if first <= number <= last or number in (board.TX, board.RX):
        return False
    if at.line_settings[4] and number in (board.RTS, board.CTS):
        return False
    try:
        machine.Pin(number)
    except ValueError:
        return False
    return True
