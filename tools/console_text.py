"""Text for the console's person: bytes made readable, escapes made bytes, names completed, parameters recalled.
Pure functions; the commands they know come from the catalogue."""

import re

_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|(.?))", re.DOTALL)


def readable(data: bytes) -> str:
    r"""Spell bytes for a terminal: UTF-8 text as it is, control bytes as \r \n \t \xNN, backslashes doubled."""
    spelled = []
    for char in data.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace"):
        if char.isprintable():
            spelled.append(char)
        elif char in "\r\n\t":
            spelled.append({"\r": "\\r", "\n": "\\n", "\t": "\\t"}[char])
        else:
            spelled.append("".join(f"\\x{byte:02x}" for byte in char.encode()))
    return "".join(spelled)


def readable_rows(data: bytes) -> list[str]:
    """Spell bytes in rows, one for each line in them; an empty block is no row."""
    return [readable(row) for row in data.splitlines(keepends=True)]


def unescape(text: str) -> bytes:
    r"""Turn typed text into bytes: UTF-8, with the escapes \r \n \t \0 \xNN and \\.

    Raises ValueError, with a text for the person, for any other escape.
    """

    def replace(match):
        if match[1]:
            # A surrogate carries the byte through the encoding below, even where it is no UTF-8.
            byte = int(match[1], 16)
            return chr(byte) if byte < 0x80 else chr(0xDC00 + byte)
        if match[2] not in _ESCAPES:
            raise ValueError(f"{match[0]} is no escape; there are \\r \\n \\t \\0 \\xNN and \\\\")
        return _ESCAPES[match[2]]

    return _ESCAPE.sub(replace, text).encode("utf-8", "surrogateescape")


def completions(text: str, commands: list) -> list[tuple[str, str]]:
    """What the typed text could become, each with a word on what it does.

    First the names that begin so; once a name stands there complete, its forms as well.
    """
    typed = text.upper()
    if not typed or not "AT+".startswith(typed[:3]):
        return []
    names, forms = [], []
    for command in commands:
        name = command.full_name
        if name == typed:
            endings = (("set", "=", "set"), ("query", "?", "query"), ("test", "=?", "show the parameters"))
            forms = [(name + ending, what) for form, ending, what in endings if form in command.forms]
        elif name.startswith(typed):
            names.append((name, command.help))
    return forms + names


def reminder(text: str, commands: list, links: bool, width: int) -> list[list[tuple[str, str]]]:
    """The parameters of the command being typed: (style, text) fragments in rows of at most `width` columns.

    Each way to set it begins a row; the parameter that the cursor has reached is in the style "class:current".
    `links` says whether AT+CIPMUX=1 holds: only then there is a parameter for the link.
    """
    name, equals, parameters = text.partition("=")
    name = name.rstrip("?").upper()
    command = next((command for command in commands if command.full_name == name), None)
    if command is None:
        return []
    if "set" not in command.forms:
        return [[("", f"{command.full_name}  {command.help}")]]
    index = _commas(parameters) if equals and parameters != "?" else None
    return [row for usage in command.usage() for row in _rows(usage, index, links, width)]


def _commas(parameters):
    """The number of commas outside strings."""
    outside = re.sub(r'"(?:\\.|[^"\\])*"?', "", parameters)
    return len(re.sub(r"\\.", "", outside).split(",")) - 1


def _rows(usage, index, links, width):
    name, _, parameters = usage.partition("=")
    pieces = re.split(r"(?<=,)(?=[<\[])", parameters)
    if not links and pieces[0].startswith("<link "):
        del pieces[0]
    rows = [[("", name + "=")]]
    used = len(name) + 1
    for number, piece in enumerate(pieces):
        if used + len(piece) > width:
            rows.append([("", "    ")])
            used = 4
        used += len(piece)
        rows[-1].append(("class:current" if number == index else "", piece))
    return rows
