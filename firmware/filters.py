"""What AT+SYSMSGFILTER takes out of the reports: texts between two regular expressions, which the host gives.
MicroPython's `re` has no flags and reads expressions as POSIX's extended ones, so that all others are rewritten."""

import re

from micropython import const

# The flags of POSIX's regcomp().
_EXTENDED, _ANY_CASE, _LINES = const(1), const(2), const(4)
_BACKSLASH = const(0x5C)
# What stands for itself in a basic expression, and has its meaning behind a backslash there.
_SWAPPED = b"()|+?"


class Filters:
    """The filters in their order; each is a head and a tail as bytes, of which one may be empty, and flags."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.all = []
        self._compiled = []

    def add(self, head, tail, flags):
        """ValueError if one of them is no regular expression."""
        self._compiled.append([text and re.compile(_rewritten(text, flags)) for text in (head, tail)])
        self.all.append((head, tail, flags))

    def remove(self, *wanted):
        """ValueError if there is no such filter."""
        index = self.all.index(wanted)
        del self.all[index], self._compiled[index]

    def apply(self, text):
        """What is left of a text: what stands between head and tail of the first filter that fits.

        An expression that MicroPython's `re` gives up on, as it would need too much stack, lets all of it through."""
        try:
            return self._filtered(text)
        except RuntimeError:
            return text

    def _filtered(self, text):
        for i, (head, tail) in enumerate(self._compiled):
            lines = self.all[i][2] & _LINES
            start, end = 0, len(text)
            if head:
                found, place = _search(head, text, lines)
                if place < 0:
                    continue
                start = place + len(found)
            if tail:
                found, place = _search(tail, text, lines)
                if place < 0:
                    continue
                end = place
            return text[start:end]
        return text


def _search(expression, text, lines):
    """What the expression matches first, and where, or (b"", -1). With `lines` begins and ends of lines count as those
    of the text."""
    start = 0
    while True:
        end = len(text)
        while end >= start:
            piece = text[start:end]
            found = expression.search(piece)
            if found:
                match = found.group(0)
                return match, start + _place(expression, piece, match)
            end = text.rfind(b"\n", start, end) if lines else -1
        start = text.find(b"\n", start) + 1
        if not lines or not start:
            return b"", -1


def _place(expression, text, match):
    """Where in the text it was found: no port of MicroPython tells it, and the same may stand in front of that."""
    place = text.find(match)
    while True:
        found = expression.match(text[place:])
        following = text.find(match, place + 1)
        if following < 0 or (found and found.group(0) == match):
            return place
        place = following


def _rewritten(text, flags):
    """The expression as `re` needs it to have these flags."""
    result = bytearray()
    i = 0
    while i < len(text):
        byte = text[i]
        i += 1
        escaped = byte == _BACKSLASH and i < len(text)
        if escaped:
            byte = text[i]
            i += 1
        if byte in _SWAPPED and not flags & _EXTENDED:
            # Without the backslash it stands for itself.
            result += bytes((byte,)) if escaped else b"[%c]" % byte
        elif escaped:
            result += bytes((_BACKSLASH, byte))
        elif byte == 0x5B:
            i = _brackets(text, i, flags, result)
        elif byte == 0x2E and flags & _LINES:
            result += b"[^\n]"
        elif flags & _ANY_CASE and 0x41 <= byte & 0xDF <= 0x5A:
            result += b"[%c%c]" % (byte & 0xDF, byte | 0x20)
        else:
            result.append(byte)
    return bytes(result)


def _brackets(text, i, flags, result):
    """Appends the list of characters behind a bracket as `re` needs it; returns the place behind it. ValueError if it
    has no end."""
    result += b"["
    if text[i : i + 1] == b"^":
        i += 1
        result += b"^\n" if flags & _LINES else b"^"
    first = i
    while text[i : i + 1] != b"]" or i == first:
        if i >= len(text):
            raise ValueError
        # A range such as a-z, or one character; POSIX has no escapes here, and the first ] is an ordinary one.
        size = 3 if text[i + 1 : i + 2] == b"-" and text[i + 2 : i + 3] not in (b"", b"]") else 1
        item = text[i : i + size]
        i += size
        if item in (b"]", b"\\"):
            result.append(_BACKSLASH)
        result += item.lower() + item.upper() if flags & _ANY_CASE else item
    result += b"]"
    return i + 1
