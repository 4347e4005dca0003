"""A slot that is one half of the ESP8266's ROMFS partition. vfs.rom_ioctl() writes only from the partition's start, so
esp.flash_...() does. MicroPython takes it for a ROMFS only with its first bytes, which are written last."""

import hashlib

import esp
import vfs
from micropython import const

from firmware import slots

_SECTOR = const(4096)
_CHUNK = const(256)
# Bytes that are held back; flash is written in such words.
_HEAD = const(4)


class Slot:
    """The slot that does not run; `at` is the App."""

    KINDS = ("romfs",)
    labels = ()  # both slots have the same MicroPython

    def __init__(self, at):
        self.number = 1 - slots.running()
        self._rom = rom = vfs.rom_ioctl(2, 0)
        self._half = len(rom) // 2
        self._start = esp.flash_user_start() - len(rom) + self._half * self.number
        self._loop = at.loop
        self._chunk = bytearray(_CHUNK)
        self._have = self._place = 0  # bytes in the chunk; where in the slot that begins
        self._head = None

    def fits(self, entries):
        """ValueError if this is no image, or if there is no place for it."""
        files = list(entries)
        size, _, path = files[0] if len(files) == 1 else (0, 0, "")
        if path != "firmware.romfs" or size < _HEAD:
            raise ValueError("not one image")
        if size > self._half:
            raise ValueError("too large: %d bytes, and a slot has %d" % (size, self._half))
        # A larger image was deployed over both halves: where its bytes end stands in its header.
        end = 0
        place = 3
        while self.number:
            end = end << 7 | self._rom[place] & 0x7F
            place += 1
            if self._rom[place - 1] < 0x80:
                break
        if place + end > self._half:
            raise ValueError("the firmware that runs has more than half of the ROMFS partition")

    async def begin(self):
        """Empties the slot, which no start may choose from now on."""
        esp.flash_erase(self._start // _SECTOR)
        await self._loop.sleep(0)

    def there(self):
        """OSError if there is nothing that can be started."""
        vfs.VfsRom(memoryview(self._rom)[self._half * self.number :])

    def open(self, path):
        self._have = self._place = 0

    def write(self, data):
        done = 0
        while done < len(data):
            count = min(_CHUNK - self._have, len(data) - done)
            self._chunk[self._have : self._have + count] = memoryview(data)[done : done + count]
            self._have += count
            done += count
            if self._have == _CHUNK:
                self._flush()

    def _flush(self):
        chunk = self._chunk
        if not self._place:
            self._head = bytes(memoryview(chunk)[:_HEAD])
            chunk[:_HEAD] = b"\xff" * _HEAD
        elif self._place % _SECTOR == 0:
            esp.flash_erase((self._start + self._place) // _SECTOR)
        esp.flash_write(self._start + self._place, chunk)
        self._place += _CHUNK
        self._have = 0

    def close(self):
        if self._have:
            self._chunk[self._have :] = b"\xff" * (_CHUNK - self._have)
            self._flush()

    async def check(self, entries, new):
        """ValueError unless the image on the flash is this one. `new`: as it is before finish()."""
        for size, digest, _ in entries:
            total = hashlib.sha256()
            for done in range(0, size, _CHUNK):
                esp.flash_read(self._start + done, self._chunk)
                if new and not done:
                    self._chunk[:_HEAD] = self._head
                total.update(memoryview(self._chunk)[: min(_CHUNK, size - done)])
                if done % _SECTOR == 0:
                    await self._loop.sleep(0)
            if total.digest() != digest:
                raise ValueError("damaged on the flash")

    def finish(self):
        """Lets the slot be started."""
        esp.flash_write(self._start, self._head)
