"""The modules that are always in memory become one for the ESP8266, and what it never uses is left out."""

import pytest
from mpyat.shrink import ShrinkError
from mpyat.shrink.merge import merge
from mpyat.shrink.prune import prune

LOOP = "import gc\n\n_SIZE = const(5)\n\n\nclass Loop:\n    size = _SIZE\n"
COMMANDS = "LIMIT = 3\n\n\ndef load():\n    pass\n"
APP = (
    "from firmware import commands\nfrom firmware.loop import Loop\n\n_SIZE = const(7)\n\n\n"
    "def run():\n    commands.load()\n    return Loop, commands, _SIZE\n"
)


def merged(others=(), **more):
    sources = {"firmware/loop.py": LOOP, "firmware/commands/__init__.py": COMMANDS, "firmware/app.py": APP}
    return merge(sources | {path.replace("__", "/") + ".py": text for path, text in more.items()}, others)[0]


def test_the_parts_become_one():
    texts = merged()
    assert list(texts) == ["firmware/app.py"]
    lines = texts["firmware/app.py"].splitlines()
    # Each part has a thousand of lines for itself, in the order of merge.PARTS.
    assert lines[0] == "import sys"
    assert lines[1000:1005] == ["pass", "", "", "def load():", "    pass"]
    assert lines[2000:2007] == ["import gc", "", "_SIZE_2 = const(5)", "", "", "class Loop:", "    size = _SIZE_2"]
    assert lines[3003:] == [
        "_SIZE_3 = const(7)",
        "",
        "",
        "def run():",
        "    load()",
        "    return Loop, sys.modules[__name__], _SIZE_3",
    ]


def test_others_import_from_the_whole():
    texts = merged(firmware__own="from firmware import commands\nfrom firmware.loop import Loop\n\ncommands.load()\n")
    assert texts["firmware/own.py"] == (
        "from firmware import app as commands\nfrom firmware.app import Loop\n\ncommands.load()\n"
    )
    texts = merged(firmware__own="from firmware.commands import basic, load\n")
    assert texts["firmware/own.py"] == "from firmware.commands import basic; from firmware.app import load\n"


def test_what_loads_together_becomes_one():
    texts = {
        "firmware/net/link.py": "class Link:\n    pass\n",
        "firmware/net/tcp.py": "from firmware.net.link import Link\n\n\nclass TCPLink(Link):\n    pass\n",
        "firmware/net/udp.py": "from firmware.net.link import Link\n",
    }
    texts, lines = merge(texts, (), ("firmware.net.link", "firmware.net.tcp"), "firmware.net.tcp")
    assert texts.keys() == {"firmware/net/tcp.py", "firmware/net/udp.py"}
    assert texts["firmware/net/udp.py"] == "from firmware.net.tcp import Link\n"
    assert lines["firmware/net/tcp.py"][2004] == ("firmware/net/tcp.py", 4)


def test_what_is_left_for_imports_from_outside():
    texts = merged(["firmware.commands"])
    assert texts["firmware/commands/__init__.py"] == "from firmware.app import load\nLIMIT = 3\n"
    assert "LIMIT" not in texts["firmware/app.py"]


def test_a_constant_that_is_still_used_stays():
    lines = merged(firmware__wifi="NOTHING = b''\n\n\ndef f(x):\n    return x is NOTHING\n")[
        "firmware/app.py"
    ].splitlines()
    assert lines[3000] == "NOTHING = b''"


@pytest.mark.parametrize(
    "source, message",
    [
        ("def load():\n    pass\n", "firmware.wifi and firmware.commands both have the name load"),
        ("def print():\n    pass\n", "firmware.wifi and Python both have the name print"),
        ("from firmware.loop import Loop as L\n", "Loop as L from firmware.loop"),
        ("from firmware import commands\n\n\ndef f(load):\n    commands.load()\n", "commands.load in line 5"),
        ("from firmware import commands\n\n\ndef f():\n    commands.load = 1\n", "commands.load in line 5"),
    ],
)
def test_what_does_not_fit(source, message):
    with pytest.raises(ShrinkError, match=message):
        merged(firmware__wifi=source)


def test_what_another_chip_has_is_left_out():
    sources = {
        "firmware/app.py": "from firmware.net import link\n",
        "firmware/net/__init__.py": "",
        "firmware/net/link.py": "",
        "firmware/phy.py": "",
        "firmware/commands/wifi.py": (
            "@command('AT+A', board='esp32')\nclass A:\n    def query(at):\n        from firmware import phy\n\n\n"
            "@command('AT+B', board='esp8266')\nclass B:\n    pass\n"
        ),
    }
    texts = prune(sources, "esp8266", ["firmware.app", "firmware.commands.wifi"])
    assert sorted(sources.keys() - texts.keys()) == ["firmware/phy.py"]
    assert texts["firmware/commands/wifi.py"] == "\n" * 6 + "@command('AT+B', board='esp8266')\nclass B:\n    pass\n"
    assert prune(sources, "esp32", ["firmware.app", "firmware.commands.wifi"]).keys() == sources.keys()
