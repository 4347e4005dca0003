"""Shorter names for chips with little memory: MicroPython keeps each distinct name of a program in RAM.
What the firmware has named itself gets one of a few short names, the same few in every class and module."""

import ast
import itertools
import re
import string
from collections import Counter, defaultdict

# Every port of MicroPython has these names in its ROM, and all .mpy files count on them: such a name is a number there,
# without its text (static_qstr_list in py/makeqstrdata.py). Those that exceptions are called by come last.
_NAMES = (
    "self args key value values index count end start stop step sep find format insert items join keys lower pop read "
    "remove replace reverse send sort split strip update upper write append close clear copy extend get isdigit set "
    "isalpha islower isspace isupper lstrip rstrip rsplit rfind rindex readinto readline popitem setdefault throw "
    "list little locals globals from_bytes to_bytes endswith startswith divmod eval exec callable classmethod "
    "staticmethod issubclass bytecode builtins dict dir id iter hash map next object open ord pow print repr round "
    "sum zip abs all any bool chr EOFError Ellipsis NoneType LookupError SystemExit SyntaxError BaseException "
    "GeneratorExit OverflowError AssertionError ArithmeticError IndentationError KeyboardInterrupt ZeroDivisionError "
    "NotImplementedError"
)
STATIC = _NAMES.split()
# Those that exceptions have would be found in place of an attribute of one, and those of coroutines, streams and queues
# tell asyncio and MicroPython that an object is such a thing.
_TELLING = "self args value send throw close remove read readinto readline write"
_FOR_ATTRIBUTES = [name for name in STATIC if name not in _TELLING.split()]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_SCOPES = (*_FUNCTIONS, ast.Lambda)
# The only name of the classes that declare commands, see firmware/at/command.py: nothing remains of them.
_NOBODY = "_"


def shorten(sources, known=(), rom=(), keywords=()):
    """Returns {path: source} with other names in it, and {name: new name}; lines stay where they are.

    A name stays if it is one of `known`, which has to hold what MicroPython and the chip call theirs, a keyword of some
    call, or a text (for getattr). A parameter stays if it is a keyword of some call, or one of `keywords`.
    `rom`: names that cost nothing on the chip, which come first.
    Two names may become the same one if no module, and no class with its bases and the classes made from it, has both
    of them. So a class has to set all the attributes that its objects ever have."""
    modules = [_Module(path, source) for path, source in sources.items()]
    kept = set(known).union(*(path[:-3].split("/") for path in sources))
    for module in modules:
        kept |= module.kept
        kept |= {name for name, path in module.imported.items() if path not in sources}
    short = _choose(modules, kept, rom)
    keywords = set(keywords).union(*(module.keywords for module in modules))
    return {module.path: _Renamer(module, short, keywords).result() for module in modules}, short


def _choose(modules, kept, rom):
    """Returns {name: short name}."""
    places = _places(modules)
    uses = Counter(name for module in modules for name in module.used)
    outside = set().union(*(module.globals for module in modules))
    taken = defaultdict(set)
    for name in kept & places.keys():
        for place in places[name]:
            taken[place].add(name)
    short = {}
    spelled = kept.union(*(module.used for module in modules))
    # A global must not get in the way of a local name, or of a built-in function.
    bare = set().union(*(module.bare for module in modules))
    for_globals = [name for name in STATIC if name not in bare]
    # The most used names first: so the first few of the short names do for most modules.
    for name in sorted(places, key=lambda name: (-uses[name], name)):
        if name not in kept and not name.startswith("__"):
            free = itertools.chain(
                for_globals if name in outside else _FOR_ATTRIBUTES,
                (new for new in itertools.chain(rom, letters()) if new not in spelled),
            )
            short[name] = next(new for new in free if not any(new in taken[place] for place in places[name]))
            for place in places[name]:
                taken[place].add(short[name])
    return short


def letters():
    """A, B ... Z, AA, AB ..."""
    for length in itertools.count(1):
        for letters in itertools.product(string.ascii_uppercase, repeat=length):
            yield "".join(letters)


def _places(modules):
    """Returns {name: where it is defined}; a place is a module, or a family of classes."""
    families = {key: [key] for module in modules for key in module.classes}
    for key, bases in ((key, bases) for module in modules for key, bases in module.classes.items()):
        for base in bases:
            if base in families and families[base] is not families[key]:
                families[base] += families[key]
                for member in families[key]:
                    families[member] = families[base]
    places = defaultdict(set)
    for module in modules:
        for name in module.globals:
            places[name].add(module.path)
        for key, name in module.attributes:
            places[name].add(min(families[key]))
    return places


class _Module:
    """One source, and what it defines and uses."""

    def __init__(self, path, source):
        self.path, self.source = path, source
        self.tree = ast.parse(source, path)
        self.globals = set()
        self.classes = {}  # (path, name) of a class -> those of its bases
        self.attributes = set()  # ((path, name) of a class, attribute)
        self.imported = {}  # name here -> path of the firmware's module that it is from
        self.commands = set()  # the classes that declare commands
        self.used = set()
        self.bare = set()  # of those, what does not stand behind a dot
        self.kept = set()
        self.keywords = set()  # of those, what a parameter is called in a call
        for node in self.tree.body:
            self._define(node)
        for node in ast.walk(self.tree):
            self._use(node)

    def _define(self, node):
        if isinstance(node, ast.ClassDef):
            self._define_class(node)
        elif isinstance(node, _FUNCTIONS):
            self.globals.add(node.name)
        elif isinstance(node, ast.ImportFrom) and _is_own(node):
            for alias in node.names:
                self.globals.add(alias.asname or alias.name)
                if not alias.asname:
                    self.imported[alias.name] = node.module.replace(".", "/") + ".py"
        elif _is_constant(node):
            self.kept |= _stored(node)  # with another name it would no longer vanish
        else:
            self.globals |= _stored(node)

    def _define_class(self, node):
        if any(
            isinstance(call, ast.Call) and getattr(call.func, "id", "") == "command" for call in node.decorator_list
        ):
            self.commands.add(node.name)
            return
        key = (self.path, node.name)
        self.globals.add(node.name)
        names = [base.id for base in node.bases if isinstance(base, ast.Name)]
        self.classes[key] = [(self.imported.get(name, self.path), name) for name in names]
        for part in node.body:
            found = {part.name} if isinstance(part, _FUNCTIONS) else _stored(part)
            self.attributes |= {(key, name) for name in found}
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store) and _name(part.value) == "self":
                self.attributes.add((key, part.attr))

    def _use(self, node):
        if isinstance(node, _SCOPES):
            self.bare |= _bound(node)
        if isinstance(node, ast.Attribute):
            self.used.add(node.attr)
        elif isinstance(node, ast.Name):
            self.used.add(node.id)
            self.bare.add(node.id)
        elif isinstance(node, ast.arg):
            self.used.add(node.arg)
        elif isinstance(node, ast.keyword):
            self.kept.add(node.arg)
            self.keywords.add(node.arg)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.kept.add(node.value)
        elif isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and not _is_own(node)):
            self.kept |= {part for alias in node.names for part in alias.name.split(".")}


class _Renamer:
    """Goes through a module and puts the other names into its text."""

    def __init__(self, module, short, keywords):
        self._short, self._keywords, self._commands = short, keywords, module.commands
        self._lines = [line.encode() for line in module.source.splitlines(keepends=True)]
        self._changes = []
        for node in module.tree.body:
            self._visit(node, None, set())

    def result(self):
        for row, start, end, new in sorted(set(self._changes), reverse=True):
            line = self._lines[row - 1]
            self._lines[row - 1] = line[:start] + new.encode() + line[end:]
        return b"".join(self._lines).decode()

    def _visit(self, node, local, names):
        """`local`: {name: new name} of the parameters and inner functions of the function that this is in, None outside
        of all functions; `names`: all that is local to it."""
        if isinstance(node, ast.Name):
            new = local.get(node.id) if node.id in names else self._short.get(node.id)
            self._change(node.lineno, node.col_offset, node.id, new)
        elif isinstance(node, ast.Attribute):
            start = node.end_col_offset - len(node.attr.encode())
            self._change(node.end_lineno, start, node.attr, self._short.get(node.attr))
        elif isinstance(node, ast.ImportFrom) and _is_own(node):
            for alias in node.names:
                self._visit_import(alias, local is not None)
        elif isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            self._visit_name(node, local, names)
        elif isinstance(node, ast.Global):
            for found in re.finditer(rb"\w+", self._lines[node.lineno - 1][node.col_offset + len("global") :]):
                start = node.col_offset + len("global") + found.start()
                self._change(node.lineno, start, found[0].decode(), self._short.get(found[0].decode()))
        if isinstance(node, _SCOPES):
            self._visit_function(node, local, names)
        else:
            for child in ast.iter_child_nodes(node):
                self._visit(child, local, names)

    def _visit_name(self, node, local, names):
        """The name behind `def` or `class`."""
        new = local.get(node.name) if node.name in names else self._short.get(node.name)
        start = node.col_offset + re.match(rb"(async\s+)?\w+\s+", self._lines[node.lineno - 1][node.col_offset :]).end()
        self._change(node.lineno, start, node.name, _NOBODY if node.name in self._commands else new)

    def _visit_import(self, alias, inside):
        new = self._short.get(alias.name)
        if new and inside and not alias.asname:
            new = f"{new} as {alias.name}"  # a local name costs nothing
        self._change(alias.lineno, alias.col_offset, alias.name, new)
        if alias.asname and not inside:
            start = alias.end_col_offset - len(alias.asname.encode())
            self._change(alias.end_lineno, start, alias.asname, self._short.get(alias.asname))

    def _visit_function(self, node, local, names):
        inside = self._new_names(node) if local is None else local
        # What stands in the line of the `def` is worked out outside of the function.
        outside = [*getattr(node, "decorator_list", ()), *node.args.defaults, *filter(None, node.args.kw_defaults)]
        for child in outside:
            self._visit(child, local, names)
        for argument in _arguments(node):
            self._change(argument.lineno, argument.col_offset, argument.arg, inside.get(argument.arg))
        for child in node.body if isinstance(node.body, list) else [node.body]:
            self._visit(child, inside, names | _bound(node))

    def _new_names(self, node):
        """For the parameters of a function, and of those inside it, and for the names of those."""
        parts = list(ast.walk(node))
        scopes = [part for part in parts if isinstance(part, _SCOPES)]
        names = [argument.arg for scope in scopes for argument in _arguments(scope)]
        names += [scope.name for scope in scopes if scope is not node and isinstance(scope, _FUNCTIONS)]
        free = _free(node, set())
        stay = free.union(self._keywords, STATIC)
        stay |= {name for part in parts if isinstance(part, ast.Nonlocal) for name in part.names}
        spelled = {name for scope in scopes for name in _bound(scope)} | {self._short.get(name, name) for name in free}
        new = (name for name in STATIC if name not in spelled)
        return {name: next(new, name) for name in dict.fromkeys(names) if name not in stay}

    def _change(self, row, start, old, new):
        if new and new != old:
            self._changes.append((row, start, start + len(old.encode()), new))


def _is_own(node):
    return bool(node.module) and node.module.split(".")[0] == "firmware"


def _is_constant(node):
    """Whether it is `_X = const(...)`, of which the compiler leaves nothing."""
    if not isinstance(node, ast.Assign) or _name(getattr(node.value, "func", None)) != "const":
        return False
    return all((_name(target) or "").startswith("_") for target in node.targets)


def _name(node):
    return node.id if isinstance(node, ast.Name) else None


def _arguments(scope):
    found = scope.args
    return [
        *found.posonlyargs,
        *found.args,
        *filter(None, [found.vararg]),
        *found.kwonlyargs,
        *filter(None, [found.kwarg]),
    ]


def _stored(node):
    """The names that a statement outside of functions defines."""
    if isinstance(node, _FUNCTIONS):
        return {node.name}
    found = {node.id} if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) else set()
    return found.union(*(_stored(child) for child in ast.iter_child_nodes(node)))


def _bound(scope):
    """The names that are local to a function; those of its comprehensions count as its own."""
    found = {argument.arg for argument in _arguments(scope)}
    outside = set()
    waiting = list(scope.body if isinstance(scope.body, list) else [scope.body])
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, (ast.Nonlocal, ast.Global)):
            outside |= set(node.names)
        if not isinstance(node, _SCOPES):
            waiting += ast.iter_child_nodes(node)
    return found - outside


def _free(node, names):
    """The names that a function, or one inside it, has from outside."""
    if isinstance(node, _SCOPES):
        names = names | _bound(node)
    found = {node.id} - names if isinstance(node, ast.Name) else set()
    return found.union(*(_free(child, names) for child in ast.iter_child_nodes(node)))
