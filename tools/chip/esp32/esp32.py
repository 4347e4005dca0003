"""Stands in for the chip's module esp32, which tells the firmware by its presence which family it runs on."""

import pc


def wake_on_gpio(pins, level):
    pc.ask("wake_on", [pin._number for pin in pins], level)


class Partition:
    TYPE_APP, TYPE_DATA = 0, 1

    def __init__(self, _label):
        for self._info in pc.ask("partitions"):
            if self._info[4] == _label:
                return
        raise OSError(2)  # ENOENT

    @staticmethod
    def find(type=0, subtype=255, label=None):
        return [
            Partition(info[4])
            for info in pc.ask("partitions")
            if info[0] == type and subtype in (255, info[1]) and label in (None, info[4])
        ]

    def info(self):
        return self._info

    def readblocks(self, _block, _buffer, _offset=0):
        _buffer[:] = pc.ask("partition_read", self._info[4], _block * 4096 + _offset, len(_buffer))

    def writeblocks(self, _block, _buffer, _offset=None):
        if _offset is None:
            for i in range(len(_buffer) // 4096):
                self.ioctl(6, _block + i)
        pc.ask("partition_write", self._info[4], _block * 4096 + (_offset or 0), bytes(_buffer))

    def ioctl(self, _operation, _block):
        if _operation == 4:
            return self._info[3] // 4096
        if _operation == 5:
            return 4096
        if _operation == 6:
            pc.ask("partition_erase", self._info[4], _block * 4096, 4096)
            return 0
