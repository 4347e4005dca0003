"""Which test runs which command, read from the tests' own sources; nothing is run.
The docs name the test beside the command, and a test asserts that there is one for each."""

import ast
import functools
import re

from mpyat import sources


def where(command):
    """File and name of the test that runs a command, as `test_wifi.py: test_cwmode`; "" if no test names it.

    It is one that has the command in its own name, or else the one that names it most often; those that go through
    all commands do not count."""
    named = re.compile(re.escape(command.full_name) + r"(?![A-Z0-9_+])")
    word = command.name.lower()
    found = [
        (word not in test.split("_"), not test, -len(named.findall(text)), file, test)
        for file, test, text in _tests()
        if named.search(text)
    ]
    *_, file, test = min(found, default=("", ""))
    return f"{file}: {test}" if test else file


@functools.cache
def _tests():
    """Triples of a file, a test in it and what stands in that; texts outside of tests go without a name."""
    found = []
    for path in sorted((sources.root() / "tests").glob("test_*.py")):
        text = path.read_text()
        rest = []
        for node in ast.parse(text).body:
            part = ast.get_source_segment(text, node)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                marks = [ast.get_source_segment(text, mark) for mark in node.decorator_list]
                found.append((path.name, node.name, "\n".join([*marks, part])))
            elif not ast.get_docstring(ast.Module([node], [])):
                rest.append(part)
        found.append((path.name, "", "\n".join(rest)))
    return found
