"""Values for the parameters of the firmware's commands, made from their declarations in mpyat.catalog.
Whoever declares a command gets its limits tested and its parameters fuzzed without listing them again."""

from mpyat import catalog


def quoted(text):
    """A string as a parameter."""
    return f'"{text}"'


def valid(parameter):
    """A text that the parameter accepts; the least of a range."""
    if parameter.low is not None:
        return str(parameter.low)
    return quoted(parameter.words[0] if parameter.words else "a")


def accepted(parameter):
    """Texts at the limits of what the parameter accepts, from inside."""
    if parameter.low is not None:
        # Hexadecimal numbers have no sign.
        return [str(parameter.low), hex(max(parameter.low, 0)), str(parameter.high), hex(parameter.high)]
    if parameter.words:
        words = [spelling for word in parameter.words for spelling in (word, word.lower(), word.upper())]
        return [quoted(word) for word in words]
    return [quoted(""), quoted("a" * parameter.size), *([quoted("\xff" * parameter.size)] if parameter.bytes else ())]


def refused(parameter):
    """Pairs of a text that the parameter does not accept, and the kind of error (its third byte) that results."""
    if parameter.low is not None:
        pairs = [(parameter.low - 1, 7), (parameter.high + 1, 7), (hex(parameter.high + 1), 7), (10**30, 7)]
        return [*pairs, (quoted(parameter.low), 5), ("x", 5), ("0x", 5), ("1.0", 5), ("0x1g", 5), ("1_0", 5)]
    if parameter.words:
        return [(quoted("no"), 7), (quoted(""), 7), (1, 5), (parameter.words[0], 5)]
    # The limit is one of bytes, and \xc3\xa9 is one letter.
    letters = "\xc3\xa9" * (parameter.size // 2)
    pairs = [(quoted("a" * (parameter.size + 1)), 4), (quoted(letters + "aa"), 4), (0, 5), ("a", 5)]
    return [*pairs, (quoted("\xff" * (parameter.size + 1)), 4) if parameter.bytes else (quoted("\xff\xfe"), 8)]


def deciding(command, parameters):
    """How many parameters, from the first on, tell which of the command's signatures holds."""
    numbers = [i for i, parameter in enumerate(parameters) if parameter.size is not None]
    return 0 if len(command.signatures) == 1 else min(numbers, default=len(parameters))


def elsewhere(command, parameters, index, value):
    """Whether the number at a deciding place belongs to another of the command's signatures."""
    try:
        number = int(str(value), 0)
    except ValueError:
        return False
    others = [other[index] for other in command.parameters() if len(other) > index]
    return index < deciding(command, parameters) and any(
        other.low is not None and other.low <= number <= other.high for other in others
    )


def settable():
    """The commands that have a set form."""
    return [command for command in catalog.load() if "set" in command.forms]


def harmless(pairs):
    """Those of the pairs whose command leaves the module running."""
    return [(command, parameters) for command, parameters in pairs if command.name not in ("GSLP", "RST")]


def signatures():
    """Pairs of a command that has a set form, and the parameters of one of its signatures."""
    return [(command, parameters) for command in settable() for parameters in command.parameters()]
