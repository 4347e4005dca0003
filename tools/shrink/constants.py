"""Puts the constants of the firmware's modules where they are used, for chips with little memory: there the name of a
constant costs memory in each module that has it, and a text of bytes costs it in a module that is never dropped."""

import ast
from collections import Counter

from .edits import Edits


def spread(sources, closed=(), wanted=()):
    """Returns {path: source} in which numbers and bytes stand in the place of the names in capitals that a module gives
    them; lines stay where they are. What is in modules of `closed` stays, and what is changed or compared by `is`.
    The names in `wanted` are still defined, for others."""
    trees = {path: ast.parse(source, path) for path, source in sources.items()}
    special = set().union(*(_special(tree) for tree in trees.values()))
    constants = {
        _module(path): {name: value for name, value in _constants(tree).items() if name not in special}
        for path, tree in trees.items()
        if path not in closed
    }
    return {path: _Spreader(path, source, trees[path], constants, wanted).result() for path, source in sources.items()}


def _special(tree):
    """The names of what is more than a value to somebody."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            found.add(node.attr)
        elif isinstance(node, ast.Compare) and any(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            found |= {getattr(part, "id", getattr(part, "attr", "")) for part in (node.left, *node.comparators)}
    return found


def _constants(tree):
    """{name: value} of what a module assigns once."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    stored = Counter(node.id for node in names if not isinstance(node.ctx, ast.Load))
    pairs = [pair for node in tree.body for pair in _pairs(node)]
    return {name.id: value.value for name, value in pairs if stored[name.id] == 1 and name.id.isupper()}


def is_plain(node):
    """Whether it is a statement that gives plain values to names in capitals, and does nothing else."""
    return bool(_pairs(node)) and all(name.id.isupper() for name, _ in _pairs(node))


def _pairs(node):
    """The pairs of name and value of a statement that gives plain values to names, and does nothing else."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return []
    target, value = node.targets[0], node.value
    both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
    pairs = list(zip(target.elts, value.elts, strict=True)) if both else [(target, value)]
    # Of several at once the compiler would make a tuple of calls of const().
    pairs = [(name, value.args[0] if both and _is_const(value) else value) for name, value in pairs]
    plain = all(isinstance(value, ast.Constant) and type(value.value) in (int, bytes) for _, value in pairs)
    return pairs if plain and all(isinstance(name, ast.Name) for name, _ in pairs) else []


class _Spreader:
    """Goes through a module, and puts the values into its text."""

    def __init__(self, path, source, tree, constants, wanted):
        self._edits = Edits(source)
        self._constants = constants
        self._values = dict(constants.get(_module(path), {}))  # name here -> value
        self._modules = {}  # name here -> the constants of the module that it is
        self._needed = set()  # of those, what is used for something else, too
        # The compiler knows const() without its import, and leaves nothing of `_X = const(1)`.
        gone = [call for node in tree.body if _pairs(node) for call in _calls(node)]
        self._constless = len(_calls(tree)) == len(gone) + sum(_is_private(node) for node in tree.body)
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
        for node in imports:
            self._note(node)
        for node in tree.body:
            pairs = _pairs(node)
            if pairs and all(name.id in self._values and name.id not in wanted for name, _ in pairs):
                self._edits.replace(node, "pass")
        self._visit(tree)
        for node in imports:
            self._shrink(node)

    def result(self):
        return self._edits.result()

    def _note(self, node):
        for alias in node.names:
            here = alias.asname or alias.name
            found = self._constants.get(node.module, {})
            if alias.name in found:
                self._values[here] = found[alias.name]
            module = self._constants.get(f"{node.module}.{alias.name}")
            if module:
                self._modules[here] = module

    def _visit(self, node):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = self._modules.get(node.value.id, {})
            if node.attr in module:
                self._edits.replace(node, repr(module[node.attr]))
                return
        elif isinstance(node, ast.Name):
            self._needed.add(node.id)
            if node.id in self._values and isinstance(node.ctx, ast.Load):
                self._edits.replace(node, repr(self._values[node.id]))
        for child in ast.iter_child_nodes(node):
            self._visit(child)

    def _shrink(self, node):
        """Leaves in an import what is still used."""
        left = []
        for alias in node.names:
            here = alias.asname or alias.name
            gone = self._constless and (node.module, here) == ("micropython", "const")
            if here not in self._values and (here not in self._modules or here in self._needed) and not gone:
                left.append(alias.name + (f" as {alias.asname}" if alias.asname else ""))
        if len(left) < len(node.names):
            self._edits.replace(node, f"from {node.module} import {', '.join(left)}" if left else "pass")


def _calls(tree):
    """The calls of const()."""
    return [node for node in ast.walk(tree) if _is_const(node)]


def _is_const(node):
    return isinstance(node, ast.Call) and getattr(node.func, "id", "") == "const"


def _is_private(node):
    """Whether it is `_X = const(...)`."""
    return isinstance(node, ast.Assign) and node.value in _calls(node) and node.targets[0].id.startswith("_")


def _module(path):
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
