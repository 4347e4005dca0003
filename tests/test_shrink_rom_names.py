"""The names that the firmware takes from the ESP8266's ROM are there, as the package of its stubs has them."""

import ast

from mpyat import sources
from mpyat.build import build
from mpyat.shrink.rom_names import rom_names
from mpyat.shrink.shorten import STATIC, shorten

STUBS = sources.root() / ".venv" / "stubs" / "esp8266"


def test_they_are_names_of_the_chip():
    """make test has the stubs."""
    known = set()
    for path in STUBS.glob("*.pyi"):
        for node in ast.walk(ast.parse(path.read_text())):
            known.add(getattr(node, "name", None))
            known.add(getattr(getattr(node, "target", None), "id", None))
    assert set(rom_names()) <= known


def test_they_come_before_letters_where_no_source_has_them():
    source = "".join(f"def more{i}():\n    pin = {i}\n" for i in range(len(STATIC) + 5))
    short = shorten({"firmware/a.py": source}, (), ("pin", "irq", "off"))[1].values()
    assert set(short) - set(STATIC) >= {"irq", "off", "A", "B"}
    assert "pin" not in short


def test_the_image_has_them():
    folder = build("esp8266").folder
    names = (folder / "romnames.py").read_text()
    assert len(names.split()) > 100
    assert any(f"def {name}" in (folder / "short/firmware/app.py").read_text() for name in rom_names())
