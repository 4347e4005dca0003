"""The User chapter: memory that the host uses as it likes, and where the docs are.
Manual: user_at_commands.rst of espressif/esp-at, in its newest version."""

import gc

from micropython import const

from firmware import buildinfo, commands
from firmware.at import messages
from firmware.at.command import NEVER, command
from firmware.at.data import collect
from firmware.at.messages import ATError

_RELEASE, _ALLOCATE, _WRITE, _READ = const(0), const(1), const(2), const(3)
# Bytes of one +USERRAM.
_PIECE = const(1024)
# So many bytes of the heap are not for the host: a link and the command that opens it need them.
_RESERVE = const(8192)


class _Source:
    """What Reports.lend() passes on: the memory from `start` on."""

    def __init__(self, memory, start):
        self._memory = memory
        self._start = start

    def piece(self, count):
        return self._memory, self._start, self._start + count

    def drop(self, count):
        self._start += count


@command("AT+USERRAM", "operation:0..4, size:1..2147483647?, offset:0..2147483647=0")
class UserMemory:
    """Memory for the host: 1 allocates size bytes (8 KiB of the heap stay free), 2 writes after the prompt, 3 reads in
    pieces of 1024 bytes, 4 fills it with zeros, 0 releases it. Until the next start. +++ ends a write early."""

    def query(at):
        at.line("+USERRAM:%d", len(_memory(at)))

    async def set(at, operation, size, offset):
        memory = _memory(at)
        # Only these two make do without an amount, only 2 and 3 have a place to begin.
        if (size is None) == (_ALLOCATE <= operation <= _READ) or (offset and not _WRITE <= operation <= _READ):
            raise ATError()
        if bool(memory) == (operation == _ALLOCATE):
            raise ATError()  # there is some already, or none yet
        if operation == _ALLOCATE:
            at.settings.put("USERRAM", _allocate(size), NEVER)
        elif operation == _RELEASE:
            at.settings.forget("USERRAM")
        elif operation in (_WRITE, _READ):
            if offset + size > len(memory):
                raise ATError(messages.E_RANGE, 1)
            return await (_write if operation == _WRITE else _read)(at, memory, offset, size)
        else:
            for i in range(len(memory)):
                memory[i] = 0


def _memory(at):
    return at.settings.get("USERRAM", b"")


def _allocate(size):
    commands.drop()
    if size > gc.mem_free() - _RESERVE:
        raise ATError()
    return bytearray(size)


async def _write(at, memory, offset, size):
    done = await collect(at, memoryview(memory)[offset : offset + size])
    return messages.WRITE_OK if done else messages.SEND_CANCELED


async def _read(at, memory, offset, size):
    source = _Source(memory, offset)
    while size:
        count = min(size, _PIECE)
        head = b"+USERRAM:%d," % count
        await at.reports.lend(source, head, len(head), count, b"")
        size -= count


@command("AT+USERDOCS")
class Docs:
    """Where the docs of this firmware are. Stock has one line for each of two languages; here both tell the same."""

    def query(at):
        for _ in range(2):
            at.line('+USERDOCS:"%s"', buildinfo.DOCS)
