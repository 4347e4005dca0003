"""Shorter private names for chips with little memory: MicroPython keeps each distinct name of a program in RAM.
A name with a leading underscore that only one module uses becomes `_0`, `_1` ..., the same few in every module."""

import io
import re
import tokenize
from collections import Counter

_PRIVATE = re.compile(r"_(?!_)\w+$")


def shorten(sources):
    """Returns {name of the module: source} with the private names replaced; lines stay where they are."""
    tokens = {module: _private(source) for module, source in sources.items()}
    uses = Counter(name for found in tokens.values() for name in {token.string for token in found})
    result = {}
    for module, source in sources.items():
        own = [token for token in tokens[module] if uses[token.string] == 1]
        # The most used names first, so that small modules share all of theirs with the others.
        ranked = Counter(token.string for token in own).most_common()
        short = {name: f"_{number}" for number, (name, _) in enumerate(ranked)}
        lines = source.splitlines(keepends=True)
        for token in reversed(own):
            row, start = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:start] + short[token.string] + line[token.end[1] :]
        result[module] = "".join(lines)
    return result


def _private(source):
    return [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.NAME and _PRIVATE.match(token.string)
    ]
