"""Whether the simulator's stand-ins for the chip's modules have more than the chip: a name, a parameter, or a way to
give one that the stubs of MicroPython's port do not have. `python -m mpyat.standins` says where."""

import ast
import subprocess
import sys
from pathlib import Path

from mpyat import stubs
from mpyat.api import Api, Signature, members_of
from mpyat.build import BOARDS
from mpyat.module import Module
from mpyat.radio_esp32 import Esp32Radio
from mpyat.radio_esp8266 import Esp8266Radio

_TOOLS = Path(__file__).parent
# What is behind the stand-ins, and which of them stands in for a module of another name.
_BEHIND = {"ahead", "lack", "pc", "soc", "start"}
_STANDS_FOR = {
    "axtls": "tls",
    "romvfs": "vfs",
    "usbsys": "sys",
    "portsys": "sys",
    "portsocket": "socket",
    "aheadtime": "time",
    "aheadselect": "select",
    "lackselect": "select",
}
_RADIOS = {"esp32": Esp32Radio, "esp8266": Esp8266Radio}
# With this method MicroPython asks a stream that is written in Python, as no stream of the chip is.
_OF_STREAMS = {"ioctl"}


def differences(board, chip=_TOOLS / "chip"):
    """One line for each thing that a stand-in has and the chip has not."""
    found = []
    for path in sorted((*chip.glob("*.py"), *(chip / board).glob("*.py"))):
        if path.stem in _BEHIND:
            continue
        name = _STANDS_FOR.get(path.stem, path.stem)
        stub = stubs.tree(board, name)
        if stub is None:
            found.append(f"{name}: the chip has no such module")
            continue
        own = _Standin(board, chip).module(path)
        found += own.beyond(Api(members_of(stub)), name)
    return [f"{board}: {line}" for line in found]


class _Standin:
    """Reads the sources of the stand-ins of one board; nothing of them is run but soc, which is numbers and texts."""

    def __init__(self, board, chip):
        self._board = board
        self._soc = {}
        exec((chip / board / "soc.py").read_text(), self._soc)

    def module(self, path):
        parsed = ast.parse(path.read_text(), str(path))
        self._classes = {node.name: node for node in parsed.body if isinstance(node, ast.ClassDef)}
        api = Api()
        for node in self._statements(parsed.body):
            if isinstance(node, ast.FunctionDef):
                self._function(api, node, bound=False)
            elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                api.members[node.name] = self._class(node)
            elif isinstance(node, ast.Assign):
                self._assigned(api, node)
        return api

    def _statements(self, body):
        """All statements but those under a condition that soc does not fulfil."""
        for node in body:
            if isinstance(node, ast.If):
                said = self._value(node.test, default=True)
                yield from self._statements(node.body if said else node.orelse)
            elif isinstance(node, ast.Try):
                yield from self._statements([*node.body, *node.orelse, *node.finalbody])
            else:
                yield node

    def _value(self, node, default=None):
        """What a literal says, or a name of soc."""
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "soc":
            return self._soc[node.attr]
        try:
            return ast.literal_eval(node)
        except ValueError:
            return default

    def _function(self, api, node, bound):
        if node.name == "__getattr__":
            api.members.update(self._looked_up(node))
        elif not node.name.startswith("_") or node.name in ("__init__", "__call__"):
            api.members[node.name] = [self._signature(node, bound)]

    def _signature(self, node, bound):
        signature = Signature.of(node.args, bound)
        if not signature.others:
            return signature
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute) and part.attr.endswith("_OPTIONS"):
                return signature.with_names(self._value(part).decode().split())
            if isinstance(part, ast.Call) and any(keyword.arg is None for keyword in part.keywords):
                method = getattr(part.func, "attr", "")
                for owner in self._classes.values():
                    for other in owner.body:
                        if isinstance(other, ast.FunctionDef) and other.name == method:
                            return signature.passed_to(self._signature(other, True))
        return signature

    def _class(self, node):
        api = Api()
        for base in node.bases:
            if getattr(base, "id", "") in self._classes:
                api.members.update(self._class(self._classes[base.id]).members)
        for part in node.body:
            if isinstance(part, ast.FunctionDef):
                static = any(getattr(mark, "id", "") == "staticmethod" for mark in part.decorator_list)
                self._function(api, part, bound=not static)
            elif isinstance(part, ast.Assign):
                self._assigned(api, part)
        for part in ast.walk(node):
            stored = isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store)
            if stored and getattr(part.value, "id", "") == "self" and not part.attr.startswith("_"):
                api.members.setdefault(part.attr, None)
        if any(getattr(base, "attr", "") == "IOBase" for base in node.bases):
            for name in _OF_STREAMS:
                api.members.pop(name, None)
        return api

    def _assigned(self, api, node):
        target, value = node.targets[0], node.value
        pairs = [(target, self._value(value))]
        if isinstance(target, ast.Tuple):
            values = self._value(value) or [None] * len(target.elts)
            pairs = zip(target.elts, values, strict=True)
        elif isinstance(value, ast.Call) and getattr(value.func, "id", "") in self._classes:
            pairs = [(target, self._object(self._classes[value.func.id]))]
        for place, said in pairs:
            if isinstance(place, ast.Attribute):
                api.members[place.value.id].members[place.attr] = said
            elif not place.id.startswith("_"):
                api.members[place.id] = said

    def _object(self, node):
        """An object that is there in place of a class: what calls it makes what its __call__ returns."""
        api = self._class(node)
        if "__call__" not in api.members:
            return None
        api.members["__init__"] = api.members.pop("__call__")
        for part in ast.walk(node):
            made = getattr(getattr(getattr(part, "value", None), "func", None), "id", "")
            if isinstance(part, ast.Return) and made in self._classes:
                members = self._class(self._classes[made]).members
                api.members.update({name: said for name, said in members.items() if name != "__init__"})
        return api

    def _looked_up(self, node):
        """What a __getattr__ finds in a table of soc or in a module of MicroPython's own."""
        found, hidden = {}, set()
        for part in ast.walk(node):
            if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.In):
                hidden |= set(ast.literal_eval(part.comparators[0]))
            if not isinstance(part, ast.Call):
                continue
            if getattr(part.func, "attr", "") == "lookup":
                prefix = ast.literal_eval(part.args[2]) if len(part.args) > 2 else ""
                for entry in self._value(part.args[0]).decode().split():
                    name, _, number = entry.partition("=")
                    found[name] = int(number) if number else [self._of_simulator(prefix, name)]
            elif getattr(part.func, "id", "") == "getattr":
                found.update(dict.fromkeys(_names_of_micropython(part.args[0].id.strip("_"))))
        return {name: said for name, said in found.items() if name not in hidden}

    def _of_simulator(self, prefix, name):
        """How the simulator's own function takes what the chip's is called with."""
        radio = _RADIOS[self._board]
        if prefix == "wlan.":
            function, own = getattr(radio, f"wlan_{name}"), 2
        elif prefix == "net.":
            function, own = getattr(radio, f"net_{name}"), 1
        else:
            function, own = getattr(Module, f"_chip_{prefix}{name}"), 1
        signature = Signature.of_function(function, own)
        return signature.with_names(radio.keywords(function.__name__)) if signature.others else signature


def _names_of_micropython(module):
    """The public names in a module of the MicroPython that the simulator runs."""
    script = _TOOLS / "chip" / "names" / "module.py"
    command = [sys.executable, str(_TOOLS / "launch.py"), "--script", str(script), module]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return [name for name in result.stdout.split() if not name.startswith("_")]


def main():
    lines = []
    try:
        for board in BOARDS:
            lines += differences(board)
    except stubs.StubsError as error:
        sys.exit(f"standins: {error}")
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(bool(lines))


if __name__ == "__main__":
    main()
