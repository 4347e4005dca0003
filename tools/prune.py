"""Leaves out of the firmware what one chip can never use, for chips with little flash: commands that are declared for
another one, and the modules that nothing needs then."""

import ast

from .merge import module_name


def prune(sources, chip, roots):
    """Returns {path: source} without the commands of other chips; lines stay where they are. `roots` are the names of
    the modules that are imported from outside, or by the index of the commands."""
    texts = {path: _without_others(source, chip) for path, source in sources.items()}
    paths = {module_name(path): path for path in texts}
    found, waiting = set(), [name for name in roots if name in paths]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [other for other in _imports(texts[paths[name]]) if other in paths]
    return {paths[name]: texts[paths[name]] for name in paths if name in found}


def _without_others(source, chip):
    lines = source.splitlines(keepends=True)
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef) and _board(node) not in ("", chip):
            first = node.decorator_list[0].lineno
            lines[first - 1 : node.end_lineno] = ["\n"] * (node.end_lineno - first + 1)
    return "".join(lines)


def _board(node):
    """The board that a class declares a command for, "" for all of them and for what is no command."""
    keywords = [word for call in node.decorator_list if isinstance(call, ast.Call) for word in call.keywords]
    return next((word.value.value for word in keywords if word.arg == "board"), "")


def _imports(source):
    """The names of modules and their packages that a source may import."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found | {name.rsplit(".", count)[0] for name in found for count in range(name.count(".") + 1)}
