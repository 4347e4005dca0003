"""What files in /commands may use of the firmware, as docs/your-own-command.md lists it. All else may change, and has
other names on the ESP8266."""

import ast

# What a handler reaches by its first parameter, which is called `at`.
OF_AT = (
    "at.line",
    "at.port.write",
    "at.port.room",
    "at.loop.sleep",
    "at.settings.get",
    "at.board.CHIP",
    "at.radio.station",
    "at.interpreter.keep",
)
# What can be imported, by module.
IMPORTED = {
    "firmware.at.command": ("command", "STORE", "ALWAYS"),
    "firmware.at.messages": ("ATError", "E_COUNT", "E_RANGE", "E_PARSE", "E_FAILED"),
}
# The options of a declaration, which are keywords; and the forms of a command.
OPTIONS = ("saved", "anytime")
_FORMS = ("execute", "query", "set", "at")


def names():
    """All these names: no build may shorten them."""
    found = {name for path in OF_AT for name in path.split(".")} | {*OPTIONS, *_FORMS}
    return found.union(*IMPORTED.values())


def beyond(tree):
    """Pairs of a line and what is used there and is not listed, in the syntax tree of a file for /commands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                if each.name.split(".")[0] == "firmware":
                    yield node.lineno, f"import {each.name}"
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "firmware":
            for each in node.names:
                if each.name not in IMPORTED.get(node.module, ()):
                    yield node.lineno, f"{each.name} of {node.module}"
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _of_at(node)


def _of_at(function):
    """The same for what a function reaches by `at`, also by a variable that holds a part of it."""
    held = {argument.arg: "at" for argument in function.args.args if argument.arg == "at"}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            path = _path(node.value, held)
            if path and _is_part(path):
                held[node.targets[0].id] = path
    for node in ast.walk(function):
        path = _path(node, held) if isinstance(node, ast.Attribute) else None
        # What is behind a listed name is MicroPython's, as with at.radio.station.
        if path and not _is_part(path) and _is_part(path.rpartition(".")[0]) and path.rpartition(".")[0] not in OF_AT:
            yield node.lineno, path


def _path(node, held):
    """at.port.write, for what reads so; None for anything else."""
    if isinstance(node, ast.Name):
        return held.get(node.id)
    if isinstance(node, ast.Attribute):
        path = _path(node.value, held)
        return path and f"{path}.{node.attr}"
    return None


def _is_part(path):
    return any(each == path or each.startswith(path + ".") for each in OF_AT)
