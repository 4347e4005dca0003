"""Leaves out of the firmware what one chip can never use, for chips with little flash: commands that are declared for
another one, the modules that nothing needs then, and parts of boot.py."""

import ast

from .trees import module_name


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
    return _without(
        source,
        [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and _board(node) not in ("", chip)],
    )


def prune_start(source):
    """boot.py without what is for the ESP32 family alone: functions that import esp32, and the conditional statements
    that have to do with these. Their names would stay in the memory of an ESP8266."""
    tree = ast.parse(source)
    others = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and "esp32" in _imports(ast.unparse(node))
    ]
    functions = {node.name for node in others}
    calling = [node for node in ast.walk(tree) if isinstance(node, ast.If) and functions & _names_in(node)]
    others += [node for node in calling if not any(node is not other and other in ast.walk(node) for other in calling)]
    return _without(source, others)


def _names_in(node):
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _without(source, nodes):
    lines = source.splitlines(keepends=True)
    for node in nodes:
        first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", ()))])
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
