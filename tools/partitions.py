"""Partitions of the simulated flash beside the one for files, with the manners of flash: erased bytes are 0xff, and
writing only clears bits. They last as long as the simulator does."""

import operator

from . import app_image
from .bootloader import Bootloader

APP = 0
# MicroPython's tables for 4 MiB of flash: what there is of programs, as subtype, address, size and label.
_ONE_APP = ((0x00, 0x10000, 0x1F0000, "factory"),)
_TWO_APPS = ((0x10, 0x10000, 0x180000, "ota_0"), (0x11, 0x190000, 0x180000, "ota_1"))
# Where stock tables of partitions end; and type and first subtype of a user partition, as ESP-AT has them.
_FIRST = 0x400000
_TYPE, _SUBTYPE = 0x40, 1
_INVALID_SIZE = -0x104, "ESP_ERR_INVALID_SIZE"


class Partitions:
    """`sizes` has a name and a size in bytes for each user partition; `ota`: there are two for programs, of which one
    runs and the other is free. `count()` is asked before each erase and each write whether it is to be the last one;
    `cut()` is called after that one."""

    def __init__(self, sizes, ota, count, cut):
        self._count, self._cut = count, cut
        self._infos, self._data = {}, {}
        for subtype, address, size, label in _TWO_APPS if ota else _ONE_APP:
            self._add(APP, subtype, address, size, label)
        address = _FIRST
        for number, (label, size) in enumerate(sizes):
            self._add(_TYPE, _SUBTYPE + number, address, size, label)
            address += size
        apps = [label for label, info in self._infos.items() if info[0] == APP]
        # The program itself is the PC's; this stands for it.
        image = app_image.make(b"MicroPython v1.24.0 on the PC")
        self._data[apps[0]][: len(image)] = image
        self.bootloader = Bootloader(apps, ota, self._is_whole, self._change)

    def _add(self, kind, subtype, address, size, label):
        self._infos[label] = (kind, subtype, address, size, label, False)
        self._data[label] = bytearray(b"\xff") * size

    def infos(self):
        """For each what esp32.Partition.info() tells: type, subtype, address, size, name, encrypted."""
        return list(self._infos.values())

    def info(self, name):
        """The same for one: 0 is the one that is started next, 1 the one that runs. Raises OSError, ValueError."""
        if name == 0:
            name = self.bootloader.boot()
        elif name == 1:
            name = self.bootloader.running
        if isinstance(name, int):
            raise ValueError
        # By name there are only those of MicroPython's own types.
        if name not in self._infos or self._infos[name][0] not in (0, 1):
            raise OSError(2)  # ENOENT
        return self._infos[name]

    def read(self, name, offset, size):
        return bytes(self._area(name, offset, size))

    def write(self, name, offset, new):
        """False if the power went after it."""
        old = self._area(name, offset, len(new))

        def change():
            self._data[name][offset : offset + len(new)] = bytes(map(operator.and_, old, new))

        return self._change(change)

    def erase(self, name, offset, size):
        """False if the power went before it was done."""
        self._area(name, offset, size)

        def change(at):
            self._data[name][at : at + 4096] = b"\xff" * 4096

        return all(self._change(lambda at=at: change(at)) for at in range(offset, offset + size, 4096))

    def _change(self, change):
        last = self._count()
        change()
        if last:
            self._cut()
        return not last

    def _area(self, name, offset, size):
        data = self._data[name]
        if offset + size > len(data):
            raise OSError(*_INVALID_SIZE)
        return data[offset : offset + size]

    def _is_whole(self, name):
        """Whether the chip can start what is there."""
        try:
            return app_image.look(self._data[name])[0] == "esp32"
        except app_image.ImageError:
            return False
