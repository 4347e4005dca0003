"""What is on the flash image of a module that is off: its files, read and written without the firmware."""

import json
import subprocess
import sys
import time
from pathlib import Path

from module import LIMIT
from mpyat import build

# Runs under MicroPython: fills the images if that is wanted, and prints what is in the files of each.
_SCRIPT = """
import binascii, json, os, sys, vfs
class Image:
    def __init__(self, path):
        self.file = open(path, "r+b")
    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buffer)
    def writeblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.write(buffer)
    def ioctl(self, operation, argument):
        return {4: self.file.seek(0, 2) // 4096, 5: 4096}.get(operation, 0)
def walk(folder):
    for entry in os.ilistdir(folder):
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            yield from walk(path)
        else:
            yield path
fill, *images = sys.argv[1:]
for image in images:
    vfs.mount(vfs.VfsLfs2(Image(image)), "/flash")
    for size in (4000, 100) if fill == "fill" else ():
        try:
            for number in range(1000):
                with open("/flash/filler%d-%d" % (size, number), "w") as file:
                    file.write("x" * size)
        except OSError:
            pass
    found = {}
    for path in walk("/flash"):
        with open(path, "rb") as file:
            found[path[6:]] = binascii.hexlify(file.read())
    vfs.umount("/flash")
    print(json.dumps(found))
"""


def contents(*images, fill=False):
    """{path: bytes} of the files on each image, one after the other; with `fill` they are full afterwards."""
    script = Path(images[0]).with_suffix(".look.py")
    script.write_text(_SCRIPT)
    launch = Path(build.__file__).with_name("launch.py")
    command = [sys.executable, launch, "--script", script, "fill" if fill else "look", *images]
    said = subprocess.run(command, check=True, capture_output=True, timeout=4 * LIMIT * len(images)).stdout
    for line in said.splitlines():
        yield {path: bytes.fromhex(data) for path, data in json.loads(line).items()}


def has_power(module):
    """Whether the chip runs, which is the only child of the simulator."""
    pid = module.process.pid
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def power_cycle(module):
    """Starts the chip anew, whether it was on or off."""
    module.received.clear()
    assert module.control("power cycle") == "ok"
    module.match(r".*\r\nready\r\n")


def switch_off(module):
    """Cuts the module's power, by way of a setting that it saves."""
    module.control("power cut after 1 write")
    module.send("AT+SYSMSG=1")
    module.send("AT+SYSMSG=0")
    deadline = time.monotonic() + LIMIT
    while has_power(module):
        assert time.monotonic() < deadline, module.received
        module.said()


def renew(module, image, files, starts=True):
    """Starts the module with these files, {path: bytes}, in the place of what updates and tests have left."""
    switch_off(module)
    module.received.clear()
    folder = image.with_suffix(".files")
    folder.mkdir(exist_ok=True)
    here = {}
    for number, (path, data) in enumerate(files.items()):
        here[path] = folder / str(number)
        here[path].write_bytes(data)
    build.write_flash(image, here)
    if starts:
        power_cycle(module)
