"""docs/compatibility.md: each row says what was run, in which version, and by which test or that it was by hand."""

import re

from mpyat import sources

PAGE = (sources.root() / "docs" / "compatibility.md").read_text()
# The cells of each row, without the tables' heads and the lines below them.
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.endswith("| how |")
]


def test_each_row_says_how():
    """By a test that there is, or by hand in a month, and then in a version that can be had again."""
    assert len(ROWS) > 20
    for row in ROWS:
        version, how = row[1], row[-1]
        by_hand = re.fullmatch(r"by hand, 20\d\d-\d\d", how)
        named = re.fullmatch(r"`(test_\w+\.py): (test_\w+)`", how)
        if by_hand:
            assert re.fullmatch(r"commit `[0-9a-f]{10}`|\d[\w.+~-]*", version), row
        else:
            assert named, row
            text = (sources.root() / "tests" / named[1]).read_text()
            assert re.search(rf"^def {named[2]}\(", text, re.MULTILINE), row


def test_packages_have_the_pinned_version():
    pinned = (sources.root() / "requirements.txt").read_text().splitlines()
    named = re.findall(r"`([\w-]+==[\w.]+)`", PAGE)
    assert len(named) == 3
    assert set(named) <= set(pinned)


def test_packages_of_the_tests_are_named():
    """A host or a peer among the packages for development is not forgotten here."""
    project = (sources.root() / "pyproject.toml").read_text()
    wanted = re.findall(r'"((?:adafruit-circuitpython|zeroconf)[\w-]*==[\w.]+)"', project)
    assert wanted
    assert all(f"`{package}`" in PAGE for package in wanted)
