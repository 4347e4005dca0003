"""Whether the firmware uses what MicroPython's port for a board does not have: a module, a function, a method or a
parameter. mypy tells, with the port's stubs in place of all that it knows of Python. `python -m mpyat.typecheck` checks
the firmware, and what files for /commands it is given.

mypy and not pyright, since it is a Python package alone, where pyright brings or fetches a node.js."""

import ast
import io
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from mpyat import catalog, own_commands, sources, stubs
from mpyat.build import BOARDS
from mpyat.shrink.prune import prune
from mpyat.shrink.trees import module_name

# The firmware has no annotations. These tell mypy what parameters, variables and attributes of some names are, so that
# it can follow the chip's objects, and the firmware's own that hold these; `at` is one only as the first parameter.
_KINDS = {
    "at": "firmware.app.App",
    "loop": "firmware.loop.Loop",
    "poll": "select.poll",
    "sock": "socket.socket",
    "uart": "machine.UART",
    "wlan": "network.WLAN",
    "context": "tls.SSLContext",
    "_tls": "tls.SSLSocket",
}
# The same for the files whose path begins so.
_KINDS_IN = {"firmware/board/": {"port": "machine.UART"}, "firmware/slots.py": {"news": "machine.Timer"}}
# What is only about types that the firmware has not declared, and not about what is there.
_NOT_WANTED = (
    "annotation-unchecked assignment has-type index list-item misc no-redef override return-value used-before-def"
    " var-annotated"
)
# What the firmware tries, and does without: the kind of mypy's error, what its text has in it, and what is caught.
_TRIED = (
    ("import-not-found", "", "ImportError"),
    ("attr-defined", "", "AttributeError"),
    ("call-overload", '"config" of "WLAN"', "ValueError"),
)
# What a board does not get to, although mypy cannot know: the boards, the file, what is not there, and why.
_NEVER = (
    (BOARDS, "firmware/net/address.py", "sockaddr", "the unix port's addresses are bytes, those of a chip are tuples"),
    (("esp8266",), "firmware/tls.py", "set_ciphers", "only AT+CIPSSLCCIPHER gives any, a command of the ESP32"),
    (("esp8266",), "firmware/tls.py", "load_verify_locations", "refused before, as tls has no CERT_REQUIRED"),
)
_OPTIONS = """\
[mypy]
python_version = {version}
platform = {board}
check_untyped_defs = True
strict_optional = False
disable_error_code = {codes}
always_true = {true}
always_false = {false}
custom_typeshed_dir = {stubs}
mypy_path = {stubs}
cache_dir = /dev/null
error_summary = False
"""
_OF_PYTHON = {
    name for kind in (str, bytes, bytearray, memoryview, int, float, tuple, list, dict, set) for name in dir(kind)
}
_OF_PYTHON |= {*dir(io.FileIO), *dir(io.TextIOWrapper), *dir(socket.socket)}
_ERROR = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): error: (?P<text>.*)  \[(?P<kind>[\w-]+)\]")


def problems(board, root=None, own=()):
    """One line for each thing that the board does not have: the place and what mypy says of it. It is searched for in
    the firmware, which stands in `root`, and in the files `own`, which would be in /commands."""
    root = Path(root) if root else sources.root()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        stubs.write(board, folder / "stubs")
        files = _copy(board, root, folder / "source") + [_copy_own(path, folder / "source") for path in own]
        (folder / "mypy.ini").write_text(_options(board, root, folder / "stubs"))
        command = [sys.executable, "-m", "mypy", "--config-file", folder / "mypy.ini", *files]
        result = subprocess.run(command, cwd=folder / "source", capture_output=True, text=True, check=False)
        if result.returncode > 1 or result.stderr:
            raise stubs.StubsError(f"mypy failed: {(result.stderr or result.stdout).strip()}")
        found = [error for error in map(_ERROR.fullmatch, result.stdout.splitlines()) if error]
        # The stubs have errors of their own, which are nothing to the firmware.
        found = [error for error in found if not error["file"].startswith("/")]
        found = [error[0] for error in found if _counts(error, board, folder / "source")]
        found += _unheard_of(board, folder / "source")
        found += [line for path in own for line in _beyond(Path(path))]
    return [f"{board}: {line}" for line in found]


def _beyond(path):
    """What a file for /commands uses of the firmware, and the docs do not list."""
    for line, what in own_commands.beyond(ast.parse(path.read_text())):
        yield f"commands/{path.name}:{line}: error: {what} is nothing that a command of one's own may use"


def _unheard_of(board, folder):
    """Methods of Python's own types that neither the port's nor anything of the firmware has: where mypy does not know
    of which kind something is, it cannot tell."""
    parsed = {path: ast.parse(path.read_text()) for path in sorted(folder.rglob("*.py"))}
    known = stubs.attributes(board)
    for node in (node for tree in parsed.values() for node in ast.walk(tree)):
        known.add(getattr(node, "name", None))
    for path, tree in parsed.items():
        for node in ast.walk(tree):
            method = getattr(getattr(node, "func", None), "attr", None)
            if method in _OF_PYTHON - known:
                yield f"{path.relative_to(folder)}:{node.lineno}: error: Nothing has a method {method} on this board"


def _options(board, root, folder):
    """mypy's settings. What the board's module says is true or false decides which branches there are on that board."""
    said = {"ANY": False}  # whether it is the unix port, see firmware/net/options.py
    for node in ast.parse((root / "firmware/board" / f"{board}.py").read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(getattr(node.value, "value", None), bool):
            said[node.targets[0].id] = node.value.value
    return _OPTIONS.format(
        version=f"{sys.version_info.major}.{sys.version_info.minor}",
        board=board,
        stubs=folder,
        codes=", ".join(_NOT_WANTED.split()),
        true=", ".join(name for name, value in said.items() if value),
        false=", ".join(name for name, value in said.items() if not value),
    )


def _counts(error, board, folder):
    """Whether the firmware is not prepared for what mypy has found."""
    if any(f'"firmware.board.{other}' in error["text"] for other in BOARDS if other != board):
        return False
    for boards, file, name, _ in _NEVER:
        if board in boards and error["file"] == file and error["text"].endswith(f'has no attribute "{name}"'):
            return False
    for kind, part, caught in _TRIED:
        if kind == error["kind"] and part in error["text"]:
            tree = ast.parse((folder / error["file"]).read_text())
            return not any(_tries(node, int(error["line"]), caught) for node in ast.walk(tree))
    return True


def _tries(node, line, caught):
    """Whether this is a `try` around the line that expects the exception."""
    if not isinstance(node, ast.Try) or not node.body[0].lineno <= line <= node.body[-1].end_lineno:
        return False
    names = [getattr(name, "id", "") for handler in node.handlers if handler.type for name in ast.walk(handler.type)]
    return caught in names


def _copy(board, root, folder):
    """The sources as the board loads them; returns the files to begin with, from which imports lead to the others."""
    texts = {str(path.relative_to(root)): path.read_text() for path in (root / "firmware").rglob("*.py")}
    other = tuple(f"firmware/board/{name}" for name in BOARDS if name != board)
    texts = {name: text for name, text in texts.items() if not name.startswith(other)}
    modules = dict.fromkeys(f"firmware/commands/{command.module}.py" for command in catalog.load(root, board))
    roots = [module_name(name) for name in texts if not name.startswith("firmware/commands/") or name in modules]
    texts = prune(texts, board, roots) | {name: (root / name).read_text() for name in ("boot.py", "main.py")}
    texts = {name: _told(name, text) for name, text in texts.items()}
    texts["firmware/commands/index.py"] = catalog.index_source(root, board)
    texts["firmware/buildinfo.py"] = 'VERSION = HASH = DATE = DOCS = ""\n'
    texts["firmware/update_key.py"] = 'MODULUS = b""\n'
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return ["boot.py", "main.py", f"firmware/board/{board}.py", *modules]


def _copy_own(path, folder):
    target = folder / "commands" / Path(path).name
    target.parent.mkdir(exist_ok=True)
    target.write_text(_told("", Path(path).read_text()))
    return target


def _told(name, text):
    """The source with what mypy is to know of it, every line where it was."""
    kinds = _KINDS.copy()
    for path in _KINDS_IN:
        kinds |= _KINDS_IN[path] if name.startswith(path) else {}
    modules = {kind.rpartition(".")[0] for kind in kinds.values()}
    lines = text.encode().splitlines()
    for line, column, more in sorted(_notes(ast.parse(text), kinds), reverse=True):
        before = lines[line - 1]
        lines[line - 1] = before[:column] + more.encode() + before[column:]
    lines += [f"import {module} as {_alias(module)}".encode() for module in sorted(modules)]
    return b"\n".join([*lines, b"from typing import Any as _Any", b"_anything: _Any", b""]).decode()


def _alias(module):
    return "_of_" + module.replace(".", "_")


def _notes(tree, kinds):
    """What is to be put in where, as triples of line, column and text."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for place, argument in enumerate(node.args.args):
                first = place == (node.args.args[0].arg == "self")
                if first or argument.arg != "at":
                    yield argument.end_lineno, argument.end_col_offset, _kind(argument.arg, kinds)
        elif isinstance(node, ast.Assign):
            targets = [part for target in node.targets for part in getattr(target, "elts", [target])]
            for target in targets:
                name = getattr(target, "id", getattr(target, "attr", ""))
                own = isinstance(target, ast.Name) or getattr(target.value, "id", "") == "self"
                if own and name != "at" and _kind(name, kinds):
                    yield node.lineno, node.col_offset, f"{ast.unparse(target)}{_kind(name, kinds)}; "
            # What is None at first may become anything.
            if isinstance(node.value, ast.Constant) and node.value.value is None:
                yield node.value.end_lineno, node.value.end_col_offset, " or _anything"


def _kind(name, kinds):
    """The annotation for what has this name, with an underscore in front or without; "" if there is none."""
    kind = kinds.get(name) or kinds.get(name.removeprefix("_"), "")
    module, _, name = kind.rpartition(".")
    return kind and f': "{_alias(module)}.{name}"'


def main():
    lines = []
    try:
        for board in BOARDS:
            lines += problems(board, own=sys.argv[1:])
    except (stubs.StubsError, OSError, SyntaxError) as error:
        sys.exit(f"typecheck: {error}")
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
