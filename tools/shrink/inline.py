"""Puts functions that are called in one place into that place: each costs an object and a name."""

import ast
import copy
from collections import Counter

from .trees import FUNCTIONS, names_in, without_docstring, written

# What is called from outside, or goes after the start: see unclass.
_STAYS = ("__getattr__", "run")
_LOOPS = (ast.For, ast.While, ast.AsyncFor)
_INNER = (ast.Lambda, *FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


class _No(Exception):
    """The function stays where it is; the message says why."""


def inline(sources, path, stays=()):
    """Returns {path: source} in which functions of one module are part of what calls them, where that is simple, and
    where its lines were, {path: {line: (path, line)}}. Those named in `stays` are left alone."""
    tree = ast.parse(sources[path])
    uses = Counter(name for other, source in sources.items() if other != path for name in _used(ast.parse(source)))
    while _one(tree, uses, {*_STAYS, *stays}):
        pass
    text, lines = written(path, tree)
    return sources | {path: text}, {path: lines}


def _used(tree):
    """All names that may mean a function of another module, or of this one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _one(tree, outside, stays):
    """Puts one function into its caller, if there is one left."""
    uses = Counter(_used(tree)) + outside
    functions = {node.name: node for node in tree.body if isinstance(node, FUNCTIONS)}
    # What run() calls ends with the start, and its variables would stay.
    started = set(names_in(functions["run"].body, ast.Load)) if "run" in functions else set()
    for name, callee in functions.items():
        if name in stays or name in started or uses[name] != 1 or callee.decorator_list:
            continue
        for caller in functions.values():
            if caller is not callee and name in names_in(caller.body, ast.Load):
                try:
                    _Inliner(caller, callee).run()
                except _No:
                    break
                tree.body.remove(callee)
                _forget(tree, name)
                return True
    return False


def _forget(tree, name):
    """A function that is gone need not be deleted."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Global) and name in node.names:
            node.names.remove(name)
        elif isinstance(node, ast.Delete):
            node.targets = [target for target in node.targets if getattr(target, "id", "") != name]
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                left = [part for part in block if not _is_empty(part)]
                block[:] = left or [ast.Pass() for _ in block[:1]]


def _is_empty(node):
    return (isinstance(node, ast.Global) and not node.names) or (isinstance(node, ast.Delete) and not node.targets)


def _has_try(function):
    return any(isinstance(node, ast.Try) for node in ast.walk(function))


class _Inliner:
    """One function and the one that calls it."""

    def __init__(self, caller, callee):
        self._caller, self._callee = caller, callee
        self._place = _find(caller.body, callee.name)

    def run(self):
        self._check()
        body, before = self._body(self._place[3])
        block, index, statement, _, last, _ = self._place
        returns = [node for part in body for node in ast.walk(part) if isinstance(node, ast.Return)]
        if isinstance(statement, ast.Return):
            new = body if _ends(body) else [*body, ast.Return(ast.Constant(None))]
        elif isinstance(statement, ast.Expr) and last:
            # Whatever it returns, the caller has nothing left to do.
            for node in returns:
                node.value, dropped = None, node.value
                if dropped is not None and not _is_harmless(dropped):
                    raise _No("it returns what has to be worked out")
            new = body
        elif not returns or returns == [body[-1]]:
            new = self._plain(body, statement)
        else:
            new = self._looped(body, statement)
        block[index : index + 1] = before + new or [ast.Pass()]
        for node in before + new:
            ast.copy_location(node, node if hasattr(node, "lineno") else statement)
            ast.fix_missing_locations(node)

    def _check(self):
        arguments = self._callee.args
        if not self._place:
            raise _No("the call stands in an expression")
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
            raise _No("it has more than plain parameters")
        call, statement = self._place[3], self._place[2]
        if call.keywords or any(isinstance(value, ast.Starred) for value in call.args):
            raise _No("it is called with more than plain arguments")
        awaited = isinstance(statement.value, ast.Await)
        if awaited != isinstance(self._callee, ast.AsyncFunctionDef):
            raise _No("what it returns is awaited, or kept to be")
        for node in (part for statement in self._callee.body for part in ast.walk(statement)):
            if isinstance(node, (*_INNER, ast.Yield, ast.YieldFrom, ast.Nonlocal)):
                raise _No("it has functions inside, or is a generator")
        for node in (part for statement in self._caller.body for part in ast.walk(statement)):
            if isinstance(node, _INNER):
                raise _No("its caller has functions inside")
        if not awaited and _has_try(self._callee) and not _has_try(self._caller):
            raise _No("with a try the caller has no place on the stack, and takes memory whenever it is called")

    def _body(self, call):
        """The statements with names that mean the same in the caller, and what gives the parameters their values."""
        body = without_docstring(copy.deepcopy(self._callee.body))
        shared = {
            name for part in body for node in ast.walk(part) if isinstance(node, ast.Global) for name in node.names
        }
        body = [part for part in body if not isinstance(part, ast.Global)]
        if any(isinstance(node, ast.Global) for part in body for node in ast.walk(part)):
            raise _No("a global statement stands somewhere inside")
        parameters = [argument.arg for argument in self._callee.args.args]
        values = list(call.args)
        lacking = len(parameters) - len(values)
        if lacking > len(self._callee.args.defaults):
            raise _No("it is called with too few arguments")
        if lacking:
            values += copy.deepcopy(self._callee.args.defaults[-lacking:])
            if not all(isinstance(value, ast.Constant) for value in values[-lacking:]):
                raise _No("a default has to be worked out")
        stored = set(_stored(body))
        taken = {node.id for node in ast.walk(self._caller) if isinstance(node, ast.Name)}
        taken |= {argument.arg for argument in self._caller.args.args} | set(_stored(self._caller.body)) | shared
        local = (stored - shared) | set(parameters)
        taken |= set(names_in(body)) - local
        names, before = {}, []
        for parameter, value in zip(parameters, values, strict=True):
            if parameter not in stored and (isinstance(value, ast.Constant) or self._is_fixed(value, stored)):
                names[parameter] = value
            else:
                names[parameter] = ast.Name(self._free(parameter, taken), ast.Load())
                before.append(ast.Assign([ast.Name(names[parameter].id, ast.Store())], value))
        # All arguments are worked out before the first of the parameters gets its value.
        later = [set(names_in([part.value], ast.Load)) for part in before]
        for place, part in enumerate(before):
            if any(part.targets[0].id in found for found in later[place + 1 :]):
                raise _No("an argument has the name of a parameter")
        for name in stored - set(parameters) - shared:
            names[name] = ast.Name(self._free(name, taken), ast.Load())
        if shared & (set(_stored(self._caller.body)) | {argument.arg for argument in self._caller.args.args}):
            declared = {name for part in self._caller.body if isinstance(part, ast.Global) for name in part.names}
            if shared & (set(_stored(self._caller.body)) - declared):
                raise _No("a global has the name of something local")
        if self._place[5] and (before or stored - shared):
            raise _No("in a loop its variables would live longer")
        self._check_globals(body, names)
        if shared:
            self._declare(shared)
        return [_Renamer(names).visit(part) for part in body], before

    def _is_fixed(self, value, stored):
        """Whether an argument is a local name that nobody else can change meanwhile."""
        if not isinstance(value, ast.Name) or value.id in stored:
            return False
        declared = {name for part in self._caller.body if isinstance(part, ast.Global) for name in part.names}
        local = {argument.arg for argument in self._caller.args.args} | set(_stored(self._caller.body))
        return value.id in local - declared

    def _check_globals(self, body, names):
        """What the function has from outside is nothing local to the caller."""
        local = {argument.arg for argument in self._caller.args.args} | set(_stored(self._caller.body))
        declared = {name for part in self._caller.body if isinstance(part, ast.Global) for name in part.names}
        outside = set(names_in(body)) - names.keys()
        if outside & (local - declared):
            raise _No("a global has the name of something local to the caller")

    def _free(self, name, taken):
        """A name that the caller has not."""
        new, number = name, 1
        while new in taken:
            number += 1
            new = f"{name}_{number}"
        taken.add(new)
        return new

    def _declare(self, names):
        first = self._caller.body[0]
        if isinstance(first, ast.Global):
            first.names = sorted({*first.names, *names})
        else:
            self._caller.body.insert(0, ast.copy_location(ast.Global(sorted(names)), self._caller))
            if self._place[0] is self._caller.body:
                self._place = (self._place[0], self._place[1] + 1, *self._place[2:])

    def _plain(self, body, statement):
        """It returns at its end at most."""
        value = None
        if body and isinstance(body[-1], ast.Return):
            value = body[-1].value
            body = body[:-1]
        return body + _given(statement, value)

    def _looped(self, body, statement):
        """A loop that is left at its end, or where the function returned."""
        for part in body:
            for loop in ast.walk(part):
                if isinstance(loop, _LOOPS) and any(isinstance(node, ast.Return) for node in ast.walk(loop)):
                    raise _No("it returns in a loop")
        new = []
        for part in body:
            changed = _Returns(statement).visit(part)
            new += changed if isinstance(changed, list) else [changed]
        if not isinstance(new[-1], (ast.Break, ast.Raise)):
            new += [*_given(statement, None), ast.Break()]
        return [ast.While(ast.Constant(True), new, [])]


def _find(block, name, last=True, loop=False):
    """(block, index, statement, call, whether nothing comes behind it, whether it is in a loop) of the statement that
    is a call, or None."""
    for index, statement in enumerate(block):
        is_last = last and index == len(block) - 1
        value = getattr(statement, "value", None)
        call = value.value if isinstance(value, ast.Await) else value
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == name:
            return (block, index, statement, call, is_last, loop) if _is_simple(statement) else None
        inside = loop or isinstance(statement, _LOOPS)
        behind = isinstance(statement, (*_LOOPS, ast.Try, ast.With, ast.AsyncWith))
        blocks = [getattr(statement, field, None) for field in ("body", "orelse", "finalbody")]
        blocks += [handler.body for handler in getattr(statement, "handlers", ())]
        for inner in blocks:
            found = _find(inner, name, is_last and not behind, inside) if isinstance(inner, list) else None
            if found:
                return found
    return None


def _is_simple(statement):
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        return isinstance(target, (ast.Name, ast.Subscript)) and not _calls(target)
    return isinstance(statement, (ast.Expr, ast.Return))


def _calls(node):
    return any(isinstance(part, (ast.Call, ast.Await)) for part in ast.walk(node))


def _ends(body):
    return bool(body) and isinstance(body[-1], (ast.Return, ast.Raise))


def _is_harmless(node):
    return isinstance(node, (ast.Name, ast.Constant))


def _given(statement, value):
    """What becomes of a value that is returned."""
    if isinstance(statement, ast.Assign):
        return [ast.Assign(copy.deepcopy(statement.targets), value or ast.Constant(None))]
    return [] if value is None or _is_harmless(value) else [ast.Expr(value)]


def _stored(body):
    """The names that statements give something to."""
    for node in (part for statement in body for part in ast.walk(statement)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)


class _Renamer(ast.NodeTransformer):
    def __init__(self, names):
        self._names = names

    def visit_Name(self, node):
        new = self._names.get(node.id)
        if new is None:
            return node
        new = copy.deepcopy(new)
        if isinstance(new, ast.Name):
            new.ctx = node.ctx
        return ast.copy_location(new, node)

    def visit_ExceptHandler(self, node):
        if node.name in self._names:
            node.name = self._names[node.name].id
        return self.generic_visit(node)

    def visit_ImportFrom(self, node):
        for alias in node.names:
            new = self._names.get(alias.asname or alias.name)
            if new:
                alias.asname = new.id if new.id != alias.name else None
        return node

    def visit_Import(self, node):
        if any((alias.asname or alias.name) in self._names for alias in node.names):
            raise _No("it imports a whole module")
        return node


class _Returns(ast.NodeTransformer):
    """Puts `break` in the place of `return`."""

    def __init__(self, statement):
        self._statement = statement

    def visit_Return(self, node):
        return [ast.copy_location(part, node) for part in (*_given(self._statement, node.value), ast.Break())]
