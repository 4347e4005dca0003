"""Turns a bare MicroPython on a PC into the chip: its modules, its flash, its ROM, and nothing of the PC.
Runs once, before boot.py, and leaves as little as it can behind on the heap."""

import gc
import os
import sys

import machine
import network
import pc
import romnames
import soc
import vfs

_BLOCK = 4096
# Bytes of the sixth table of names, which has 320 places, and of the eighth, with 1280; on a PC with 64 bits a place is
# larger.
_TABLE = 320 * 7
_TABLE_64 = 1280 * 11
_ERASED = b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"


class Flash:
    # A file as the chip's flash. Each erase and each program asks first, so that the simulator can cut the
    # power after any of them.
    def __init__(self, fd):
        self._file = open(fd, "r+b")
        self._blocks = self._file.seek(0, 2) // _BLOCK

    def readblocks(self, block, buffer, offset=0):
        self._file.seek(block * _BLOCK + offset)
        self._file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            self.ioctl(6, block)
            offset = 0
        last = pc.ask("flash")
        self._file.seek(block * _BLOCK + offset)
        self._file.write(buffer)
        if last:
            pc.ask("cut")

    def ioctl(self, operation, argument):
        if operation == 4:
            return self._blocks
        if operation == 5:
            return _BLOCK
        if operation == 6:
            last = pc.ask("flash")
            self._file.seek(argument * _BLOCK)
            for _ in range(_BLOCK // len(_ERASED)):
                self._file.write(_ERASED)
            if last:
                pc.ask("cut")
            return 0


def _fill_names():
    for name in romnames.NAMES.split():
        hasattr(pc, name)


def _grow_names(table):
    # The stand-ins' names, which are in a chip's ROM, make MicroPython's table of names grow once more than there. It
    # does so now, and not where there is no room, or none in one piece: then no more names can come, and no modules.
    number, free = 0, gc.mem_free()
    while free - gc.mem_free() < table:
        free = gc.mem_free()
        hasattr(pc, str(number))
        number += 1


def _is_at_usb():
    # Whether the host is at the USB, as the AT port is to be there.
    import json

    try:
        with open("/board.json") as file:
            return {name.lower(): value for name, value in json.load(file).items()}.get("uart") == "usb"
    except (OSError, ValueError, AttributeError):  # no file, or not one that the firmware would take
        return False


def up(uart_fd, pc_fd, flash_fd, rom, version):
    """Starts the chip; rom is the ROMFS partition, a buffer, or None; version is that of the port, None if it is
    MicroPython's own."""
    pc.connect(pc_fd)
    machine._connect(uart_fd)
    if version:
        import portsys

        portsys._become(*version)
        sys.modules["sys"] = sys.modules.pop("portsys")
    try:
        import esp32
    except ImportError:
        import axtls

        # A built-in module would be found before a file, but not before this.
        sys.modules["tls"] = axtls
        del sys.modules["axtls"]
        usb = None
    else:
        import _thread

        import portsocket
        import usbsys as usb

        pc._lock = _thread.allocate_lock()
        sys.modules["socket"] = portsocket
        del sys.modules["portsocket"]
    import esp

    if rom is not None:
        import romvfs

        romvfs._rom = rom
        sys.modules["vfs"] = sys.modules.pop("romvfs")
    for mounted in ("/chip", "/"):
        try:
            vfs.umount(mounted)
        except OSError:
            pass
    vfs.mount(vfs.VfsLfs2(Flash(flash_fd)), "/")
    sys.path[:] = ["", ".frozen", "/lib"]
    if rom is not None:
        try:
            vfs.mount(vfs.VfsRom(rom), "/rom")
            sys.path.extend(("/rom", "/rom/lib"))
        except OSError:  # no image in it, as after a deployment that was interrupted
            pass
    if usb:
        del sys.modules["usbsys"]
        if _is_at_usb():
            sys.modules["sys"] = usb
            pc.ask("usb")
    pc.ask("up")
    sys.argv.clear()
    if sys.maxsize >> 31 == 0:
        _fill_names()
        _grow_names(_TABLE)
    elif "esp32" in sys.modules:
        _grow_names(_TABLE_64)
    for name in ("romnames", "start", "pc", "soc"):
        del sys.modules[name]
    gc.collect()
    if "esp32" not in sys.modules:
        # The ESP8266's own start-up module does so.
        gc.threshold((gc.mem_free() + gc.mem_alloc()) // 4)
