"""Moves the firmware's modules to the top, under short names, for chips with little memory: MicroPython keeps the path
of each module that it has loaded, its name, and that of each package on the way."""

import ast
import itertools
import re

from .edits import Edits
from .shorten import letters


def flatten(sources, kept, rom=()):
    """Returns {path: source}, and {name of a module before: its name now} of those that have moved: all but the
    packages and those in `kept`. Lines stay where they are.

    A text that is the name of a module is changed, too, and so are the names in texts of bytes. Nothing may look for a
    module in its package. `rom`: names that cost nothing on the chip; those in capitals come first, as files that a
    user may have beside the firmware are hardly called so."""
    names = {path: path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in sources}
    moved = [path for path in sources if not path.endswith("/__init__.py") and names[path] not in kept]
    # Those that most others need get the names that are in memory anyway.
    text = "\n".join(sources.values())
    moved.sort(key=lambda path: -len(re.findall(rf"import {names[path].rsplit('.', 1)[-1]}\b|{names[path]}\b", text)))
    free = itertools.chain((name for name in rom if name.isupper()), letters())
    short = dict(zip((names[path] for path in moved), free, strict=False))
    paths = {path: f"{short[names[path]]}.py" if path in moved else path for path in sources}
    texts = {paths[path]: _rewritten(source, short) for path, source in sources.items()}
    return texts, short


def _rewritten(source, short):
    edits = Edits(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            edits.replace(node, _import(node, short))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in short:
            edits.replace(node, repr(short[node.value]))
        elif isinstance(node, ast.Constant) and isinstance(node.value, bytes) and b"firmware." in node.value:
            moved = re.sub(rb"firmware[.\w]+", lambda found: _moved(found[0], short), node.value)
            edits.replace(node, repr(moved))
    return edits.result()


def _moved(name, short):
    return short.get(name.decode(), name.decode()).encode()


def _import(node, short):
    """The text of an import, with the modules where they are now."""
    if node.module in short:
        return f"from {short[node.module]} import {_aliases(node.names)}"
    modules = [alias for alias in node.names if f"{node.module}.{alias.name}" in short]
    others = [alias for alias in node.names if alias not in modules]
    parts = [f"import {short[f'{node.module}.{alias.name}']} as {alias.asname or alias.name}" for alias in modules]
    if others:
        parts.append(f"from {node.module} import {_aliases(others)}")
    return "; ".join(parts)


def _aliases(names):
    return ", ".join(alias.name + (f" as {alias.asname}" if alias.asname else "") for alias in names)
