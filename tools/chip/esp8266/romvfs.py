"""Stands in for the chip's module vfs: MicroPython's own, and rom_ioctl() of the one ROMFS partition, which is in the
flash behind the simulator."""

import pc
import vfs as _vfs

_rom = None


def rom_ioctl(_operation, _id=0, _at=0, _data=None):
    if _operation == 1:
        return 1
    if _operation == 2:
        return memoryview(_rom)
    if _operation == 3:
        pc.ask("rom_erase", 0, -(-_at // 4096) * 4096)
        return 4  # bytes at least that are written at a time
    if _operation == 4:
        pc.ask("rom_write", _at, bytes(_data))
        return 0
    return -22  # EINVAL: this port has no more operations


def __getattr__(name):
    if name in ("VfsLfs1", "VfsPosix"):
        raise AttributeError(name)
    return getattr(_vfs, name)
