"""Parameters: from the bytes of a line to values that fit a signature. Runs under MicroPython and CPython.
See at.parameters for what a signature is."""

from micropython import const

from firmware.at.messages import E_COUNT, E_LENGTH, E_PARSE, E_RANGE, E_TYPE, ATError

_QUOTE = const(0x22)
_BACKSLASH = const(0x5C)
_COMMA = const(0x2C)
_QUESTION = const(0x3F)
_MINUS = const(0x2D)
_PLUS = const(0x2B)
_ZERO = const(0x30)
_STAR = const(0x2A)
_LINKS = const(5)


def parse(signatures, line, start, end, multiple):
    """Values for a handler from line[start:end]; `multiple` says that AT+CIPMUX=1. ATError when they do not fit."""
    values = tokens(line, start, end)
    best = -1
    for signature in signatures:
        each = texts(signature)
        if each[0].startswith(b"link") and not multiple:
            each.pop(0)
        fits = _fits(each, values) if len(signatures) > 1 else 0
        if fits > best:
            best, wanted = fits, each
    given = len(values)
    count = len(wanted)
    if len(signatures) > 1 and best < min(count, given) and size_of(parts(wanted[best])[0]) is None:
        # No signature holds: that is the mistake, not the number of parameters.
        _check(wanted[best], values[best], best)
    if wanted and wanted[-1][-1] == _STAR:
        wanted += wanted[-1:] * (given - count)
    need = i = len(wanted)
    while need and is_optional(wanted[need - 1]):
        need -= 1
    if not need <= given <= i:
        raise ATError(E_COUNT, count << 8 | given)
    values += [None] * (i - given)
    for i, text in enumerate(wanted):
        values[i] = _check(text, values[i], i)
    return values


def fit(signature, values):
    """Saved values as this signature has them: cut, or filled up with defaults. ATError when they do not fit.

    A command with a link keeps a list for each link, of the values behind the link and without gaps."""
    wanted = texts(signature)
    if not wanted[0].startswith(b"link"):
        return _fit(wanted, values)
    del wanted[0]
    if not isinstance(values, list) or len(values) < _LINKS:
        raise ATError(E_COUNT)
    for each in values[:_LINKS]:
        if not isinstance(each, (list, tuple)) or len(each) < len(wanted) or None in each:
            raise ATError(E_COUNT)
    return [_fit(wanted, each) for each in values[:_LINKS]]


def _fit(wanted, values):
    if not isinstance(values, (list, tuple)):
        raise ATError(E_TYPE)
    values = list(values[: len(wanted)]) + [None] * (len(wanted) - len(values))
    for i, value in enumerate(values):
        if isinstance(value, list):  # so JSON has bytes
            try:
                values[i] = bytes(value)
            except (TypeError, ValueError, OverflowError):
                raise ATError(E_TYPE, i)
        elif not (value is None or isinstance(value, (int, str))):
            raise ATError(E_TYPE, i)
        values[i] = _check(wanted[i], values[i], i)
    return values


def texts(signature):
    """The text of each parameter."""
    # As bytes: each str that is made is looked for among all names first, which takes long.
    return signature.encode().replace(b", ", b",").split(b",")


def is_optional(text):
    """Whether a parameter may be left out."""
    return text[-1] == _QUESTION or text[-1] == _STAR or text.find(b"=") >= 0


def parts(text):
    """Where the kind of a parameter says `1..65535` or `text64`, and its default as a text, or None."""
    if text == b"link":
        return b"0..4", None
    end = len(text) - (text[-1] == _QUESTION or text[-1] == _STAR)
    start = text.find(b":") + 1
    equals = text.find(b"=", start, end)
    if equals < 0:
        return text[start:end], None
    return text[start:equals], str(text[equals + 1 : end], "utf-8")


def size_of(kind):
    """How many bytes a string may have; None for a number, and for one of some words."""
    for name in (b"text", b"bytes"):
        if kind.startswith(name):
            return int(kind[len(name) :])
    return None


def _check(text, value, i):
    """The value of a parameter as the handler gets it; ATError when it does not fit."""
    if value is None and text[-1] == _QUESTION:
        return None
    kind, default = parts(text)
    dots = kind.find(b"..")
    if value is None:
        if not is_optional(text):
            raise ATError(E_TYPE, i)
        return default if default is None or dots < 0 else int(default)
    if (dots < 0) == isinstance(value, int):
        raise ATError(E_TYPE, i)
    if dots < 0:
        return _text(kind, value, i)
    if not int(kind[:dots]) <= value <= int(kind[dots + 2 :]):
        raise ATError(E_RANGE, i)
    return value


def _text(kind, value, i):
    if isinstance(value, bytes) and not kind.startswith(b"bytes"):
        raise ATError(E_PARSE, i)
    size = size_of(kind)
    if size is not None:
        if len(value if isinstance(value, bytes) else value.encode()) > size:
            raise ATError(E_LENGTH, i)
        return value
    value = value.lower()
    for word in str(kind, "utf-8").split("|"):
        if word.lower() == value:
            return word
    raise ATError(E_RANGE, i)


def _fits(wanted, values):
    """How many parameters fit, up to the first text or misfit: among several signatures, most decide for one."""
    count = 0
    try:
        while count < min(len(wanted), len(values)) and size_of(parts(wanted[count])[0]) is None:
            _check(wanted[count], values[count], count)
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
            stop = line.find(b",", start, end)
            if stop < 0:
                stop = end
            value = None if start == stop else _integer(line, start, stop, len(values))
            start = stop
        values.append(value)
        if start >= end:
            return values
        if line[start] != _COMMA:
            raise ATError(E_PARSE, len(values) - 1)
        start += 1


def _integer(line, start, stop, index):
    """The number in line[start:stop], decimal or 0x and hexadecimal."""
    sign = line[start]
    if sign in (_MINUS, _PLUS):
        start += 1
    elif sign == _ZERO and line[start + 1 : start + 2] in (b"x", b"X"):
        try:
            return int(str(line[start + 2 : stop], "utf-8"), 16)
        except ValueError:
            raise ATError(E_TYPE, index)
    if start == stop:
        raise ATError(E_TYPE, index)
    # Python takes " 1" and "1_000" for numbers, too; the manual does not.
    value = 0
    while start < stop:
        digit = line[start] - _ZERO
        if not 0 <= digit <= 9:
            raise ATError(E_TYPE, index)
        value = 10 * value + digit
        start += 1
    return -value if sign == _MINUS else value


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
