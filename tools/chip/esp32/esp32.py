"""Stands in for the chip's module esp32, which tells the firmware by its presence which family it runs on."""

import pc


def wake_on_gpio(pins, level):
    pc.ask("wake_on", [pin._number for pin in pins], level)


class Partition:
    TYPE_APP, TYPE_DATA = 0, 1

    def __init__(self, info):
        self._info = info

    @staticmethod
    def find(type=0, subtype=255, label=None):
        found = [Partition(info) for info in pc.ask("partitions")]
        return [
            each
            for each in found
            if each._info[0] == type and subtype in (255, each._info[1]) and label in (None, each._info[4])
        ]

    def info(self):
        return self._info

    def readblocks(self, block, buffer, offset=0):
        buffer[:] = pc.ask("partition_read", self._info[4], block * 4096 + offset, len(buffer))

    def writeblocks(self, block, buffer, offset=None):
        if offset is None:
            for i in range(len(buffer) // 4096):
                self.ioctl(6, block + i)
        pc.ask("partition_write", self._info[4], block * 4096 + (offset or 0), bytes(buffer))

    def ioctl(self, operation, block):
        if operation == 4:
            return self._info[3] // 4096
        if operation == 5:
            return 4096
        if operation == 6:
            pc.ask("partition_erase", self._info[4], block * 4096, 4096)
            return 0
