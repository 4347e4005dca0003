"""Leaves the numbers of lines out of what is compiled, 8 KB of an image; and where the lines and functions of what was
built are in the sources, which is kept beside a build as `lines.json`, for tracebacks."""

import ast
import json
import re

from .trees import FUNCTIONS, module_name

# For mpy-cross.
OPTIONS = ("-X", "no-source-lines")
_FILE = "lines.json"
_ENTRY = re.compile(r'  File "([^"]*)", line (\d+), in (\S+)')


def follow(before, lines):
    """What a pass says of its lines, with those of the passes before it put in: {path: {line: (path, line)}}."""
    found = dict(before)
    for path, table in lines.items():
        found[path] = {line: place for line, (old, at) in table.items() if (place := _before(before, old, at))}
    return found


def _before(tables, path, line):
    """Where a line is in the sources, or the one before it that is known."""
    if path not in tables:
        return path, line
    known = [number for number in tables[path] if number <= line]
    return tables[path][max(known)] if known else None


def keep(folder, texts, tables):
    """Writes down where the lines and functions of {path: source} are from."""
    modules = {}
    for path, text in texts.items():
        lines, functions = {}, {}
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.stmt):
                lines[node.lineno] = _before(tables, path, node.lineno)
            if isinstance(node, FUNCTIONS):
                functions.setdefault(node.name, []).append(lines[node.lineno])
        modules[module_name(path)] = {"lines": sorted(lines.items()), "functions": functions}
    (folder / _FILE).write_text(json.dumps(modules))


class Lines:
    """The places in the sources of a build's folder; of a build that was made as the sources stand, none."""

    def __init__(self, folder):
        try:
            self._modules = json.loads((folder / _FILE).read_text())
        except FileNotFoundError:
            self._modules = {}

    def told(self, text):
        """A line that the chip has printed; what belongs to a traceback has the place in the sources behind it. Without
        the numbers of lines that is where the function begins, or those that have its short name."""
        entry = _ENTRY.match(text)
        module = self._modules.get(entry[1]) if entry else None
        if not module:
            return text
        if entry[2] == "1":
            places = module["functions"].get(entry[3], [])
        else:
            places = [place for line, place in module["lines"] if line <= int(entry[2])][-1:]
        found = " or ".join(f"{path}:{line}" for path, line in filter(None, places))
        return f"{text.rstrip()}  # {found}" if found else text
