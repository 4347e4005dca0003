"""What MicroPython's ports have, as the packages micropython-*-stubs describe it, set right where they are wrong.
`make setup` puts them into .venv/stubs, one folder for each board, where nothing else finds them."""

import ast
import functools
import shutil
import sys
from pathlib import Path

CORRECTIONS = Path(__file__).with_name("stub_corrections.pyi")
# A constant that was found on a board stands in its stub with the value. What has none is the documentation's, which
# is about all ports; these alone are there all the same.
_THERE_WITHOUT_VALUE = {"mem8", "mem16", "mem32"}


class StubsError(Exception):
    """The stubs are not there, or not as the corrections expect them; the message is one line."""


def folder(board):
    """Where the stubs of a board are installed."""
    path = Path(sys.prefix, "stubs", board)
    if not (path / "machine.pyi").is_file():
        raise StubsError(f"no stubs of the {board} in {path}: `make setup` gets them")
    return path


@functools.cache
def _files(board):
    """{module: file} of all modules that are not parts of packages."""
    top = folder(board)
    found = {}
    for path in (
        *top.glob("*.pyi"),
        *top.glob("*/__init__.pyi"),
        *top.glob("stdlib/*.pyi"),
        *top.glob("stdlib/*/__init__.pyi"),
    ):
        found[path.parent.name if path.stem == "__init__" else path.stem] = path
    return found


@functools.cache
def tree(board, module):
    """The syntax tree of a module's stub, corrected; None if the board has no such module."""
    path = _files(board).get(module)
    if path is None:
        return None
    parsed = ast.parse(path.read_text(), str(path))
    if path.parent == folder(board):
        _drop_documented(parsed)
    for correction in _corrections(board).get(module, ()):
        _correct(parsed, correction, f"{board}: {module}")
        parsed.body += ast.parse("from typing import Any, overload").body
    return ast.fix_missing_locations(parsed)


def write(board, target):
    """Writes all stubs of a board, corrected, for a type checker to take them for all that there is."""
    unknown = _corrections(board).keys() - _files(board).keys()
    if unknown:
        raise StubsError(f"{CORRECTIONS.name}: the {board} has no stub of {', '.join(sorted(unknown))}")
    shutil.copytree(folder(board), target)
    for module in _files(board):
        (target / _files(board)[module].relative_to(folder(board))).write_text(ast.unparse(tree(board, module)))


def attributes(board):
    """The names of all that there is in the modules of a board, and in their classes."""
    found = set()
    for module, path in _files(board).items():
        if path.parent == folder(board) or module in _corrections(board):
            found |= {name for node in ast.walk(tree(board, module)) for name in names(node)}
    return found


@functools.cache
def _corrections(board):
    """{module: the classes that hold its corrections}."""
    found = {}
    for boards in ast.parse(CORRECTIONS.read_text(), str(CORRECTIONS)).body:
        if isinstance(boards, ast.ClassDef) and boards.name in (board, "every_board"):
            for module in boards.body:
                found.setdefault(module.name, []).append(module)
    return found


def names(statement):
    """The names that a statement of a stub declares."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, ast.AnnAssign):
        return {statement.target.id}
    if isinstance(statement, ast.Assign):
        return {target.id for target in statement.targets}
    return set()


def _drop_documented(scope):
    """Takes away the constants without a value."""

    def documented(statement):
        return (
            isinstance(statement, ast.AnnAssign)
            and (statement.value is None or getattr(statement.value, "value", None) is ...)
            and not statement.target.id.startswith("_")
            and statement.target.id not in _THERE_WITHOUT_VALUE
        )

    scope.body = [statement for statement in scope.body if not documented(statement)] or [ast.Pass()]
    for statement in scope.body:
        if isinstance(statement, ast.ClassDef):
            _drop_documented(statement)


def _correct(scope, correction, where):
    """What the correction declares takes the place of what is there; `__all__` says what stays, `del` what goes, and a
    class that names bases gets these."""
    classes = {statement.name: statement for statement in scope.body if isinstance(statement, ast.ClassDef)}
    gone, new = set(), []
    for statement in correction.body:
        if isinstance(statement, ast.Delete):
            wanted = {target.id for target in statement.targets}
            _must_be_there(wanted, scope, where)
            gone |= wanted
        elif names(statement) == {"__all__"}:
            stays = set(ast.literal_eval(statement.value).split())
            _must_be_there(stays - {name for other in correction.body for name in names(other)}, scope, where)
            _keep(scope, stays)
        elif isinstance(statement, ast.ClassDef) and statement.name in classes:
            there = classes[statement.name]
            there.bases = statement.bases or there.bases
            _correct(there, statement, f"{where}.{statement.name}")
        elif names(statement):
            gone |= names(statement)
            new.append(statement)
    scope.body = [statement for statement in scope.body if not names(statement) & gone] + new


def _must_be_there(wanted, scope, where):
    there = {name for statement in ast.walk(scope) for name in names(statement)}
    if not wanted <= there:
        missing = ", ".join(sorted(wanted - there))
        raise StubsError(f"{CORRECTIONS.name}: the stub of {where} has no {missing}")


def _keep(scope, wanted):
    """Takes away the public names that are not wanted, also those that stand under a condition or are passed on."""

    def stays(statement):
        if isinstance(statement, ast.AugAssign):  # as is __all__ for some versions of Python
            return False
        declared = names(statement)
        if "__all__" in declared:
            return False
        return not declared or any(name in wanted or name.startswith("_") for name in declared)

    for statement in [*scope.body, *getattr(scope, "orelse", [])]:
        if isinstance(statement, ast.If):
            _keep(statement, wanted)
        elif isinstance(statement, ast.ImportFrom):
            statement.names = [alias for alias in statement.names if alias.asname != alias.name] or [ast.alias("Any")]
            statement.module = statement.module if statement.names[0].name != "Any" else "typing"
    scope.body = [statement for statement in scope.body if stays(statement)] or [ast.Pass()]
    if isinstance(scope, ast.If):
        scope.orelse = [statement for statement in scope.orelse if stays(statement)]
