"""Fixtures: a module of one's own for each test, joined to the network or not, and the player of transcripts."""

import contextlib
import os
import uuid

import pytest
from certificates import Authority
from module import Module
from mpyat import micropython32, size
from mpyat.pytest_plugin import stop_all
from transcript import play as play_transcript


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """Three workers for each core with `-n auto`: most of the time a test waits for its module or its peer."""
    return 3 * (os.cpu_count() or 1)


def pytest_addoption(parser):
    parser.addoption("--every-write", action="store_true", help="cut the power at each write of a whole update: long")
    parser.addoption("--every-allocation", action="store_true", help="take the memory away at each place: long")
    parser.addoption(
        "--cycles", type=int, default=12, metavar="N", help="so long is the mixed day (default: %(default)s)"
    )


@pytest.fixture(scope="session")
def small():
    """Options of atsim for the ESP8266 as it is: a MicroPython for 32 bits with a heap of 38 KiB. Skips the test where
    that cannot be had."""
    try:
        program = str(micropython32.get())
    except micropython32.Unavailable as reason:
        pytest.skip(f"no MicroPython for 32 bits: {reason}")
    # What the stand-ins for the chip's own modules take is not on the heap there.
    return "--micropython", program, "--heap", str(size.HEAP + size.standins(program))


@pytest.fixture
def start(tmp_path, request):
    """A function that starts a module with options of atsim; all of them are stopped, and checked, at the end.

    `wifi` is the text of a file of access points. Unless the test is marked as `roomy`, an ESP8266 has the heap of the
    chip, where that can be had. An ESP32 has IPv6 if the test is marked as `ipv6`."""
    modules = []
    roomy, ipv6 = map(request.node.get_closest_marker, ("roomy", "ipv6"))

    def start(*options, wifi=None, **more):
        folder = tmp_path / f"module{len(modules)}"
        folder.mkdir()
        if wifi:
            (folder / "wifi.toml").write_text(wifi)
            options += ("--wifi", folder / "wifi.toml")
        if ipv6 and "esp8266" not in options:
            options += ("--ipv6",)
        if "esp8266" in options and "--heap" not in options and not roomy:
            with contextlib.suppress(pytest.skip.Exception):
                options += request.getfixturevalue("small")
        module = Module(folder, *options, **more)
        modules.append(module)
        return module

    yield start
    stop_all(modules)


@pytest.fixture
def module(start):
    """A module that has started, with the echo off."""
    return start()


@pytest.fixture
def online(module):
    """A module that has joined the simulator's default network."""
    return module.join()


@pytest.fixture(params=("esp32", "esp8266"))
def board(request):
    """One board after the other."""
    return request.param


@pytest.fixture
def joined(start, board):
    """A module of each board that has joined."""
    return start("--board", board).join()


@pytest.fixture
def play(module):
    """Plays a transcript against a module that has joined no network."""
    return lambda text: play_transcript(module, text)


@pytest.fixture
def play_online(online):
    """Plays a transcript against a module that has joined the default network."""
    return lambda text: play_transcript(online, text)


@pytest.fixture
def wire():
    """The far end of a console's port, where the test plays the module."""
    from console_user import Wire

    wire = Wire()
    yield wire
    if wire.fd is not None:
        wire.close()


# For the server


@pytest.fixture
def serve(module):
    """Plays a transcript with CIPMUX=1."""

    def serve(text):
        module.command("AT+CIPMUX=1")
        play_transcript(module, text)

    return serve


@pytest.fixture
def door(module):
    """The port of a server that runs on the module."""
    from clients import serving

    return serving(module)


# For mDNS


@pytest.fixture
def word():
    """A name that no other test has."""
    return "h" + uuid.uuid4().hex[:10]


@pytest.fixture
def neighbour(word):
    from neighbour import Neighbour

    neighbour = Neighbour(word)
    yield neighbour
    neighbour.close()


@pytest.fixture
def service(online, neighbour, word):
    """A module whose service is known to all: _<word>._tcp at port 8080, host and instance <word>."""
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    neighbour.settled()
    return online


@pytest.fixture
def zeroconf():
    from zeroconf import IPVersion, Zeroconf

    zeroconf = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    yield zeroconf
    zeroconf.close()


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
