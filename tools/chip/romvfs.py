"""Stands in for the chip's module vfs at MicroPython's prompt, where mpremote writes the ROMFS partition: MicroPython's
own, and rom_ioctl() of the one partition, which is in the flash behind the simulator."""

import pc
import vfs as _vfs

rom = None


def rom_ioctl(operation, id=0, *arguments):
    if operation == 1:
        return 1
    if operation == 2:
        return memoryview(rom)
    if operation == 3:
        pc.ask("rom_erase", 0, -(-arguments[0] // 4096) * 4096)
        return 4  # bytes at least that are written at a time
    if operation == 4:
        offset, data = arguments
        pc.ask("rom_write", offset, bytes(data))
        return 0
    return -22  # EINVAL: this port has no more operations


def __getattr__(name):
    return getattr(_vfs, name)
