"""Puts the modules that are in memory all the time into one, for chips with little memory: each module costs its
tables, and a place for each name that it has from another."""

import ast
import builtins

from .constants import is_plain
from .edits import Edits
from .errors import ShrinkError
from .trees import module_name

# In this module, each of the others begins at a line of its own thousand, in this order.
WHOLE = "firmware.app"
PARTS = (
    "firmware.at.messages",
    "firmware.at.command",
    "firmware.commands",
    "firmware.loop",
    "firmware.net.address",
    "firmware.net.links",
    "firmware.at.port",
    "firmware.at.interpreter",
    "firmware.reports",
    "firmware.settings",
    "firmware.wifi",
    WHOLE,
)
# What is loaded together, into the last of them.
TOGETHER = (
    ("firmware.net.link", "firmware.net.options", "firmware.net.tcp"),
    ("firmware.net.box", "firmware.passive"),
)
# What an ESP32 loads together, or is of one theme and so small that a file of its own would be a waste of the flash,
# where each takes a block of 4 KiB: the module that the others go into, and all of them in the order of their imports.
# All that are dropped at one time, see firmware/commands/__init__.py, may be together, and none that others are not.
THEMES = {
    "firmware.at.syntax": ("firmware.at.syntax", "firmware.at.parameters"),
    "firmware.at.data": ("firmware.at.data", "firmware.at.escaped", "firmware.at.stream"),
    "firmware.commands.basic": tuple(
        f"firmware.commands.{name}" for name in ("factory", "temperature", "system", "basic")
    ),
    "firmware.commands.uart": ("firmware.commands.python", "firmware.commands.uart"),
    "firmware.commands.sleep": tuple(f"firmware.commands.{name}" for name in ("pins", "power", "waking", "sleep")),
    "firmware.commands.user": ("firmware.commands.filters", "firmware.commands.user"),
    "firmware.commands.interfaces": ("firmware.commands.macs", "firmware.commands.interfaces"),
    "firmware.commands.wifi": tuple(f"firmware.commands.{name}" for name in ("scanning", "scan", "station", "wifi")),
    "firmware.commands.softap": ("firmware.commands.phy", "firmware.commands.softap"),
    "firmware.commands.tcpip": tuple(
        f"firmware.commands.{name}" for name in ("legacy", "options", "state", "serving", "sending", "opening", "tcpip")
    ),
    "firmware.commands.receiving": ("firmware.commands.streaming", "firmware.commands.receiving"),
    "firmware.commands.names": ("firmware.commands.mdns", "firmware.commands.names"),
    "firmware.commands.clock": ("firmware.commands.timestamp", "firmware.commands.clock"),
    "firmware.commands.update": ("firmware.commands.rollback", "firmware.commands.update"),
    "firmware.net.address": ("firmware.settings", "firmware.net.links", "firmware.net.address"),
    "firmware.net.dns": ("firmware.net.dns_stream", "firmware.net.dns"),
    "firmware.net.tcp": tuple(f"firmware.net.{name}" for name in ("options", "link", "tcp", "server", "box")),
    "firmware.net.udp": ("firmware.net.shared", "firmware.net.udp"),
    "firmware.net.sntp": ("firmware.clock", "firmware.net.sntp"),
    "firmware.net.download": ("firmware.net.numbers", "firmware.net.url", "firmware.net.download"),
    "firmware.tls": ("firmware.pair", "firmware.tls"),
    "firmware.update": ("firmware.bundle", "firmware.slot_files", "firmware.update"),
}
_LINES = 1000
# The module itself, where a part is handed on as an object.
_ITSELF = "sys.modules[__name__]"


def merge(sources, others=(), parts=PARTS, whole=WHOLE):
    """Returns {path: source} in which the parts are one module, and all imports of them are imports of that, and where
    its lines were, {path: {line: (path, line)}}.

    `others` are those of the parts that are also imported by their names from outside: in their places stay modules
    that have the constants, and get the rest from the whole. What parts define has to have different names."""
    paths = {module_name(path): path for path in sources}
    parts = [name for name in parts if name in paths]
    trees = {name: ast.parse(sources[paths[name]], paths[name]) for name in parts}
    defined = {name: _defined(tree) for name, tree in trees.items()}
    _check(defined)
    used = set().union(*(_used(tree) for tree in trees.values()))
    texts = {}
    for path, source in sources.items():
        if module_name(path) not in parts:
            texts[path] = _Editor(source, defined, whole).result()
        elif module_name(path) in others:
            texts[path] = _stub(trees[module_name(path)], sources[path], whole)
    pieces, lines = ["import sys"], {}
    for number, name in enumerate(parts, 1):
        text = _Editor(sources[paths[name]], defined, whole, number, used).result().splitlines()
        pieces += [""] * (number * _LINES - len(pieces)) + text
        lines |= {number * _LINES + line: (paths[name], line) for line in range(1, len(text) + 1)}
    return texts | {paths[whole]: "\n".join(pieces) + "\n"}, {paths[whole]: lines}


def _check(defined):
    seen = dict.fromkeys(dir(builtins), "Python")
    for module, names in defined.items():
        for name in names:
            if name in seen:
                raise ShrinkError(f"{module} and {seen[name]} both have the name {name}: give it another one")
            seen[name] = module


def _defined(tree):
    """The names that a module gives to something of its own, but for what vanishes."""
    found = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign) and not is_plain(node) and not _is_private(node):
            found |= _names(node)
    return found


def _names(node):
    """The names that something is given to."""
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and _is_stored(name)}


def _used(tree):
    """The names that a module looks up."""
    nodes = list(ast.walk(tree))
    found = {node.id for node in nodes if isinstance(node, ast.Name) and not _is_stored(node)}
    return found | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def _is_stored(name):
    return isinstance(name.ctx, ast.Store)


def _is_private(node):
    """Whether it is `_X = const(1)`, of which the compiler leaves nothing."""
    return isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "const"


def _stub(tree, source, whole):
    """What stays in the place of a part."""
    kept = [ast.get_source_segment(source, node) for node in tree.body if is_plain(node)]
    return f"from {whole} import {', '.join(sorted(_defined(tree)))}\n" + "".join(f"{line}\n" for line in kept)


class _Editor:
    """Goes through a module, of which lines stay where they are. `number` is that of a part, 0 for the others."""

    def __init__(self, source, defined, whole, number=0, used=()):
        self._edits = Edits(source)
        self._defined = defined  # {part: the names in it}
        self._whole = whole
        self._number = number
        self._modules = set()  # the names here of parts
        self._private = set()
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                self._import(node)
        if number:
            self._private = {
                node.targets[0].id for node in tree.body if isinstance(node, ast.Assign) and _is_private(node)
            }
            for node in tree.body:
                # The others have their own, see _stub.
                if is_plain(node) and not _names(node) & used:
                    self._edits.replace(node, "pass")
            self._visit(tree)

    def result(self):
        return self._edits.result()

    def _import(self, node):
        parts = [alias for alias in node.names if f"{node.module}.{alias.name}" in self._defined]
        names = [alias for alias in node.names if alias.name in self._defined.get(node.module, ())]
        others = [alias for alias in node.names if alias not in parts + names]
        self._modules |= {alias.asname or alias.name for alias in parts}
        texts = [f"from {node.module} import {_aliases(others)}"] if others else []
        if not self._number:
            package, _, last = self._whole.rpartition(".")
            texts += [f"from {package} import {last} as {alias.asname or alias.name}" for alias in parts]
            texts += [f"from {self._whole} import {_aliases(names)}"] if names else []
        elif [alias for alias in names if alias.asname]:
            raise ShrinkError(f"{_aliases(names)} from {node.module}: a part has the names of other parts as they are")
        self._edits.replace(node, "; ".join(texts) or "pass")

    def _visit(self, node, local=frozenset()):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            local |= _bound(node)
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in self._modules - local:
            if node.attr in local or not isinstance(node.ctx, ast.Load):
                raise ShrinkError(f"{ast.unparse(node)} in line {node.lineno}: {node.attr} is another name there")
            self._edits.replace(node, node.attr)
            return
        if isinstance(node, ast.Name) and node.id not in local:
            if node.id in self._modules:
                self._edits.replace(node, _ITSELF)
            elif node.id in self._private:
                self._edits.replace(node, f"{node.id}_{self._number}")
        for child in ast.iter_child_nodes(node):
            self._visit(child, local)


def _bound(scope):
    """The names that are local to a function."""
    arguments = scope.args
    found = {argument.arg for argument in (*arguments.args, *arguments.kwonlyargs)}
    found |= {argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument}
    return found | _names(scope)


def _aliases(names):
    return ", ".join(alias.name + (f" as {alias.asname}" if alias.asname else "") for alias in names)
