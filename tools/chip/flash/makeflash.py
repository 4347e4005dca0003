"""Makes or refreshes a flash image; runs in a MicroPython of its own with a large heap, not as the chip.
Arguments: the image, and a JSON file {"files": {path there: path here, or null}, "make": bool, "in_place": bool}."""

import json
import os
import sys

import vfs

_BLOCK = 4096


class Image:
    def __init__(self, path):
        self._file = open(path, "r+b")
        self._blocks = self._file.seek(0, 2) // _BLOCK

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.write(buffer)

    def ioctl(self, operation, argument):
        return {4: self._blocks, 5: _BLOCK}.get(operation, 0)


def contents(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return None


def write(path, data):
    folder = path.rfind("/")
    for end in range(len("/flash/"), folder + 1):
        if path[end] == "/":
            try:
                os.mkdir(path[:end])
            except OSError:
                pass
    with open(path, "wb") as file:
        file.write(data)


def clean(folder, keep):
    """Removes all that is not to be kept below the folder, and the folder itself once it is empty."""
    try:
        entries = list(os.ilistdir(folder))
    except OSError:
        return
    for entry in entries:
        path = folder + "/" + entry[0]
        if entry[1] & 0x4000:
            clean(path, keep)
        elif path not in keep:
            os.remove(path)
    if not os.listdir(folder):
        os.rmdir(folder)


def main(image, order):
    with open(order) as file:
        order = json.load(file)
    device = Image(image)
    if order["make"]:
        vfs.VfsLfs2.mkfs(device)
    vfs.mount(vfs.VfsLfs2(device), "/flash")
    there = os.listdir("/flash")
    if order["in_place"] is not None and "main.py" in there and ("firmware" in there) == order["in_place"]:
        raise SystemExit("it is the flash of an %s" % ("ESP32" if order["in_place"] else "ESP8266"))
    files = {"/flash" + path: source for path, source in order["files"].items()}
    for folder in ("/flash/firmware", "/flash/b"):
        clean(folder, files)
    for path, source in files.items():
        if source is None:
            if contents(path) is not None:
                os.remove(path)
        else:
            data = contents(source)
            if contents(path) != data:
                write(path, data)
    vfs.umount("/flash")


main(sys.argv[1], sys.argv[2])
