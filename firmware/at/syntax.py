"""Parameters: from the bytes of a line to values that fit a signature. Runs under MicroPython and CPython.
A signature is text such as 'link, type:TCP|TCPv6=TCP, host:text64, port:1..65535, keepalive:0..7200?'."""

from micropython import const

from firmware.at.messages import E_COUNT, E_LENGTH, E_PARSE, E_RANGE, E_TYPE, ATError

_QUOTE = const(0x22)
_BACKSLASH = const(0x5C)
_COMMA = const(0x2C)
_LINKS = const(5)


class Parameter:
    """One parameter of a signature.

    `name:kind` with an optional `=default` or `?` (may be left out, then None). Kinds: `1..65535` an integer in
    that range, `text64` a string of at most 64 bytes, which must be UTF-8, `bytes64` one that need not be: the handler
    gets bytes in place of a str then; `TCP|UDP` one of these words as a string, in any case.
    `link` alone is the link's id, 0 to 4, and is there only with AT+CIPMUX=1. A `*` behind the last parameter's kind
    says that it may stand any number of times, also not at all (then None once)."""

    def __init__(self, text):
        text = text.strip()
        self.link = text.startswith("link")
        if text == "link":
            text = "link:0..4"
        self.repeats = text.endswith("*")
        self.optional = _optional(text)
        if text[-1] in "?*":
            text = text[:-1]
        self.name, kind = text.split(":", 1)
        self.default = None
        if "=" in kind:
            kind, self.default = kind.split("=", 1)
        self.low = self.high = self.words = self.size = None
        self.bytes = kind.startswith("bytes")
        if self.bytes or kind.startswith("text"):
            self.size = int(kind[4 + self.bytes :])
        elif ".." in kind:
            low, high = kind.split("..")
            self.low, self.high = int(low), int(high)
            if self.default is not None:
                self.default = int(self.default)
        else:
            self.words = kind.split("|")

    def check(self, value, index):
        """The value as the handler gets it; ATError when it does not fit."""
        if value is None:
            return self.default
        if (self.low is not None) != isinstance(value, int):
            raise ATError(E_TYPE, index)
        if self.low is not None:
            if not self.low <= value <= self.high:
                raise ATError(E_RANGE, index)
        elif isinstance(value, bytes) and not self.bytes:
            raise ATError(E_PARSE, index)
        elif self.size is not None:
            if len(value if isinstance(value, bytes) else value.encode()) > self.size:
                raise ATError(E_LENGTH, index)
        else:
            value = self.word(value)
            if value is None:
                raise ATError(E_RANGE, index)
        return value

    def word(self, value):
        """The word of the choice that `value` spells, or None."""
        for word in self.words:
            if word.lower() == value.lower():
                return word
        return None

    def describe(self):
        """What AT+X=? prints for it, such as `<port>(1-65535)`."""
        if self.low is not None:
            text = "%d" % self.low
            if self.high > self.low:
                text += "-%d" % self.high
        elif self.size is not None:
            text = "%d bytes" % self.size
        else:
            text = ",".join('"%s"' % word for word in self.words)
        text = "<%s>(%s)" % (self.name, text)
        if self.repeats:
            text += "..."
        return "[%s]" % text if self.optional else text


def parameters(signature):
    """The list of Parameter of one signature."""
    return [Parameter(part) for part in signature.split(",")] if signature else []


def parse(signatures, line, start, end, multiple):
    """Values for a handler from line[start:end]; `multiple` says that AT+CIPMUX=1. ATError when they do not fit."""
    values = tokens(line, start, end)
    best = -1
    for signature in signatures:
        texts = [text.strip() for text in signature.split(",")]
        if texts[0].startswith("link") and not multiple:
            texts.pop(0)
        fits = _fits(texts, values) if len(signatures) > 1 else 0
        if fits > best:
            best, wanted = fits, texts
    given = len(values)
    count = len(wanted)
    if len(signatures) > 1 and best < min(count, given):
        parameter = Parameter(wanted[best])
        if parameter.size is None:
            _check(parameter, values, best)  # no signature holds: that is the mistake, not the number of parameters
    if wanted and wanted[-1].endswith("*"):
        wanted += wanted[-1:] * (given - count)
    need = 0
    for i, text in enumerate(wanted):
        if not _optional(text):
            need = i + 1
    if not need <= given <= len(wanted):
        raise ATError(E_COUNT, count << 8 | given)
    values += [None] * (len(wanted) - given)
    # One Parameter at a time, as they are large for a small heap.
    for i, text in enumerate(wanted):
        values[i] = _check(Parameter(text), values, i)
    return values


def fit(signature, values):
    """Saved values as this signature has them: cut, or filled up with defaults. ATError when they do not fit.

    A command with a link keeps a list for each link, of the values behind the link and without gaps."""
    texts = signature.split(",")
    if not texts[0].startswith("link"):
        return _fit(texts, values)
    del texts[0]
    if not isinstance(values, list) or len(values) < _LINKS:
        raise ATError(E_COUNT)
    for each in values[:_LINKS]:
        if not isinstance(each, (list, tuple)) or len(each) < len(texts) or None in each:
            raise ATError(E_COUNT)
    return [_fit(texts, each) for each in values[:_LINKS]]


def _fit(texts, values):
    if not isinstance(values, (list, tuple)):
        raise ATError(E_TYPE)
    values = list(values[: len(texts)]) + [None] * (len(texts) - len(values))
    for i, value in enumerate(values):
        if isinstance(value, list):  # so JSON has bytes
            try:
                values[i] = bytes(value)
            except (TypeError, ValueError, OverflowError):
                raise ATError(E_TYPE, i)
        elif not (value is None or isinstance(value, (int, str))):
            raise ATError(E_TYPE, i)
        values[i] = _check(Parameter(texts[i]), values, i)
    return values


def _optional(text):
    return text[-1] in "?*" or "=" in text


def _check(parameter, values, i):
    if values[i] is None and not parameter.optional:
        raise ATError(E_TYPE, i)
    return parameter.check(values[i], i)


def _fits(wanted, values):
    """How many parameters fit, up to the first text or misfit: among several signatures, most decide for one."""
    count = 0
    try:
        while count < min(len(wanted), len(values)):
            parameter = Parameter(wanted[count])
            if parameter.size is not None:
                break
            _check(parameter, values, count)
            count += 1
    except ATError:
        pass
    return count


def tokens(line, start, end):
    """The values between the commas: int, str, bytes for a string that is not UTF-8, or None for one left out."""
    values = []
    while True:
        if start < end and line[start] == _QUOTE:
            value, start = _string(line, start + 1, end, len(values))
        else:
            stop = start
            while stop < end and line[stop] != _COMMA:
                stop += 1
            value = _integer(bytes(line[start:stop]), len(values))
            start = stop
        values.append(value)
        if start >= end:
            return values
        if line[start] != _COMMA:
            raise ATError(E_PARSE, len(values) - 1)
        start += 1


def _integer(text, index):
    if not text:
        return None
    try:
        if text[:2] in (b"0x", b"0X"):
            return int(str(text[2:], "utf-8"), 16)
        # Python takes " 1" and "1_000" for numbers, too; the manual does not.
        if (text[1:] if text[:1] in (b"-", b"+") else text).isdigit():
            return int(text)
    except ValueError:
        pass
    raise ATError(E_TYPE, index)


def _string(line, start, end, index):
    """The string whose opening quote stands before `start`, and where it ended."""
    text = bytearray()
    while start < end:
        byte = line[start]
        start += 1
        if byte == _QUOTE:
            try:
                return str(text, "utf-8"), start
            except UnicodeError:
                return bytes(text), start
        if byte == _BACKSLASH:
            if start == end:
                break
            byte = line[start]
            start += 1
        text.append(byte)
    raise ATError(E_PARSE, index)
