"""The passes that make the firmware small for the ESP8266, as a whole: each can be left out, and all are explained."""

import pathlib
import re

import pytest
from mpyat import shrink
from mpyat.build import BuildError, build


@pytest.mark.parametrize("name", shrink.PASSES)
def test_the_image_is_another_without_a_pass(monkeypatch, name):
    usual = build("esp8266")
    monkeypatch.setenv(shrink.WITHOUT, name)
    other = build("esp8266")
    assert other.folder != usual.folder
    assert other.rom.stat().st_size != usual.rom.stat().st_size


def test_a_pass_that_is_none(monkeypatch):
    monkeypatch.setenv(shrink.WITHOUT, "flat,round")
    with pytest.raises(BuildError, match="there is no pass round to leave out: they are prune, "):
        build("esp8266")


def test_each_pass_is_explained():
    """In the order in which they run, and each in a file of its name."""
    folder = pathlib.Path(shrink.__file__).parent
    assert tuple(re.findall(r"^\| \[(\w+)\]\(\1\.py\)", (folder / "README.md").read_text(), re.M)) == shrink.PASSES
    assert all((folder / f"{name}.py").is_file() for name in shrink.PASSES)
