"""Stands in for the chip's module esp32, which tells the firmware by its presence which family it runs on."""

import pc


def wake_on_gpio(pins, level):
    pc.ask("wake_on", [pin._number for pin in pins], level)


def idf_heap_info(capabilities):
    # The chip's heaps, of which MicroPython's is one block: here there is the PC's only.
    import gc

    gc.collect()
    free = gc.mem_free()
    return [(gc.mem_alloc() + free, free, free // 2, free // 2)] if capabilities & 0x1804 else []


def mcu_temperature():
    return pc.ask("temperature")


class Partition:
    TYPE_APP, TYPE_DATA = 0, 1
    BOOT, RUNNING = 0, 1

    def __init__(self, _id):
        self._info = _id if isinstance(_id, tuple) else pc.ask("partition", _id)

    @staticmethod
    def find(type=0, subtype=255, label=None):
        return [
            Partition(info)
            for info in pc.ask("partitions")
            if info[0] == type and subtype in (255, info[1]) and label in (None, info[4])
        ]

    def info(self):
        return self._info

    def readblocks(self, _block, _buffer, _offset=0):
        _buffer[:] = pc.ask("partition_read", self._info[4], _block * 4096 + _offset, len(_buffer))

    def writeblocks(self, _block, _buffer, _offset=None):
        if _offset is None:
            pc.ask("partition_erase", self._info[4], _block * 4096, len(_buffer))
        pc.ask("partition_write", self._info[4], _block * 4096 + (_offset or 0), bytes(_buffer))

    def ioctl(self, _operation, _block):
        if _operation == 4:
            return self._info[3] // 4096
        if _operation == 5:
            return 4096
        if _operation == 6:
            pc.ask("partition_erase", self._info[4], _block * 4096, 4096)
            return 0

    def get_next_update(self):
        return Partition(pc.ask("partition_next", self._info[4]))

    def set_boot(self):
        pc.ask("partition_boot", self._info[4])

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        pc.ask("partition_valid")


if pc.ask("temperature") is None:
    del mcu_temperature
