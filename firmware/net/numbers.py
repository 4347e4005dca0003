"""Numbers as a peer has written them, from 0 to what is allowed. int() alone would also take -1, +1, 1_0 and blanks."""

from micropython import const

_DIGITS = const(20)


def number(text, most, base=10):
    """The number that these bytes are; ValueError for all else, and for more than `most`."""
    if not 0 < len(text) <= _DIGITS or text.lower().strip(b"0123456789abcdef"[:base]):
        raise ValueError
    value = int(text, base)
    if value > most:
        raise ValueError
    return value
