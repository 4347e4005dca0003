"""The Basic chapter: what a host keeps in the flash, in user partitions and in files.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

import hashlib
import os
from binascii import hexlify

from esp32 import Partition
from micropython import const

from firmware.at import messages
from firmware.at.command import command
from firmware.at.data import collect
from firmware.at.messages import ATError

# User partitions have this type, in ESP-AT as well. MicroPython's own partitions never do, so none of them is in reach.
_USER = const(0x40)
_BLOCK = const(4096)
_CHUNK = const(1024)
# Operations; those from _SIZE on are of AT+FS alone.
_ERASE, _WRITE, _READ, _SIZE, _LIST, _SPACE = const(0), const(1), const(2), const(3), const(4), const(6)
_ERASE_BLOCK = const(6)  # for ioctl()
_FOLDER = b"/fs"


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
        if operation == _READ:
            return await _give(at, "SYSFLASH", found[0].readblocks, offset, length)
        data = await _take(at, length)
        if data is None:
            return messages.SEND_CANCELED
        # With an offset in its block it writes without erasing.
        found[0].writeblocks(offset // _BLOCK, data, offset % _BLOCK)


def _erase(partition, offset, length):
    if (offset | length) % _BLOCK:
        raise ATError(messages.E_FAILED, 2)
    for block in range(offset // _BLOCK, (offset + length) // _BLOCK):
        partition.ioctl(_ERASE_BLOCK, block)


async def _take(at, length):
    """The data that the host sends after the prompt; None if it leaves with +++."""
    if not length or length > at.board.SEND_MAX:
        raise ATError(messages.E_FAILED, 3)
    buffer = bytearray(length)
    return buffer if await collect(at, buffer) else None


class _Source:
    """What Reports.lend() passes on: what `read(block, buffer, offset)` gives from `offset` on."""

    def __init__(self, read, offset, size):
        self._read = read
        self._offset = offset
        self._buffer = bytearray(size)

    def piece(self, count):
        view = memoryview(self._buffer)[: min(count, _CHUNK)]
        self._read(self._offset // _BLOCK, view, self._offset % _BLOCK)
        return view, 0, len(view)

    def drop(self, count):
        self._offset += count


async def _give(at, name, read, offset, length):
    """Answers `+NAME:<length>,<data>`; `read(block, buffer, offset)` is that of a partition. No report cuts into it."""
    head = b"+%s:%d," % (name.encode(), length)
    await at.reports.lend(_Source(read, offset, min(length, _CHUNK)), head, len(head), length, b"")


@command(
    "AT+FS",
    "type:0..1, operation:0..6, filename:bytes64?, offset:0..4294967295?, length:0..4294967295?",
    board="esp32",
)
class Files:
    """Files in the folder /fs of MicroPython's file system: 0 deletes, 1 writes (at most 8192 bytes, after the prompt),
    2 reads, 3 tells the size, 4 lists, 5 tells the MD5 sum, 6 the free and the whole space. Either type will do."""

    async def set(at, kind, operation, filename, offset, length):
        if not isinstance(filename, bytes):
            filename = (filename or "").encode()
        path = _FOLDER + b"/" + filename
        if operation == _SPACE:
            size, _, count, free = os.statvfs("/")[:4]
            at.line("+FS:%d,%d", free * size, count * size)
        elif operation == _LIST:
            if filename not in (b".", b"/"):
                raise ATError(messages.E_FAILED, 2)
            at.line("+FS:%s", b" ".join(_names()))
        elif not filename or b"/" in filename or filename in (b".", b".."):
            raise ATError(messages.E_FAILED, 2)
        elif operation == _ERASE:
            os.remove(path)
        elif operation in (_WRITE, _READ):
            if offset is None or length is None:
                raise ATError(messages.E_COUNT)
            return await (_write_file if operation == _WRITE else _read_file)(at, path, offset, length)
        elif operation == _SIZE:
            at.line("+FS:%d", os.stat(path)[6])
        else:
            at.line("+FS:%s", _md5(path))


def _names():
    try:
        return sorted(os.listdir(_FOLDER))
    except OSError:  # nothing was ever written
        return []


async def _write_file(at, path, offset, length):
    data = await _take(at, length)
    if data is None:
        return messages.SEND_CANCELED
    if not _names():
        try:
            os.mkdir(_FOLDER)
        except OSError:  # it is there, and empty
            pass
    # A file that is there keeps what is before and behind.
    try:
        file = open(path, "r+b")
    except OSError:
        file = open(path, "wb")
    with file:
        file.seek(offset)
        file.write(data)


async def _read_file(at, path, offset, length):
    with open(path, "rb") as file:

        def read(block, view, rest):
            file.readinto(view)

        length = max(min(length, file.seek(0, 2) - offset), 0)
        file.seek(offset)
        return await _give(at, "FS", read, offset, length)


@command("AT+FSMOUNT", "mount:0..1", board="esp32")
class Mount:
    """Accepted, and without effect: MicroPython's file system is always there, and keeps no memory for AT+FS."""

    def set(at, mount):
        pass


def _md5(path):
    total = hashlib.md5()
    buffer = bytearray(_CHUNK)
    with open(path, "rb") as file:
        while True:
            count = file.readinto(buffer)
            if not count:
                return hexlify(total.digest()).decode()
            total.update(memoryview(buffer)[:count])
