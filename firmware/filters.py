"""What AT+SYSMSGFILTER takes out of the reports: texts between two regular expressions, which the host gives.
MicroPython's `re` has no flags and reads expressions as POSIX's extended ones, so that basic ones are rewritten."""

import re

# What stands for itself in a basic expression, and has its meaning behind a backslash there.
_SWAPPED = b"()|+?"


class Filters:
    """The filters in their order; each is a head and a tail as bytes, of which one may be empty, and `extended`."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.all = []
        self._compiled = []

    def add(self, head, tail, extended):
        """ValueError if one of them is no regular expression."""
        self._compiled.append([_compile(text, extended) for text in (head, tail)])
        self.all.append((head, tail, extended))

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
        for head, tail in self._compiled:
            start, end = 0, len(text)
            if head:
                found = head.search(text)
                if not found:
                    continue
                start = text.find(found.group(0)) + len(found.group(0))
            if tail:
                found = tail.search(text)
                if not found:
                    continue
                end = text.rfind(found.group(0))
            return text[start:end]
        return text


def _compile(text, extended):
    if not text:
        return None
    return re.compile(text if extended else _rewritten(text))


def _rewritten(text):
    """A basic expression as an extended one."""
    result = bytearray()
    escaped = False
    for byte in text:
        if byte in _SWAPPED:
            # Without the backslash it stands for itself, which it does in brackets in an extended one.
            result += bytes((byte,)) if escaped else b"[%c]" % byte
        elif escaped:
            result += bytes((0x5C, byte))
        elif byte != 0x5C:
            result.append(byte)
        escaped = byte == 0x5C and not escaped
    return bytes(result)
