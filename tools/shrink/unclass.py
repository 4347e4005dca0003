"""Makes functions and one list of the classes of which there is one object: on a small heap a class, its object and the
tables of both are dear, and so is `self` in each access."""

import ast
import builtins
import itertools
from collections import Counter

from .errors import ShrinkError
from .singles import Singles
from .standins import Given, StandIns
from .trees import FUNCTIONS, name_of, names_in, without_docstring, written
from .walker import Uses, Walker

# The class whose object has the others, the function that makes it, and what it calls when all is there.
_ROOT, _RUN, _START = "App", "run", "start"
# What objects of other classes are at times to a link in their place: they are used by the names of their attributes.
_STOOD_IN = ("Links", "Reports")
# So many attributes of one of the classes make a class one that stands in for it.
_ALIKE = 3
# What is kept in the list of all that changes, and the module itself.
_STATE, _ITSELF = "_S", "_module"


def unclass(sources, parts, own, known, closed=()):
    """Returns {path: source} in which the classes of the modules at the paths `parts` of which there is one object are
    functions, to be made one module by `merge`, and where their lines were,
    {path: {line: (path, line)}}.

    own: what commands of one's own use, as in "at.port.write"; it keeps its name. known: the names of MicroPython.
    closed: paths that stay as they are; they may use none of this."""
    trees = {path: ast.parse(source) for path, source in sources.items()}
    singles = Singles({path: trees[path] for path in trees if path not in closed}, parts, _ROOT)
    plan = _Plan(trees, singles, parts, own, known, closed)
    texts, lines = dict(sources), {}
    for path, tree in trees.items():
        if path not in closed:
            new = _Part(path, plan) if path in parts else _Other(path, plan)
            texts[path], lines[path] = written(path, new.module(tree))
    return texts, lines


class _Plan:
    """The new name of each attribute: the name of a function or of a global, or a place in the list."""

    def __init__(self, trees, singles, parts, own, known, closed):
        self.singles = singles
        self.run = singles.classes[_ROOT][0]
        self.parts = parts
        self._others = {path: tree for path, tree in trees.items() if path not in parts and path not in closed}
        self.names = {}  # (class, attribute) -> its name
        self.places = {}  # (class, attribute) -> its place in the list
        self.parameters = {name: singles.parameters(name) for name in singles.classes}
        self.changed = {path: tree for path, tree in trees.items() if path not in closed}
        for path, tree in self._others.items():
            self._check_alike(path, tree)
        self.aliases = {word.split(".")[1] for word in own} & set(singles.alias.values())
        kept = self._kept(own)
        for name, attribute in kept:
            self.names[name, attribute] = attribute
        state = []
        for name in singles.classes:
            alias = singles.alias[name]
            self.names[name, "__init__"] = f"{alias}_init"
            for attribute in singles.attributes[name]:
                key = name, attribute
                if key in self.names or self.is_handed_on(key):
                    continue
                if attribute in singles.methods[name]:
                    self.names[key] = attribute if attribute == "__getattr__" else f"{alias}_{attribute}"
                else:
                    state.append(key)
        # A place below 48 is one byte less of bytecode, or two, so the most used attributes come first.
        nodes = itertools.chain.from_iterable(map(ast.walk, trees.values()))
        uses = Counter(node.attr for node in nodes if isinstance(node, ast.Attribute))
        state.sort(key=lambda key: -uses[key[1]])
        self.places = {key: place for place, key in enumerate(state)}
        self.globals = set(self.names.values()) | {_STATE, _ITSELF}
        self._check_names(trees)
        self._check_uses(known)
        given = Given(self)
        for path, tree in self.changed.items():
            StandIns(path, self, given).check(tree)

    def own_kinds(self):
        """The classes for whose objects nothing can stand in."""
        return self.singles.classes.keys() - set(_STOOD_IN)

    def is_handed_on(self, key):
        """Whether an attribute is only another name of one of the objects."""
        return bool(self.singles.of(ast.Attribute(ast.Name("self"), key[1]), key[0], {}))

    def _kept(self, own):
        """The attributes that keep their names: what others know by name, and what stand-ins have."""
        singles = self.singles
        kept = {(_ROOT, name) for name in singles.made if name in singles.attributes[_ROOT]}
        classes = {alias: name for name, alias in singles.alias.items()}
        for word in own:
            for alias, attribute in itertools.pairwise(word.split(".")):
                key = classes.get(alias), attribute
                if key[0] and attribute in singles.attributes[key[0]] and not self.is_handed_on(key):
                    kept.add(key)
        for path, tree in self._others.items():
            for node, kind, certain in Uses(path, self).of(tree):
                key = kind, node.attr
                if kind not in _STOOD_IN or certain or node.attr not in singles.attributes[kind]:
                    continue
                if self.is_handed_on(key):
                    self.aliases.add(node.attr)
                else:
                    kept.add(key)
        return sorted(kept)

    def _check_alike(self, path, tree):
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                own = {part.attr for part in ast.walk(node) if _is_own_store(part)}
                for name, attributes in self.singles.attributes.items():
                    found = own & set(attributes) - {
                        attribute for attribute in own if self.singles.has_alias(attribute)
                    }
                    if len(found) >= _ALIKE and name not in _STOOD_IN and not _has_init(node, found):
                        raise ShrinkError(f"{path}, line {node.lineno}: {node.name} looks like {name}: {sorted(found)}")

    def _check_names(self, trees):
        """No two of the new names are the same, nor one of what the parts have besides."""
        seen = dict.fromkeys(dir(builtins), "Python")
        for path in self.parts:
            for node in trees[path].body:
                name = getattr(node, "name", None)
                if name and name not in self.singles.classes:
                    seen[name] = path
        for (name, attribute), new in self.names.items():
            if new in seen and attribute != "__getattr__":
                raise ShrinkError(f"{name}.{attribute} and {seen[new]} both need the name {new}: give one another name")
            seen[new] = f"{name}.{attribute}"

    def _check_uses(self, known):
        """What only these classes have is used through something that is called like one of their objects."""
        singles = self.singles
        only = {attribute for found in singles.attributes.values() for attribute in found} - set(known)
        for tree in self.changed.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and node.name not in singles.classes:
                    only -= {getattr(part, "name", None) for part in node.body}
                    only -= {part.attr for part in ast.walk(node) if _is_own_store(part)}
                    only -= set(names_in(node.body, ast.Store))
        for path, tree in self.changed.items():
            modules = {
                alias.asname or alias.name.split(".")[0]
                for node in ast.walk(tree)
                if isinstance(node, (ast.Import, ast.ImportFrom))
                for alias in node.names
            }
            for node, kind, _ in Uses(path, self).of(tree):
                if kind is None and node.attr in only and getattr(node.value, "id", None) not in modules:
                    raise ShrinkError(
                        f"{path}, line {node.lineno}: whose {node.attr} is that of {ast.unparse(node.value)}? "
                        f"Parts of the firmware go by the names {', '.join(sorted(singles.alias.values()))}"
                    )
                unknown = kind == _ROOT and node.attr not in singles.attributes[kind] and node.attr not in singles.made
                if unknown and not self.is_handed_on((kind, node.attr)):
                    raise ShrinkError(f"{path}, line {node.lineno}: {kind} has no attribute {node.attr}")


def _has_init(node, found):
    """Whether a class makes all of this when it is made, and so stands for something of its own."""
    init = [part for part in node.body if getattr(part, "name", "") == "__init__"]
    return bool(init) and found <= {part.attr for part in ast.walk(init[0]) if _is_own_store(part)}


def _is_own_store(node):
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and name_of(node.value) == "self"


class _Other(Walker):
    """A module that uses the objects, which are all one module to it."""

    def module(self, tree):
        return self.visit(tree)

    def visit_Attribute(self, node):
        kind, certain = self.kind(node.value), self.is_certain(node.value)
        key = kind, node.attr
        if kind not in self.singles.classes or (kind in _STOOD_IN and not certain):
            return self.generic_visit(node)
        if key in self.plan.places:
            where = ast.Attribute(self._root(node.value), _STATE, ast.Load())
            return ast.copy_location(ast.Subscript(where, ast.Constant(self.plan.places[key]), node.ctx), node)
        if key in self.plan.names:
            return ast.copy_location(ast.Attribute(self._root(node.value), self.plan.names[key], node.ctx), node)
        if certain and isinstance(node.ctx, ast.Load) and self.plan.is_handed_on(key):
            return self._root(node)
        return self.generic_visit(node)

    def _root(self, node):
        """`at.links.loop` is `at`, as all of them are the module."""
        if isinstance(node, ast.Attribute) and self.kind(node.value) and self.is_certain(node.value):
            return self._root(node.value)
        return self.visit(node)


class _Part(Walker):
    """One of the modules that will be one: its classes become functions, and the objects' attributes globals."""

    def __init__(self, path, plan):
        super().__init__(path, plan)
        self._dropped = set()  # local names that are gone
        self._stored = set()  # globals that the function gives something to
        self._modules = {}  # names of modules that are used in place of what was given

    def module(self, tree):
        body = []
        for node in tree.body:
            new = self.visit(node)
            body += new if isinstance(new, list) else [new] if new else []
        tree.body = body
        for name, module in self._modules.items():
            package, _, last = module.rpartition(".")
            tree.body.insert(0, ast.ImportFrom(package, [ast.alias(last, name)], 0))
        if self.path == self.plan.run:
            self._finish(tree)
        return tree

    def _finish(self, tree):
        """The list, the names that others have for the objects, and after the start what has done its work goes."""
        targets = " = ".join([_ITSELF, *sorted(self.plan.aliases)])
        made = f"{_STATE} = [None] * {len(self.plan.places)}\n{targets} = sys.modules[__name__]"
        tree.body += ast.parse(made).body
        gone = [self.plan.names[name, "__init__"] for name in self.singles.classes]
        gone.append(self.plan.names.get((_ROOT, _START)))
        run = [node for node in tree.body if getattr(node, "name", "") == _RUN]
        calls = [node for part in run for node in part.body if gone[-1] in names_in([node])]
        if len(calls) != 1:
            raise ShrinkError(f"{self.path}: {_RUN}() does not call {_ROOT}.{_START}() in one place")
        place = run[0].body.index(calls[0]) + 1
        run[0].body.insert(place, ast.Delete([ast.Name(name, ast.Del()) for name in gone]))
        run[0].body.insert(0, ast.Global(gone))

    def in_class(self, node):
        if not self.inside:
            return self.generic_visit(node)
        new = []
        for part in without_docstring(node.body):
            if not isinstance(part, FUNCTIONS) or part.decorator_list or part.args.posonlyargs:
                raise self._error(part, "a class of which there is one object has methods and nothing else")
            old = part.name
            part = self.visit(part)
            part.name = self.plan.names[self.inside, old]
            new.append(part)
        return new

    def _error(self, node, text):
        return ShrinkError(f"{self.path}, line {node.lineno}: {text}")

    def in_function(self, node):
        outer = self._dropped, self._stored
        self._dropped, self._stored = set(self._dropped), set()
        method = self.inside and node.args.args and node.args.args[0].arg == "self"
        if method:
            node.args.args.pop(0)
            if node.name == "__init__":
                gone = [argument for argument in node.args.args if (self.inside, argument.arg) in self.singles.given]
                node.args.args = [argument for argument in node.args.args if argument not in gone]
                self._dropped |= {argument.arg for argument in gone}
        self._rename(node)
        node = self.generic_visit(node)
        stored = self._stored
        self._dropped, self._stored = outer
        if isinstance(node, ast.Lambda):
            self._stored |= stored
            return node
        node.body = without_docstring(node.body or [ast.Pass()])
        if stored:
            node.body.insert(0, ast.Global(sorted(stored)))
        return node

    def _rename(self, node):
        """Local names get another one where a global that is used beside them has theirs by now."""
        arguments = node.args
        every = [*arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        names = {argument.arg for argument in every if argument}
        body = node.body if isinstance(node.body, list) else [node.body]
        outside = {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
        local = names | (set(names_in(body, ast.Store)) - outside)
        uses = [part for part in ast.walk(node) if isinstance(part, ast.Attribute)]
        clash = local & ({self.plan.names.get((self.kind(part.value), part.attr)) for part in uses} | {_STATE, _ITSELF})
        for argument in every:
            if argument and argument.arg in clash:
                if argument in arguments.kwonlyargs:
                    raise self._error(node, f"the keyword {argument.arg} is a name of the whole firmware")
                argument.arg += "_"
        for part in (part for statement in body for part in ast.walk(statement)):
            if isinstance(part, ast.Name) and part.id in clash:
                part.id += "_"
            elif isinstance(part, ast.arg) and part.arg in clash:
                raise self._error(part, f"the name {part.arg} is one of the whole firmware")
        for name in clash:
            self.scope[f"{name}_"] = self.scope.get(name)

    def visit_Name(self, node):
        if (node.id == "self" and self.inside) or node.id in self._dropped:
            if isinstance(node.ctx, ast.Load):
                return ast.copy_location(ast.Name(_ITSELF, node.ctx), node)
            raise self._error(node, f"{node.id} is given something else")
        return node

    def visit_Attribute(self, node):
        kind = self.kind(node.value)
        if isinstance(kind, tuple):
            return self._of_module(node, kind[0])
        key = kind, node.attr
        if kind not in self.singles.classes:
            return self.generic_visit(node)
        if key in self.plan.places:
            place = ast.Constant(self.plan.places[key])
            return ast.copy_location(ast.Subscript(ast.Name(_STATE, ast.Load()), place, node.ctx), node)
        if key in self.plan.names:
            return self._global(node, self.plan.names[key])
        if self.plan.is_handed_on(key) and isinstance(node.ctx, ast.Load):
            return ast.copy_location(ast.Name(_ITSELF, ast.Load()), node)
        if kind == _ROOT and node.attr in self.singles.made:
            return ast.copy_location(ast.Attribute(ast.Name(_ITSELF, ast.Load()), node.attr, node.ctx), node)
        raise self._error(node, f"{kind} has no attribute {node.attr}, or it is given something else later")

    def _global(self, node, new):
        if node.attr in self.singles.made:
            # It may not be there, and is made then.
            return ast.copy_location(ast.Attribute(ast.Name(_ITSELF, ast.Load()), new, node.ctx), node)
        if not isinstance(node.ctx, ast.Load):
            self._stored.add(new)
        return ast.copy_location(ast.Name(new, node.ctx), node)

    def _of_module(self, node, module):
        name = f"_{module.rpartition('.')[2]}"
        self._modules[name] = module
        return ast.copy_location(ast.Attribute(ast.Name(name, ast.Load()), node.attr, node.ctx), node)

    def visit_ImportFrom(self, node):
        node.names = [alias for alias in node.names if alias.name not in self.singles.classes]
        return node if node.names else None

    def visit_Assign(self, node):
        call = node.value
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in self.singles.classes:
            return self._make(node, call.func.id)
        kind = self.kind(call)
        empty = isinstance(call, ast.Constant) and call.value is None
        targets = [target for target in node.targets if not self._is_alias(target, kind, empty)]
        if len(targets) < len(node.targets):
            if targets:
                raise self._error(node, "one of the objects and something else are given to names in one statement")
            self._dropped |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            return None
        return self.generic_visit(node)

    def _is_alias(self, target, kind, empty):
        """Whether an assignment does no more than hand one of the objects on."""
        if isinstance(target, ast.Attribute):
            known = self.kind(target)
            if not known and self.kind(target.value) is None:
                known = self.singles.of(ast.Name(target.attr), None, {})
            return bool(known) and (kind == known or empty)
        if isinstance(target, ast.Name) and self.scope.get(target.id, self.singles.of(target, None, {})):
            return bool(kind) or empty
        return False

    def _make(self, node, name):
        """The object is there: what is left is the call of what was its __init__."""
        call = node.value
        if call.keywords:
            raise self._error(node, f"{name} is made with keywords")
        names = self.plan.parameters[name]
        arguments = []
        for place, value in enumerate(call.args):
            if isinstance(value, ast.Starred) or (name, names[place]) not in self.singles.given:
                arguments.append(self.visit(value))
                if isinstance(value, ast.Starred):
                    arguments += [self.visit(other) for other in call.args[place + 1 :]]
                    break
        self._dropped |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        new = ast.Call(ast.Name(self.plan.names[name, "__init__"], ast.Load()), arguments, [])
        return ast.copy_location(ast.Expr(new), node)
