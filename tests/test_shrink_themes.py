"""On an ESP32's flash modules of one theme share a file, as each file takes a block there."""

import ast
import re

import pytest
from mpyat import build, catalog, shrink, sources
from mpyat.shrink.merge import THEMES
from mpyat.shrink.trees import module_name

PARTS = {name for parts in THEMES.values() for name in parts}


@pytest.fixture(scope="module")
def shrunk():
    texts = {
        str(path.relative_to(sources.root())): path.read_text()
        for path in sorted((sources.root() / "firmware").rglob("*.py"))
        if path.stem != "esp8266"
    }
    roots = [f"firmware.commands.{command.module}" for command in catalog.load(board="esp32")]
    return shrink.shrink(texts, shrink.ON_FLASH, "esp32", roots, build._MODULES_FOR_OTHERS, (), set(), (), set())


def kinds():
    """{module: what has to be so that it can be dropped}; of what always stays it is None."""
    text = (sources.root() / "firmware/commands/__init__.py").read_text()
    found = {name: kind for kind, name in re.findall(r"^(\d) (firmware\.\S+)$", text, re.M)}
    return found | {f"firmware.commands.{command.module}": "0" for command in catalog.load()}


def test_what_is_dropped_together_is_together():
    """Nothing that is dropped keeps something else in memory, or takes it along."""
    known = kinds() | {"firmware.commands.scanning": "0"}  # which its commands alone use
    for theme, parts in THEMES.items():
        assert theme in parts
        assert len({known.get(name) for name in parts}) == 1, theme


def test_no_module_is_in_two_themes():
    assert len(PARTS) == sum(map(len, THEMES.values()))


def test_a_file_for_each_theme(shrunk):
    names = {module_name(path) for path in shrunk.texts}
    assert names & PARTS == THEMES.keys()
    assert shrunk.merged == {name: theme for theme, parts in THEMES.items() for name in parts}
    # What files in /commands import is where it was.
    assert {"firmware.at.command", "firmware.at.messages"} <= names


def test_no_module_waits_for_itself(shrunk):
    """What a module imports as it is imported itself must not need it."""
    trees = {module_name(path): ast.parse(text) for path, text in shrunk.texts.items()}
    needs = {name: set(imported(tree.body, trees)) - {name} for name, tree in trees.items()}
    while done := [name for name, others in needs.items() if not others & needs.keys()]:
        for name in done:
            del needs[name]
    assert not needs


def test_what_is_imported_is_there(shrunk):
    trees = {module_name(path): ast.parse(text) for path, text in shrunk.texts.items()}
    made = {"firmware.buildinfo", "firmware.update_key", "firmware.commands.index", "firmware.board.esp8266"}
    for name, tree in trees.items():
        missing = set(imported(ast.walk(tree), trees)) - trees.keys() - made
        assert not {other for other in missing if other.startswith("firmware")}, name


def imported(nodes, known):
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                yield name if name in known else node.module


def test_the_index_has_the_modules_that_are_there(shrunk):
    text = catalog.index_source(sources.root(), "esp32", {}, shrunk.merged)
    assert b"\nAT+CIPSEND tcpip " in text.encode().replace(b"\\n", b"\n")
    assert b"\nAT+CIPRECVDATA receiving " in text.encode().replace(b"\\n", b"\n")


def test_lines_are_told_as_in_the_sources(shrunk):
    lines = shrunk.lines["firmware/tls.py"]
    assert lines[1003] == ("firmware/pair.py", 3) and lines[2004] == ("firmware/tls.py", 4)
