"""Finds what `unclass` makes functions of: the classes of the firmware's parts of which there is one object, what those
have, and which expression of a source stands for which of them."""

import ast
from collections import Counter

from .errors import ShrinkError
from .trees import FUNCTIONS, name_of, names_in

# What the object that has the others is called: `at` by handlers of commands.
_ROOT_NAMES = ("at", "app")


class Singles:
    """classes: {name: (path, node)}. attributes: {name: the names of all that its object has}. alias: {name: what the
    parts call its object}. made: what the root makes in its __getattr__ when it is asked for."""

    def __init__(self, trees, parts, root):
        self._trees = trees
        found = {
            node.name: (path, node)
            for path in parts
            for node in trees[path].body
            if isinstance(node, ast.ClassDef) and not node.bases and not node.decorator_list
        }
        once = {name for name in found if self._is_made_once(name)}
        self.root = root
        if root not in once:
            raise ShrinkError(f"there is no class {root}, or more than one object of it")
        self._names = dict.fromkeys(_ROOT_NAMES, root)
        self.classes = {root: found[root]}
        self.alias = {root: _ROOT_NAMES[0]}
        self.given = {}  # (class, parameter of its __init__) -> the class whose object it is, or (module,)
        self._typed = {}  # (class, attribute) -> the same
        self._find(found, once)
        self.attributes = {name: _attributes(node) for name, (_, node) in self.classes.items()}
        self.methods = {name: set(_methods(node)) for name, (_, node) in self.classes.items()}
        made = [part for part in found[root][1].body if getattr(part, "name", "") == "__getattr__"]
        self.made = {node.value for part in made for node in ast.walk(part) if isinstance(node, ast.Constant)}

    def _is_made_once(self, name):
        calls = uses = 0
        for tree in self._trees.values():
            nodes = list(ast.walk(tree))
            calls += sum(isinstance(node, ast.Call) and getattr(node.func, "id", "") == name for node in nodes)
            uses += names_in([tree], ast.Load).count(name)
        return calls == uses == 1

    def _find(self, found, once):
        """The classes whose objects the root makes when it is made, and what it gives to each."""
        path, node = found[self.root]
        imported = _modules(self._trees[path])
        init = _init(node)
        for statement in init.body:
            call = getattr(statement, "value", None)
            name = getattr(getattr(call, "func", None), "id", None)
            if isinstance(statement, ast.Assign) and isinstance(call, ast.Call) and name in once:
                self.classes[name] = found[name]
                for target in statement.targets:
                    self._names[name_of(target)] = name
                self.alias[name] = name_of(statement.targets[0])
        for statement in init.body:
            call = getattr(statement, "value", None)
            name = getattr(getattr(call, "func", None), "id", None)
            if name in self.classes and isinstance(call, ast.Call):
                for parameter, value in zip(self.parameters(name), call.args, strict=False):
                    if isinstance(value, ast.Starred):
                        break
                    kind = self.of(value, self.root, {})
                    if not kind and isinstance(value, ast.Name) and value.id in imported:
                        kind = (imported[value.id],)
                    if kind:
                        self.given[name, parameter] = kind
        for name, (_, node) in self.classes.items():
            self._follow(name, _init(node))

    def parameters(self, name):
        """Those of the __init__ of a class, without `self`."""
        return [argument.arg for argument in _init(self.classes[name][1]).args.args[1:]]

    def _follow(self, name, init):
        """What __init__ keeps of what it was given, and where it puts itself."""
        scope = {parameter: kind for (owner, parameter), kind in self.given.items() if owner == name}
        for statement in init.body:
            if not isinstance(statement, ast.Assign):
                continue
            kind = self.of(statement.value, name, scope)
            for target in statement.targets:
                owner = self.of(target.value, name, scope) if isinstance(target, ast.Attribute) else None
                if kind and owner:
                    self._typed[owner, target.attr] = kind

    def of(self, node, inside, scope):
        """The class whose one object an expression stands for, (module,) for a module, or None. `inside`: the class
        whose `self` it is; `scope`: {local name: the same or None}."""
        if isinstance(node, ast.Name):
            if node.id == "self":
                return inside
            return scope[node.id] if node.id in scope else self._names.get(name_of(node))
        if isinstance(node, ast.Attribute):
            owner = self.of(node.value, inside, scope)
            if (owner, node.attr) in self._typed:
                return self._typed[owner, node.attr]
            if owner in self.classes and owner != self.root and node.attr in self._own(owner):
                return None
            kind = self._names.get(name_of(node))
            return kind if kind != self.root or node.attr.lstrip("_") == _ROOT_NAMES[0] else None
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in self.classes:
            return node.func.id
        return None

    def _own(self, owner):
        """What a class has that is called like an object of another class and is none."""
        stored = Counter(
            part.attr
            for part in ast.walk(self.classes[owner][1])
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and name_of(part.value) == "self"
        )
        return {name for name in stored if (owner, name) not in self._typed}

    def has_alias(self, name):
        return name.lstrip("_") in self._names


def scope_of(function, outer, singles, inside):
    """{local name: class, (module,) or None} in a function: parameters go by their names, other names by what they are
    given."""
    scope = dict(outer)
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    names = [argument.arg for argument in every if argument]
    if inside and getattr(function, "name", "") == "__init__":
        scope |= {name: singles.given.get((inside, name)) for name in names}
    else:
        scope |= {name: singles.of(ast.Name(name), None, {}) for name in names if name != "self"}
    if inside:
        scope.pop("self", None)
    elif "self" in names:
        scope["self"] = None
    for name, values in _stores(function).items():
        if name not in names:
            scope[name] = None  # while its own values are looked at
            kinds = {singles.of(value, inside, scope) if value else None for value in values}
            scope[name] = kinds.pop() if len(kinds) == 1 else None
    for name in (name for node in ast.walk(function) if isinstance(node, ast.Global) for name in node.names):
        scope.pop(name, None)
    return scope


def _stores(function):
    """{local name: the values that it is given}, None for what is not a plain assignment."""
    found = {}
    body = function.body if isinstance(function.body, list) else [function.body]
    for node in (part for statement in body for part in ast.walk(statement)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                pairs = [(target, node.value)]
                if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=False)
                for name, value in pairs:
                    if isinstance(name, ast.Name):
                        found.setdefault(name.id, []).append(value)
    for name, count in Counter(name for name in names_in(body, ast.Store)).items():
        if count != len(found.get(name, ())):
            found[name] = [None]
    return found


def _modules(tree):
    """{name here: module} of the modules of the firmware that a module imports."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "firmware"
        for alias in node.names
    }


def _init(node):
    found = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    if not found:
        raise ShrinkError(f"class {node.name} has no __init__")
    return found[0]


def _methods(node):
    return [part.name for part in node.body if isinstance(part, FUNCTIONS) and part.name != "__init__"]


def _attributes(node):
    """All that the object of a class has, in the order in which it stands there."""
    found = _methods(node)
    for part in ast.walk(node):
        if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and name_of(part.value) == "self":
            found.append(part.attr)
    return list(dict.fromkeys(found))
