"""Names are shortened for the ESP8266: what the firmware has named itself, and nothing that others can see."""

from mpyat.shrink.shorten import shorten

BASE = "class Base:\n    def run(self, speed):\n        self.count = self.count + speed\n"
DERIVED = (
    "from firmware.net.base import Base\n\n\nclass Derived(Base):\n    def halt(self):\n"
    "        self.run(1)\n        self.other.halt()\n"
)


def one(source, known=()):
    """The short form of a program of one module."""
    return shorten({"firmware/a.py": source}, known)[0]["firmware/a.py"]


def test_what_a_module_defines_becomes_short():
    source = "import time\n\nLIMIT = 5\n\n\ndef pause():  # pause\n    time.sleep(LIMIT)\n    pause()\n"
    assert one(source) == "import time\n\nself = 5\n\n\ndef args():  # pause\n    time.sleep(self)\n    args()\n"


def test_a_name_that_others_know_stays():
    assert one("def pause():\n    pass\n", known={"pause"}) == "def pause():\n    pass\n"
    # The keyword of a call, a text, and what comes from MicroPython's own modules.
    source = "from time import ticks\n\n\nclass A:\n    def one(self, two, six):\n        "
    source += "self.three = self.five = ticks\n        other(four=1, three=getattr(self, 'five'))\n"
    short = one(source, known={"other", "getattr"})
    assert short.splitlines()[3:] == [
        "class args:",
        "    def key(self, args, key):",
        "        self.three = self.five = ticks",
        "        other(four=1, three=getattr(self, 'five'))",
    ]


def test_names_that_never_meet_become_the_same():
    short, _ = shorten(
        {
            "firmware/a.py": "class One:\n    def first(self):\n        pass\n",
            "firmware/b.py": "def second():\n    pass\n",
        }
    )
    assert short["firmware/a.py"] == "class args:\n    def key(self):\n        pass\n"
    assert short["firmware/b.py"] == "def args():\n    pass\n"


def test_a_class_and_its_base_do_not_take_each_others_names():
    short, _ = shorten({"firmware/net/base.py": BASE, "firmware/net/derived.py": DERIVED})
    assert (
        short["firmware/net/base.py"] == "class args:\n    def index(self, args):\n        self.key = self.key + args\n"
    )
    derived = "from firmware.net.base import args\n\n\nclass key(args):\n    def values(self):\n        "
    derived += "self.index(1)\n        self.other.values()\n"
    assert short["firmware/net/derived.py"] == derived


def test_parameters_take_names_that_the_function_has_not():
    source = "def f(one, two=3, *rest, six=6):\n    args = one\n    return f(two, six=args, index=index)\n"
    assert one(source, known={"f", "index"}) == (
        "def f(self, key=3, *value, six=6):\n    args = self\n    return f(key, six=args, index=index)\n"
    )


def test_inner_functions_and_what_they_have_from_outside():
    source = (
        "level = 1\n\n\ndef outer(one):\n    two = 0\n\n    def inner(level):\n        nonlocal two\n"
        "        two = one + level\n\n    inner(level)\n    return lambda three: [two for one in three]\n"
    )
    assert one(source) == (
        "self = 1\n\n\ndef args(args):\n    two = 0\n\n    def value(level):\n        nonlocal two\n"
        "        two = args + level\n\n    value(self)\n    return lambda key: [two for args in key]\n"
    )


def test_constants_and_declarations():
    source = (
        "from firmware.at.command import command\n\n_MOST = const(3)\nLEAST = const(1)\n\n\n"
        "@command('AT+X', saved=LEAST)\nclass Thing:\n    def set(at, number):\n        at.limit = number + _MOST\n"
    )
    assert one(source, known={"const"}) == (
        "from firmware.at.command import command\n\n_MOST = const(3)\nself = const(1)\n\n\n"
        "@command('AT+X', saved=self)\nclass _:\n    def set(self, args):\n        self.limit = args + _MOST\n"
    )


def test_imports_inside_functions():
    source = "def load():\n    from firmware.b import Thing, other\n\n    return Thing(other)\n"
    thing = "class Thing:\n    pass\n\n\ndef other():\n    pass\n"
    short, _ = shorten({"firmware/a.py": source, "firmware/b.py": thing})
    assert short["firmware/a.py"] == (
        "def self():\n    from firmware.b import self as Thing, args as other\n\n    return Thing(other)\n"
    )


def test_the_new_names_are_told():
    assert shorten({"firmware/a.py": "SIZE = 1\n\n\ndef uart(port):\n    return SIZE\n"})[1] == {
        "SIZE": "self",
        "uart": "args",
    }


def test_globals_that_functions_set():
    source = "count = level = 0\n\n\ndef up():\n    global count, level\n    count += level\n"
    assert one(source) == "self = args = 0\n\n\ndef key():\n    global self, args\n    self += args\n"


def test_a_global_gets_no_name_that_is_local_or_built_in_somewhere():
    source = "def one():\n    args = len(self)\n    return args\n\n\ndef two(many):\n    one()\n"
    short = one(source, known={"self", "len"})
    assert short == source.replace("one", "key").replace("two(many)", "value(self)")
