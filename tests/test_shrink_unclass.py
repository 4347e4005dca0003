"""Classes of which there is one object become functions and one list, for the ESP8266."""

import pytest
from mpyat.shrink import ShrinkError
from mpyat.shrink.unclass import unclass

APP = """
from firmware import commands
from firmware.loop import Loop
from firmware.port import Port


class App:
    def __init__(self):
        self.loop = loop = Loop()
        self.port = Port(loop, commands, *sizes())
        self.began = 3
        loop.turns = [self.port.turn]

    def __getattr__(self, name):
        if name == "block":
            self.block = bytearray(9)
            return self.block
        raise AttributeError(name)

    def start(self):
        self.port.write(self.block)


def run():
    app = App()
    app.start()
    app.loop.run()
"""
LOOP = """
class Timer:
    def __init__(self, loop):
        self._loop = loop

    def start(self):
        self._loop.turns.append(self)


class Loop:
    '''Goes round.'''

    def __init__(self):
        self.turns = []

    def run(self):
        Timer(self)
"""
PORT = """
class Port:
    def __init__(self, loop, catalog, size, most):
        self._loop = loop
        self._catalog = catalog
        self.out = bytearray(size)
        self._most = most

    def write(self, text):
        turn = self._catalog.find(text)
        self.out = turn

    def turn(self):
        self._loop.run()
"""
USER = """
def set(at, write):
    at.port.write(at.port.out)
    at.loop.turns = at.began


class User:
    def __init__(self, at):
        self._port = at.port
        self._at = at

    def use(self):
        self._port.turn()
        self._port.out = self._at.block
"""
LINK = """
class Link:
    def __init__(self, loop):
        self._loop = loop
        self._loop.run()


def ask(size, loop):
    loop.turns.append(size)
"""


def made(closed=(), **more):
    sources = {"firmware/app.py": APP, "firmware/loop.py": LOOP, "firmware/port.py": PORT, "firmware/user.py": USER}
    sources |= {f"firmware/{name}.py": text for name, text in more.items()}
    parts = ["firmware/loop.py", "firmware/port.py", "firmware/app.py"]
    return unclass(sources, parts, ("at.port.write",), {"append", "find"}, closed)


def lines(text):
    return [line for line in text.splitlines() if line]


def test_methods_are_functions_and_attributes_are_in_the_list():
    texts, places = made()
    assert lines(texts["firmware/port.py"]) == [
        "from firmware import commands as _commands",
        "def port_init(size, most):",
        "    _S[1] = bytearray(size)",
        "    _S[3] = most",
        "def write(text):",
        "    turn = _commands.find(text)",
        "    _S[1] = turn",
        "def port_turn():",
        "    loop_run()",
    ]
    assert places["firmware/port.py"][4] == ("firmware/port.py", 6)


def test_what_there_is_more_than_one_of_stays_a_class():
    assert lines(made()[0]["firmware/loop.py"]) == [
        "class Timer:",
        "    def __init__(self, loop):",
        "        pass",
        "    def start(self):",
        "        _S[0].append(self)",
        "def loop_init():",
        "    _S[0] = []",
        "def loop_run():",
        "    Timer(_module)",
    ]
    # With another one made elsewhere, Loop is as it was.
    assert "class Loop:" in made(loop=LOOP + "\n\nother = Loop()\n")[0]["firmware/loop.py"]


def test_the_root_makes_what_is_asked_for_and_forgets_how_it_began():
    assert lines(made()[0]["firmware/app.py"]) == [
        "from firmware import commands",
        "def at_init():",
        "    loop_init()",
        "    port_init(*sizes())",
        "    _S[2] = 3",
        "    _S[0] = [port_turn]",
        "def __getattr__(name):",
        "    if name == 'block':",
        "        _module.block = bytearray(9)",
        "        return _module.block",
        "    raise AttributeError(name)",
        "def at_start():",
        "    write(_module.block)",
        "def run():",
        "    global at_init, loop_init, port_init, at_start",
        "    at_init()",
        "    at_start()",
        "    del at_init, loop_init, port_init, at_start",
        "    loop_run()",
        "_S = [None] * 4",
        "_module = port = sys.modules[__name__]",
    ]


def test_others_reach_all_of_it_through_the_module():
    assert lines(made()[0]["firmware/user.py"]) == [
        "def set(at, write):",
        "    at.write(at._S[1])",
        "    at._S[0] = at._S[2]",
        "class User:",
        "    def __init__(self, at):",
        "        self._port = at",
        "        self._at = at",
        "    def use(self):",
        "        self._port.port_turn()",
        "        self._port._S[1] = self._at.block",
    ]


def test_a_local_name_gives_way():
    port = PORT.replace("turn = self._catalog.find(text)", "write = self._catalog.find(text)")
    port = port.replace("self.out = turn", "self.out = write or self.write(text)")
    assert (
        "    write_ = _commands.find(text)\n    _S[1] = write_ or write(text)" in made(port=port)[0]["firmware/port.py"]
    )


@pytest.mark.parametrize(
    "more, message",
    [
        ({"other": "def f(thing):\n    thing.turns = 1\n"}, "other.py, line 2: whose turns is that of thing?"),
        ({"other": "def f(at):\n    at.clock = 1\n"}, "other.py, line 2: App has no attribute clock"),
        (
            {"other": "class Fake:\n    def go(self):\n        self.out = self._most = self.turn = 1\n"},
            "other.py, line 1: Fake looks like Port",
        ),
        ({"loop": LOOP + "\n    size = 3\n"}, "loop.py, line 19: a class of which there is one object has methods and"),
        ({"loop": LOOP.replace("    def run", "    @staticmethod\n    def run")}, "loop.py, line 17: a class of which"),
        (
            {"port": PORT.replace("turn(self):", "turn(self, *, write=1):\n        self.write(write)")},
            "port.py, line 13: the keyword write is a name of the whole firmware",
        ),
        ({"port": PORT.replace("self._loop.run()", "self._loop = 3")}, "port.py, line 14: Port has no attribute _loop"),
        (
            {"other": "class Link:\n    def go(self, fake):\n        self._port = fake()\n        self._port.turn()\n"},
            "other.py, line 3: self._port goes by the name of the one Port, and fake.. may be another object",
        ),
        (
            {
                "base": LINK,
                "other": "from firmware.base import Link\n\n\ndef f(link, a):\n    link.x, link._loop = a, a\n",
            },
            "other.py, line 5: link._loop goes by the name of the one Loop, and a may be another object",
        ),
        (
            {"base": LINK, "other": "from firmware.base import Link\n\n\ndef f(at):\n    Link(at.began)\n"},
            "other.py, line 5: loop goes by the name of the one Loop, and at.began may be another object",
        ),
        (
            {"base": LINK, "other": "from firmware import base\n\n\ndef f(at, part):\n    base.ask(1, loop=part)\n"},
            "other.py, line 5: loop goes by the name of the one Loop, and part may be another object",
        ),
        ({"app": APP.replace("    app.start()\n", "")}, "app.py: run.. does not call App.start.. in one place"),
        ({"app": APP.replace("def run", "def write():\n    pass\n\n\ndef run")}, "both need the name write"),
    ],
)
def test_what_cannot_be_told(more, message):
    with pytest.raises(ShrinkError, match=message):
        made(**more)


@pytest.mark.parametrize(
    "use",
    [
        "link._loop = at.loop",
        "link._loop = None",
        "Link(link._loop)",
        "ask(3, at.port._loop)",
        "at.port.write(Link)",
    ],
)
def test_what_is_the_object_itself_may_go_by_its_name(use):
    made(base=LINK, other=f"from firmware.base import Link, ask\n\n\ndef f(at, link):\n    {use}\n")


def test_a_number_may_be_called_as_an_object_where_nothing_is_asked_of_it():
    made(
        base=LINK,
        other="class Peer:\n    def f(self, a):\n        self._port, self.x = a.b, a.c\n        return self._port\n",
    )
