"""Shorter private names for chips with little memory: MicroPython keeps each distinct name of a program in RAM.
A name with a leading underscore that only one module uses becomes `_0`, `_1` ..., the same few in every module;
modules whose classes inherit from one another count as one, since an object has the names of all of them."""

import ast
import io
import re
import tokenize
from collections import Counter

_PRIVATE = re.compile(r"_(?!_)\w+$")


def shorten(sources):
    """Returns {name of the module: source} with the private names replaced; lines stay where they are."""
    tokens = {module: _private(source) for module, source in sources.items()}
    families = _families(sources)
    used = [{token.string for module in family for token in tokens[module]} for family in families]
    uses = Counter(name for names in used for name in names)
    result = {}
    for family in families:
        # The most used names first, so that small modules share all of theirs with the others.
        found = Counter(token.string for module in family for token in tokens[module] if uses[token.string] == 1)
        short = {name: f"_{number}" for number, (name, _) in enumerate(found.most_common())}
        for module in family:
            result[module] = _replaced(sources[module], tokens[module], short)
    return result


def _families(sources):
    """The modules in groups: two are in the same one if a class of one inherits from a class of the other."""
    families = {module: [module] for module in sources}
    for module, source in sources.items():
        tree = ast.parse(source)
        origins = {
            alias.asname or alias.name: f"{node.module.replace('.', '/')}.py"
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }
        for node in ast.walk(tree):
            for base in node.bases if isinstance(node, ast.ClassDef) else ():
                origin = origins.get(getattr(base, "id", None))
                if origin in families and families[origin] is not families[module]:
                    families[origin] += families[module]
                    for member in families[module]:
                        families[member] = families[origin]
    return list({id(family): family for family in families.values()}.values())


def _replaced(source, tokens, short):
    lines = source.splitlines(keepends=True)
    for token in reversed(tokens):
        if token.string in short:
            row, start = token.start
            line = lines[row - 1]
            lines[row - 1] = line[:start] + short[token.string] + line[token.end[1] :]
    return "".join(lines)


def _private(source):
    return [
        token
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.NAME and _PRIVATE.match(token.string)
    ]
