"""Finds what would stand in for one of the objects of `unclass`. Those are gone in the end: what is done with them is
done with the firmware itself, whatever was put in their place."""

import ast

from .errors import ShrinkError
from .trees import FUNCTIONS, module_name
from .walker import Uses, Walker


class StandIns(Walker):
    """Looks at what is given to the names that these objects go by."""

    def __init__(self, path, plan, given):
        super().__init__(path, plan)
        self._given = given
        self._called = given.called[path]

    def check(self, tree):
        """ShrinkError where an attribute or a parameter that something is asked of gets another object."""
        self.visit(tree)

    def visit_Assign(self, node):
        for target in node.targets:
            self._pair(target, node.value)
        return self.generic_visit(node)

    def _pair(self, target, value):
        if isinstance(target, ast.Tuple):
            same = isinstance(value, ast.Tuple) and len(value.elts) == len(target.elts)
            for place, part in enumerate(target.elts):
                self._pair(part, value.elts[place] if same else value)
        elif isinstance(target, ast.Attribute) and target.attr in self._given.attributes[self.path]:
            self._compare(target, self.kind(target), value)

    def visit_Call(self, node):
        for parameter, place, kind in self._called.get(ast.unparse(node.func), ()):
            values = [keyword.value for keyword in node.keywords if keyword.arg == parameter]
            plain = node.args[: place + 1]
            if len(plain) > place and not any(isinstance(value, ast.Starred) for value in plain):
                values.append(plain[place])
            for value in values:
                self._compare(ast.Name(parameter), kind, value)
        return self.generic_visit(node)

    def _compare(self, target, kind, value):
        constant = isinstance(value, ast.Constant)  # nothing can be asked of one
        if kind in self.plan.own_kinds() and not constant and self.kind(value) != kind:
            raise ShrinkError(
                f"{self.path}, line {value.lineno}: {ast.unparse(target)} goes by the name of the one {kind}, and "
                f"{ast.unparse(value)} may be another object: nothing can stand in for it, so give it another name"
            )


class Given:
    """attributes: {path: the names of attributes, as in `link._loop`, that are asked for what one of the objects has},
    in that module or in one that it imports or that imports it. called: {path: {function or class, as it is called
    in that module: [(parameter, its place, class)]}} of the same kind."""

    def __init__(self, plan):
        self._plan = plan
        asked = {path: self._asked(path, tree) for path, tree in plan.changed.items()}
        self.attributes = {path: set(found) for path, found in asked.items()}
        paths = {module_name(path): path for path in asked}
        for path, tree in plan.changed.items():
            for node in ast.walk(tree):
                other = paths.get(getattr(node, "module", None))
                if other:
                    self.attributes[path] |= asked[other]
                    self.attributes[other] |= asked[path]
        own = {path: self._functions(path, tree) for path, tree in plan.changed.items()}
        self.called = {path: dict(found) for path, found in own.items()}
        for path, tree in plan.changed.items():
            for node in (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)):
                for alias in node.names:
                    name = alias.asname or alias.name
                    found = own.get(paths.get(node.module), {})
                    if alias.name in found:
                        self.called[path][name] = found[alias.name]
                    found = own.get(paths.get(f"{node.module}.{alias.name}"), {})
                    self.called[path] |= {f"{name}.{function}": found[function] for function in found}

    def _asked(self, path, tree):
        return {
            node.value.attr
            for node, kind, certain in Uses(path, self._plan).of(tree)
            if isinstance(node.value, ast.Attribute) and not certain and self._has(kind, node.attr)
        }

    def _has(self, kind, attribute):
        return kind in self._plan.own_kinds() and attribute in self._plan.singles.attributes[kind]

    def _functions(self, path, tree):
        """{name: parameters} of the functions of a module, and of its classes with what makes their objects."""
        found = {}
        for node in tree.body:
            inits = [part for part in getattr(node, "body", ()) if getattr(part, "name", "") == "__init__"]
            single = getattr(node, "name", "") in self._plan.singles.classes
            if not single and (inits or isinstance(node, FUNCTIONS)):
                found[node.name] = self._parameters(path, inits[0] if inits else node)
        return found

    def _parameters(self, path, function):
        names = [argument.arg for argument in function.args.args]
        if names[:1] == ["self"]:
            names.pop(0)
        found = []
        for place, name in enumerate(names):
            kind = self._plan.singles.of(ast.Name(name), None, {})
            if any(
                (isinstance(node, ast.Attribute) and _is(node.value, name) and self._has(kind, node.attr))
                or (isinstance(node, ast.Assign) and _is(node.value, name) and self._keeps(path, node))
                for node in ast.walk(function)
            ):
                found.append((name, place, kind))
        return found

    def _keeps(self, path, node):
        return any(getattr(target, "attr", None) in self.attributes[path] for target in node.targets)


def _is(node, name):
    return isinstance(node, ast.Name) and node.id == name
