"""Tracebacks of the ESP8266 are told with the lines of the sources, whatever the passes have made of those."""

import re

import pytest
from mpyat import shrink, sources
from mpyat.build import build, write_flash
from mpyat.shrink.lines import Lines, follow, keep
from test_own_commands import forgive


def test_lines_are_followed_through_the_passes():
    first = {"b.py": {1: ("a.py", 10), 5: ("a.py", 20)}}
    # What a pass does not mention is where it was; in between it is the line before that counts.
    assert follow(first, {"c.py": {1: ("b.py", 7), 2: ("x.py", 3)}}) == first | {
        "c.py": {1: ("a.py", 20), 2: ("x.py", 3)}
    }


def test_a_traceback_is_told_in_lines_of_the_sources(tmp_path):
    keep(tmp_path, {"A.py": "def f():\n    pass\n\n\ndef g():\n    pass\n"}, {})
    lines = Lines(tmp_path)
    assert lines.told('  File "A", line 6, in g') == '  File "A", line 6, in g  # A.py:6'
    # Without numbers it is where the function begins.
    assert lines.told('  File "A", line 1, in g') == '  File "A", line 1, in g  # A.py:5'
    for other in ('  File "B", line 6, in g', "Traceback (most recent call last):", 'x  File "A", line 6, in g'):
        assert lines.told(other) == other


# The one calls the other, unless it is part of it.
CALLING = (
    "result = self._attempt(line, length)",
    "return self._result(line, length)",
    "return self._call(name, form, line, start, length)",
    "return handler(self._at)",
)
FAULTY = """
from firmware.at.command import command


@command("ATX")
class X:
    def execute(at):
        at.port.write(1)
"""


@pytest.mark.parametrize("without", ["", *(f"lines {name}" for name in shrink.PASSES)])
def test_a_fault_of_the_firmware(start, tmp_path, monkeypatch, without):
    """The statements that lead to it, as they stand in the sources."""
    monkeypatch.setenv(shrink.WITHOUT, without)
    flash, path = tmp_path / "flash.img", tmp_path / "x.py"
    path.write_text(FAULTY)
    write_flash(flash, build("esp8266").files | {"/commands/x.py": path})
    module = start("--board", "esp8266", "--flash", flash)
    module.send("ATX")
    module.expect("⏎ERROR⏎")
    said = forgive(module, "TypeError")
    places = re.findall(r"# (firmware/\S+):(\d+)", said)
    if "lines" in without:
        path, line = next(place for place in places if place[0].endswith("interpreter.py"))
        assert (sources.root() / path).read_text().splitlines()[int(line) - 1].strip() in CALLING, said
    else:
        assert any(path.endswith("interpreter.py") for path, _ in places), said
