"""Fixtures: a module of one's own for each test, joined to the network or not, and the player of transcripts."""

import os

import pytest
from certificates import Authority
from module import Module
from transcript import play as play_transcript


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Three workers for each core with `-n auto`: most of the time a test waits for its module or its peer."""
    return 3 * (os.cpu_count() or 1)


@pytest.fixture
def start(tmp_path):
    """A function that starts a module with options of atsim; all of them are stopped, and checked, at the end.

    `wifi` is the text of a file of access points."""
    modules = []

    def start(*options, wifi=None, **more):
        folder = tmp_path / f"module{len(modules)}"
        folder.mkdir()
        if wifi:
            (folder / "wifi.toml").write_text(wifi)
            options += ("--wifi", folder / "wifi.toml")
        module = Module(folder, *options, **more)
        modules.append(module)
        return module

    yield start
    for module in modules:
        module.stop()


@pytest.fixture
def module(start):
    """A module that has started, with the echo off."""
    return start()


@pytest.fixture
def online(module):
    """A module that has joined the simulator's default network."""
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module


@pytest.fixture
def play(module):
    """Plays a transcript against a module that has joined no network."""
    return lambda text: play_transcript(module, text)


@pytest.fixture
def play_online(online):
    """Plays a transcript against a module that has joined the default network."""
    return lambda text: play_transcript(online, text)


@pytest.fixture(scope="session")
def authority():
    """Who has issued the certificates, made once for all tests of a process."""
    return Authority()


def pytest_terminal_summary(terminalreporter):
    """What was not tested for want of the 32-bit MicroPython is not to be overlooked."""
    reasons = {str(report.longrepr[2]) for report in terminalreporter.stats.get("skipped", ()) if report.longrepr}
    for reason in sorted(reasons):
        if "32 bits" in reason:
            terminalreporter.write_line(f"THE HEAP OF 38 KiB WAS NOT TESTED: {reason}", red=True, bold=True)
