"""The power goes at each write to the flash while an update brings MicroPython as well, and while AT+SYSROLLBACK takes
it back: then the image and the firmware that are started belong together, and both are the old or both the new ones."""

from itertools import count

import bundles
import pytest
from mpyat import app_image
from test_update_image import COMMAND, compiled, partitions  # noqa: F401  one is a fixture
from test_update_power import cut, is_off, server, started, wait  # noqa: F401  one is a fixture

# It says that it is there, is not on trial from then on, and goes back to the old version and its image when it is told
# something.
SMALL = """
import machine, os, time
from esp32 import Partition
def put(text):
    with open("/slot.new", "w") as file:
        file.write(text)
    os.rename("/slot.new", "/slot")
def run(news):
    uart = machine.UART(1, 115200)
    if news and news != 1:
        news.deinit()
    Partition.mark_app_valid_cancel_rollback()
    put("1 0 0 0.1.0 9.0.0 ota_0 ota_1")
    uart.write(b"\\r\\nready\\r\\n")
    while not uart.any():
        time.sleep_ms(2)
    label = Partition(Partition.RUNNING).info()[4]
    Partition("ota_0").set_boot()
    Partition.mark_app_valid_cancel_rollback()
    put("0 0 0 0.1.0 -")
    uart.write(b"+NEW\\r\\n" if label == "ota_1" else b"+MIXED\\r\\n")
    time.sleep_ms(100)
    machine.reset()
"""


@pytest.fixture
def module(start, server, tmp_path):  # noqa: F811
    """Without a station, whose network would have to be joined each time."""
    (tmp_path / "partition.py").write_text(COMMAND)
    module = start("--update-key", bundles.public(), "--ota-partitions", "--commands", tmp_path)
    module.command("AT+CWMODE=2")
    module.command(f'AT+MPYUPDATE="{server.url}"')
    return module


def test_at_every_write(module, server, compiled):  # noqa: F811
    image = app_image.make(b"MicroPython v1.29.0 on the PC" + bytes(5000))
    server.publish(bundles.with_image(image, name="ota", files=compiled(SMALL)))
    versions = []
    for writes in count(1):
        if not cut(module, writes):
            break
        versions.append(started(module))
        assert partitions(module) == "ota_0,ota_0"
    # Which of the writes is the one that counts is not the same each time.
    assert {"old", "new"} == set(versions) and versions[0] == "old", versions
    assert len(versions) > 30


def test_on_the_way_back(module, server):  # noqa: F811
    """Where the power goes before the new start is complete, the module comes back to where it was."""
    server.publish(bundles.with_image(app_image.make(b"MicroPython v1.29.0 on the PC"), name="ota"))
    found = []
    for writes in count(1):
        now, other = running(module)
        if other == "-":
            assert not cut(module, 100000)
            module.match(r".*?\r\nready\r\n")
            now, other = running(module)
            assert other != "-"
        module.received.clear()
        module.control(f"power cut after {writes} writes")
        module.send("AT+SYSROLLBACK")
        wait(lambda: is_off(module) or b"\r\nready\r\n" in module.received, module)
        if not is_off(module):
            break
        module.received.clear()
        module.control("power cycle")
        module.match(r".*?\r\nready\r\n")
        found.append(running(module)[0] != now)
    assert set(found) == {False, True} and not found[0], found


def running(module):
    """The slot that runs, with the image that belongs to it, and the version in the other one."""
    module.send("ATE0")
    module.match(r".*?\r\nOK\r\n")
    module.send("AT+SYSROLLBACK?")
    slot, other = module.match(r'\+SYSROLLBACK:(\d),"[0-9.]+",\d,"(.*?)"\r\n\r\nOK\r\n').groups()
    slot, other = slot.decode(), other.decode()
    assert partitions(module) == f"ota_{slot},ota_{slot}"
    return slot, other
