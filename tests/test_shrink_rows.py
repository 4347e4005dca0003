"""The declarations of commands stay in the ROM of the ESP8266: modules have a tuple of their functions."""

import pytest
from mpyat.shrink import ShrinkError
from mpyat.shrink.rows import rows

SOURCE = '''"""Help."""

from firmware.at.command import STORE, command

_LEVEL = "level:0..3"
_WORD = "word"


@command("AT+X", _LEVEL, saved=STORE)
class X:
    """Has a level."""

    def set(at, level):
        """Sets it."""
        at.level = level, _WORD

    async def query(at):
        at.line("+X:%d", at.level)


def other():
    pass


@command("AT+Y")
class Y:
    def execute(at):
        other()
'''


def test_a_tuple_of_the_functions_in_the_order_of_the_index():
    texts, lines = rows({"firmware/commands/x.py": SOURCE, "firmware/x.py": "X = 1\n"})
    assert texts["firmware/x.py"] == "X = 1\n"
    # fmt: off
    assert texts["firmware/commands/x.py"].splitlines()[1:] == [
        "_WORD = 'word'",
        "",
        "def other():",
        "    pass",
        "",
        "def HANDLERS():",
        "    found = []",
        "",
        "    async def one(at):",
        "        at.line('+X:%d', at.level)",
        "    found.append(one)",
        "",
        "    def one(at, level):",
        "        at.level = (level, _WORD)",
        "    found.append(one)",
        "",
        "    def one(at):",
        "        other()",
        "    found.append(one)",
        "    return tuple(found)",
        "HANDLERS = HANDLERS()",
    ]
    # fmt: on
    kept = lines["firmware/commands/x.py"]
    assert [kept[line] for line in (10, 11, 14)] == [("firmware/commands/x.py", line) for line in (17, 18, 13)]


@pytest.mark.parametrize(
    "line, message",
    [
        ("    limit = 3", "line 29: a declaration has execute, query, set, its help, and nothing else"),
        ("    def helper(at):\n        pass", "line 26: a declaration has execute"),
        ("\nprint(Y)", "line 26: nothing remains of Y"),
    ],
)
def test_what_is_no_plain_declaration(line, message):
    with pytest.raises(ShrinkError, match=f"firmware/commands/x.py, {message}"):
        rows({"firmware/commands/x.py": SOURCE.replace("        other()", f"        other()\n{line}")})
