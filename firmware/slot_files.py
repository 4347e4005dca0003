"""A slot that is a folder on the flash, with .mpy files: /firmware, or /b/firmware.
It can be started only once firmware/app.mpy is there, which gets its name last."""

import hashlib
import os

from micropython import const

from firmware import slots

_APP = "firmware/app.mpy"
_APP_NEW = "firmware/app.new"
_CHUNK = const(512)
# Blocks of the flash that are left to settings and the like, with what new folders take.
_SPARE = const(24)
_FOLDER = const(0x4000)


class Slot:
    """The slot that does not run; `at` is the App."""

    KINDS = ("mpy",)
    labels = ()  # both slots have the same MicroPython

    def __init__(self, at):
        self.number = 1 - slots.running()
        self._base = "/b/" if self.number else "/"
        self._loop = at.loop
        self._file = None

    def fits(self, entries):
        """ValueError if these files are not a firmware, or if there is no place for them beside what stays."""
        block, _, _, free = os.statvfs("/")[:4]
        app = False
        need = _SPARE
        for size, _, path in entries:
            if not path.startswith("firmware/"):
                raise ValueError("a file in another place")
            app = app or path == _APP
            need += size // block + 1
        for path in _walk(self._base + "firmware"):
            free += os.stat(path)[6] // block + 1
        if not app:
            raise ValueError("no firmware/app.mpy")
        if need > free:
            raise ValueError("too large: %d blocks of %d, %d are free" % (need, block, free))

    async def begin(self):
        """Empties the slot, which no start may choose from now on."""
        try:
            os.remove(self._base + _APP)
        except OSError:  # nothing was ever there
            pass
        while True:
            path = next(_walk(self._base + "firmware"), None)
            if not path:
                return
            os.remove(path)
            await self._loop.sleep(0)

    def there(self):
        """OSError if there is nothing that can be started."""
        os.stat(self._base + _APP)

    def open(self, path):
        """The next write() calls are for this file."""
        self.close()
        self._file = self._create(path)

    def _create(self, path):
        path = self._base + (_APP_NEW if path == _APP else path)
        at = path.find("/", 1)
        while at > 0:
            try:
                os.mkdir(path[:at])
            except OSError:  # it is there
                pass
            at = path.find("/", at + 1)
        return open(path, "wb")

    def write(self, data):
        self._file.write(data)

    def close(self):
        if self._file:
            self._file.close()
            self._file = None

    async def check(self, entries, new):
        """ValueError unless the files on the flash are these. `new`: as they are before finish()."""
        buffer = bytearray(_CHUNK)
        for size, digest, path in entries:
            total = hashlib.sha256()
            try:
                with self._written(path, size, new) as file:
                    while True:
                        count = file.readinto(buffer)
                        if not count:
                            break
                        size -= count
                        total.update(memoryview(buffer)[:count])
            except OSError:
                size = -1
            if size or total.digest() != digest:
                raise ValueError("damaged on the flash: " + path)
            await self._loop.sleep(0)

    def _written(self, path, size, new):
        return open(self._base + (_APP_NEW if new and path == _APP else path), "rb")

    def finish(self):
        """Lets the slot be started."""
        os.rename(self._base + _APP_NEW, self._base + _APP)


def _walk(folder):
    try:
        entries = list(os.ilistdir(folder))
    except OSError:  # it is not there
        return
    for entry in entries:
        path = folder + "/" + entry[0]
        if entry[1] & _FOLDER:
            yield from _walk(path)
        else:
            yield path
