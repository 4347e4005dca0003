"""docs/ports.md: what the firmware uses of MicroPython's ports, and which versions it runs on, stand there as in the
sources."""

import ast
import re

from mpyat import sources
from mpyat.chips import VERSIONS
from mpyat.sources import oldest_micropython

# The modules of which the page has a table; the others are MicroPython's own, the same in all ports.
TABLES = set(re.findall(r"\w+", "machine network socket select esp esp32 os vfs sys micropython gc io tls _thread"))
# The classes whose constants the page names, too, as the firmware writes them.
CLASSES = {"machine": ("machine.UART", "machine.Pin", "machine.Timer"), "network": ("WLAN",)}


def page():
    return (sources.root() / "docs" / "ports.md").read_text()


def rows():
    """{module: the names in its table}."""
    found = {}
    for part in page().split("\n### ")[1:]:
        heading, *lines = part.split("\n")
        names = {
            name for line in lines if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])
        }
        for module in heading.split(", "):
            found[module] = names
    return found


def used():
    """{module: the names that the firmware takes from it}."""
    found = {name: set() for name in TABLES}
    root = sources.root()
    for path in [root / "boot.py", root / "main.py", *(root / "firmware").rglob("*.py")]:
        here = {}
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                here.update({alias.asname or alias.name: alias.name for alias in node.names if alias.name in found})
            elif isinstance(node, ast.ImportFrom) and node.module in found:
                found[node.module] |= {alias.name for alias in node.names}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in here:
                found[here[node.value.id]].add(node.attr)
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr"):
                module, name = node.args[:2]
                if getattr(module, "id", "") in here and isinstance(name, ast.Constant):
                    found[here[module.id]].add(name.value)
            elif isinstance(node, ast.Attribute):
                for module, classes in CLASSES.items():
                    if ast.unparse(node.value) in classes:
                        found[module].add(node.attr)
    return found


def test_every_name_of_a_port_is_on_the_page():
    """And each name on the page is used."""
    there, taken = rows(), used()
    tables = {frozenset(names) for names in there.values()}
    assert there.keys() == TABLES
    for table in tables:
        modules = [module for module, names in there.items() if names == table]
        assert table == set().union(*(taken[module] for module in modules)), modules


def test_the_versions_on_the_page():
    for name, board in (("ESP32 family", "esp32"), ("ESP8266", "esp8266")):
        said = re.search(rf"^\| {name} \| ([\d.]+) \|", page(), re.MULTILINE)[1]
        assert tuple(map(int, said.split("."))) == oldest_micropython(board)
        assert said in VERSIONS
