"""What a module has saved, asked for by its commands, and the files on its flash, seen without it.
The flash may be looked at and changed only while the chip is off."""

import json
import re
import select
import subprocess
import sys
import time
from pathlib import Path

from module import LIMIT
from mpyat import build

# Each setting that a query shows, as it is at first.
DEFAULTS = {
    "CWMODE": "1",
    "CWSTATE": '""',
    "SYSMSG": "0",
    "UART_DEF": "115200,8,1,0,0",
    "CIPDNS": "0",
    "CIPRECONNINTV": "1",
    "CIPTCPOPT": "0,-1,0,0,0",
    "CWAUTOCONN": "1",
    "CIPV6": "0",
}

# Runs under MicroPython: fills the flash if that is wanted, and prints the names and texts of the files on it.
_SCRIPT = """
import json, os, sys, vfs
class Image:
    def __init__(self):
        self.file = open(sys.argv[1], "r+b")
    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buffer)
    def writeblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.write(buffer)
    def ioctl(self, operation, argument):
        return {4: self.file.seek(0, 2) // 4096, 5: 4096}.get(operation, 0)
vfs.mount(vfs.VfsLfs2(Image()), "/flash")
for size in (4000, 100) if sys.argv[2] == "fill" else ():
    try:
        for number in range(1000):
            with open("/flash/filler%d-%d" % (size, number), "w") as file:
                file.write("x" * size)
    except OSError:
        pass
texts = {}
for name in os.listdir("/flash"):
    if name.startswith("settings"):
        with open("/flash/" + name, "rb") as file:
            texts[name] = str(file.read().replace(b"\\xff", b"?"), "utf-8")
vfs.umount("/flash")
print(json.dumps(texts))
"""


def files(flash, fill=False):
    """{name: text} of the files of the settings on the flash image; with `fill`, the flash is full afterwards."""
    script = flash.with_suffix(".py")
    script.write_text(_SCRIPT)
    launch = Path(build.__file__).with_name("launch.py")
    command = [sys.executable, launch, "--script", script, flash, "fill" if fill else "look"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=LIMIT).stdout)


def has_power(module):
    """Whether the chip runs, which is the only child of the simulator."""
    pid = module.process.pid
    return bool(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def power_cycle(module):
    """Starts the chip anew, whether it was on or off."""
    module.received.clear()
    assert module.control("power cycle") == "ok"
    module.match(r".*\r\nready\r\n")


def answers(module, count=1):
    """What the module says up to its count-th OK; None if the power goes before."""
    deadline = time.monotonic() + LIMIT
    while module.received.count(b"\r\nOK\r\n") < count:
        assert b"ERROR" not in module.received, module.received
        assert time.monotonic() < deadline, module.received
        if select.select([module.fd], [], [], 0.002)[0]:
            module._read()
        elif not has_power(module):
            return None
    said = module.received.decode()
    module.received.clear()
    return said


def settings(module):
    """All settings, as DEFAULTS has them."""
    module.write("".join(f"AT+{name}?\r\n" for name in DEFAULTS).encode())
    said = answers(module, len(DEFAULTS))
    found = dict(re.findall(r"^\+(\w+):(.*?)\r$", said, re.MULTILINE))
    # The servers that the network gives, and whether it has been joined by now, are no settings.
    found["CIPDNS"] = re.sub("^0.*", "0", found["CIPDNS"])
    found["CWSTATE"] = found["CWSTATE"].partition(",")[2]
    return found
