"""Stands in for the chip's module esp: the simulated chip has no SDK that would print anything."""

LOG_NONE = 0


def osdebug(_uart_no, _level=0):
    pass
