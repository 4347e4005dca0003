"""The Basic chapter: user partitions in the flash.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from esp32 import Partition
from micropython import const

from firmware.at import messages
from firmware.at.command import command
from firmware.at.data import Collector
from firmware.at.messages import ATError

# User partitions have this type, in ESP-AT as well. MicroPython's own partitions never do, so none of them is in reach.
_USER = const(0x40)
_BLOCK = const(4096)
_CHUNK = const(1024)
_ERASE, _WRITE = const(0), const(1)
_ERASE_BLOCK = const(6)  # for ioctl()


@command(
    "AT+SYSFLASH",
    "operation:0..2, partition:text16, offset:0..4294967295?, length:0..4294967295?",
    board="esp32",
)
class UserFlash:
    """Lists, erases (0, by 4096 bytes), writes (1, at most 8192 bytes, after the prompt) or reads (2) partitions of
    type 0x40. MicroPython's own table of partitions has none of them; a build of one's own may."""

    async def query(at):
        for found in Partition.find(_USER):
            kind, subtype, address, size, label, _ = found.info()
            await at.port.room()
            at.line('+SYSFLASH:"%s",%d,%d,0x%x,0x%x', label, kind, subtype, address, size)

    async def set(at, operation, label, offset, length):
        found = Partition.find(_USER, label=label)
        if not found:
            raise ATError(messages.E_FAILED, 1)
        size = found[0].info()[3]
        if offset is None and length is None and operation == _ERASE:
            offset, length = 0, size
        if offset is None or length is None:
            raise ATError(messages.E_COUNT)
        if offset + length > size:
            raise ATError(messages.E_FAILED, 3)
        if operation == _ERASE:
            return _erase(found[0], offset, length)
        at.reports.hold()
        try:
            return await (_write if operation == _WRITE else _read)(at, found[0], offset, length)
        finally:
            at.reports.release()


def _erase(partition, offset, length):
    if (offset | length) % _BLOCK:
        raise ATError(messages.E_FAILED, 2)
    for block in range(offset // _BLOCK, (offset + length) // _BLOCK):
        partition.ioctl(_ERASE_BLOCK, block)


async def _write(at, partition, offset, length):
    if not 0 < length <= at.board.SEND_MAX:
        raise ATError(messages.E_FAILED, 3)
    buffer = bytearray(length)
    at.port.write(messages.PROMPT)
    data = Collector(at.loop, at.port, buffer, length)
    try:
        if not await data.done():
            return messages.SEND_CANCELED
    finally:
        data.leave()
    # With an offset in its block it writes without erasing.
    partition.writeblocks(offset // _BLOCK, buffer, offset % _BLOCK)


async def _read(at, partition, offset, length):
    at.port.write(b"+SYSFLASH:%d," % length)
    buffer = bytearray(min(length, _CHUNK))
    while length:
        view = memoryview(buffer)[: min(length, _CHUNK)]
        partition.readblocks(offset // _BLOCK, view, offset % _BLOCK)
        at.port.send(view, 0, len(view))
        while not at.port.takes_data():
            await at.loop.sleep(1)
        offset += len(view)
        length -= len(view)
