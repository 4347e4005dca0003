"""The commands, read from the declarations in the firmware's own sources (their syntax tree; nothing is run).
The chip's index, the console's completion, the tables in the docs and the fuzzer come from here."""

import ast
import contextlib
import functools
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path

from mpyat import sources

FORMS = ("test", "query", "set", "execute")
# Chapter of the manual -> the modules of firmware/commands/ that declare its commands: each is imported only when one
# of its own is first used. The order is also that of AT+CMD?.
CHAPTERS = {
    "basic": (
        "basic",
        "system",
        "uart",
        "factory",
        "flash",
        "power",
        "sleep",
        "temperature",
        "filters",
        "timestamp",
        "manufacturing",
        "rollback",
        "python",
    ),
    "wifi": ("wifi", "scan", "station", "softap", "phy"),
    "tcpip": (
        "tcpip",
        "state",
        "options",
        "sending",
        "streaming",
        "receiving",
        "passthrough",
        "serving",
        "names",
        "clock",
        "mdns",
        "tls",
        "update",
        "legacy",
    ),
    "user": ("user", "waking"),
}
_ANYTIME = 16
# As firmware/at/command.py numbers them.
_KEPT = ("", "always", "store", "never")


@dataclass(frozen=True)
class Command:
    """One declaration: `name` without "AT+" (as in CIPSTART; AT, ATE0 and ATE1 keep theirs), `chapter` of the
    manual, `module` that declares it, `help` (its docstring), `forms` (a subset of FORMS), `signatures` (texts,
    see firmware/at/parameters.py), `saved` ("", "store" or "always"), `anytime`, `board` ("" for all, or the only
    one that has it)."""

    name: str
    chapter: str
    module: str
    help: str
    forms: frozenset
    signatures: tuple = field(default=())
    saved: str = ""
    anytime: bool = False
    board: str = ""

    @property
    def full_name(self):
        """As it is typed: AT+CIPSTART."""
        return self.name if self.name.startswith("AT") else "AT+" + self.name

    def parameters(self):
        """One list of firmware.at.parameters.Parameter for each signature."""
        return [_parser().parameters(signature) for signature in self.signatures]

    def usage(self):
        """One line for each form with parameters, such as `AT+CIPMUX=<mode 0-1>`."""
        return [
            f"{self.full_name}=" + ",".join(_usage(parameter) for parameter in parameters)
            for parameters in self.parameters()
        ]

    def flags(self):
        """The bits that the chip's index carries."""
        return sum(1 << i for i, form in enumerate(FORMS) if form in self.forms) | _ANYTIME * self.anytime


def _usage(parameter):
    if parameter.low is not None:
        kind = f"{parameter.low}-{parameter.high}" if parameter.high > parameter.low else str(parameter.low)
    elif parameter.size is not None:
        kind = '"..."'
    else:
        kind = "|".join(f'"{word}"' for word in parameter.words)
    text = f"<{parameter.name} {kind}>"
    if parameter.repeats:
        text += "..."
    if parameter.default is not None:
        text += f"={parameter.default}"
    return f"[{text}]" if parameter.optional else text


@functools.cache
def _parser():
    """The firmware's own parser of signatures, which runs under CPython too."""
    root = str(sources.root())
    if root not in sys.path:
        sys.path.insert(0, root)
    # What MicroPython's compiler does with const() is nothing to CPython.
    sys.modules.setdefault("micropython", types.SimpleNamespace(const=lambda value: value))
    import firmware.at.parameters

    return firmware.at.parameters


@functools.cache
def load(root=None, board=""):
    """All commands in the order of the chapters, or those of one board; `root` is where `firmware/` stands."""
    root = Path(root) if root else sources.root()
    return [
        command
        for chapter, modules in CHAPTERS.items()
        for module in modules
        for command in _module(root / "firmware" / "commands" / f"{module}.py", chapter)
        if not board or command.board in ("", board)
    ]


def own(folder):
    """The commands that the Python files of a folder declare, as files in /commands on the flash do; a file that the
    firmware would leave out is left out here, too."""
    commands = []
    for path in sorted(Path(folder).glob("*.py")):
        with contextlib.suppress(OSError, SyntaxError, NameError, ValueError):
            commands += _module(path, "own")
    return commands


def _module(path, chapter):
    constants = {}
    for node in ast.parse(path.read_text(), str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            constants[node.targets[0].id] = node.value.value
        for call in getattr(node, "decorator_list", ()):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "command":
                yield _command(node, call, chapter, path.stem, constants)


def _command(node, call, chapter, module, constants):
    # Signatures may be put together from constants of the module, so this is an expression and not only a literal.
    name, *signatures = (
        eval(compile(ast.Expression(argument), "signature", "eval"), {}, constants) for argument in call.args
    )
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    forms = {part.name for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))}
    forms &= set(FORMS)
    if "set" in forms:
        forms.add("test")
    return Command(
        name=name.removeprefix("AT+"),
        chapter=chapter,
        module=module,
        help=ast.get_docstring(node) or "",
        forms=frozenset(forms),
        signatures=tuple(signatures),
        saved=options["saved"].id.lower() if "saved" in options else "",
        anytime="anytime" in options,
        board=options["board"].value if "board" in options else "",
    )


def index_source(root, board, moved=None, merged=None):
    """The text of the generated module firmware/commands/index.py: bytes constants, which stay in ROM.

    `moved` gives the names under which the modules are imported, if they are in no package; `merged` the names of those
    that some are in, where files have several."""
    names = {command.module: f"firmware.commands.{command.module}" for command in load(root, board)}
    if moved:
        names = {module: moved[name] for module, name in names.items()}
    else:
        names = {module: (merged or {}).get(name, name).rpartition(".")[2] for module, name in names.items()}
    lines, places = [], {}
    for command in load(root, board):
        # Where the first of its functions is among those of the module, see shrink/rows.py.
        place = places.get(command.module, 0)
        places[command.module] = place + len(command.forms & {"execute", "query", "set"})
        saved = _KEPT.index(command.saved)
        texts = ";".join(command.signatures).replace(", ", ",")
        lines.append(f"{command.full_name} {names[command.module]} {command.flags()} {saved} {place} {texts}")
    text = f"INDEX = {chr(10).join(['', *lines, '']).encode()!r}\n"
    return text + f"PACKAGE = {'' if moved else 'firmware.commands.'!r}\n"
