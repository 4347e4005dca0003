"""What a module lets others do with it, read from its source or its stub: names, and how functions can be called.
`Api.beyond` tells what one has beyond another."""

import ast
import inspect
import math
from dataclasses import dataclass, field, replace

from mpyat import stubs


@dataclass(frozen=True)
class Signature:
    """What a function can be called with: what may be given by position (each with its name, None where that would not
    do) and how much of it has to be, and what can be given by name alone; `rest` and `others` are any more of these."""

    positional: tuple = ()
    required: int = 0
    rest: bool = False
    keywords: frozenset = frozenset()
    others: bool = False

    @classmethod
    def of(cls, args, bound):
        """From the arguments of a function's syntax tree; `bound`: the first one is the object itself.

        MicroPython knows no `/`, so in its code a name that begins with an underscore is for nobody to use."""
        positional = [None] * len(args.posonlyargs)
        positional += [None if argument.arg.startswith("_") else argument.arg for argument in args.args]
        return cls(
            tuple(positional[bound:]),
            max(0, len(positional) - bound - len(args.defaults)),
            bool(args.vararg),
            frozenset(argument.arg for argument in args.kwonlyargs),
            bool(args.kwarg),
        )

    @classmethod
    def of_function(cls, function, own):
        """From a function of this Python; its first `own` parameters are not the caller's."""
        text = f"def function{inspect.signature(function)}: pass"
        signature = cls.of(ast.parse(text).body[0].args, False)
        required = max(0, signature.required - own)
        return replace(signature, positional=signature.positional[own:], required=required)

    def with_names(self, names):
        """It takes these by name, and no others."""
        return replace(self, keywords=self.keywords | set(names), others=False)

    def passed_to(self, other):
        """All that this has no parameter for goes on to another function."""
        return replace(
            other,
            positional=self.positional + other.positional,
            required=self.required + other.required,
            keywords=self.keywords | other.keywords,
        )

    @property
    def most(self):
        return math.inf if self.rest else len(self.positional)

    def takes(self, name, place=None):
        """Whether something can be given by that name, and by place if that is a number."""
        if place is not None and not (self.rest or place < len(self.positional)):
            return False
        if name in self.positional:
            return place in (None, self.positional.index(name))
        return self.others or (place is None and name in self.keywords)


@dataclass
class Api:
    """What a module or a class has, by name: a list of Signatures, an Api, a number, or None for what is not known."""

    members: dict = field(default_factory=dict)

    def beyond(self, other, where):
        """One line for each thing that this has and the other has not."""
        found = []
        for name, own in self.members.items():
            path = f"{where}.{name}"
            if name not in other.members:
                found.append(f"{path} is not there on the chip")
                continue
            theirs = other.members[name]
            if isinstance(own, list) and isinstance(theirs, Api):  # a function that makes what a class would
                theirs = theirs.members.get("__init__")
            if isinstance(own, Api) and isinstance(theirs, Api):
                found += own.beyond(theirs, path)
            elif isinstance(own, list) and isinstance(theirs, list):
                found += [f"{path}: {line}" for line in _wider(own[0], theirs)]
            elif isinstance(own, int) and own != theirs:
                found.append(f"{path} is {theirs} on the chip and not {own}")
            elif own is not None and theirs is not None and type(own) is not type(theirs):
                found.append(f"{path} is something else on the chip")
        return found


def _wider(own, theirs):
    """In what ways a function can be called as none of the signatures of the other can."""
    if any(signature.rest and signature.others for signature in theirs):
        yield f"the stub does not say what it takes: {stubs.CORRECTIONS.name} has to"
        return
    most = max(signature.most for signature in theirs)
    if own.most > most:
        yield f"it takes {own.most} arguments, and on the chip {most}"
    least = min(signature.required for signature in theirs)
    if own.required < least:
        yield f"it wants {own.required} arguments, and on the chip {least}"
    for place, name in enumerate(own.positional):
        if name and not any(signature.takes(name, place) for signature in theirs):
            yield f"argument {place + 1} has no name {name} on the chip"
    for name in sorted(own.keywords):
        if not any(signature.takes(name) for signature in theirs):
            yield f"there is no {name} on the chip"
    if own.others and not any(signature.others for signature in theirs):
        yield "it takes any name"


def members_of(scope, others=None):
    """The members that a stub declares for a module or a class, also those under conditions and those of base classes;
    `others` are the classes beside it."""
    inside = isinstance(scope, ast.ClassDef)
    classes = others or {node.name: node for node in ast.walk(scope) if isinstance(node, ast.ClassDef)}
    found = {}

    def read(body):
        for node in body:
            if isinstance(node, ast.If):
                read([*node.body, *node.orelse])
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                static = any(getattr(mark, "id", "") == "staticmethod" for mark in node.decorator_list)
                signatures = found.setdefault(node.name, [])
                signatures.append(Signature.of(node.args, bound=inside and not static))
            elif isinstance(node, ast.ClassDef):
                found[node.name] = Api(members_of(node, classes))
            else:
                found.update({name: getattr(node.value, "value", None) for name in stubs.names(node)})

    read(scope.body)
    for base in getattr(scope, "bases", ()):
        if getattr(base, "id", "") in classes:
            found = members_of(classes[base.id], classes) | found
    return found
