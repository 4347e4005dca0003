"""Updates of the firmware, from the server of AT+MPYUPDATE or from a URL, into the slot that does not run.
Nothing is switched before all of it is on the flash and has been checked; boot.py has what comes then."""

import errno
import gc
import hashlib
import os
import sys
from time import ticks_add, ticks_ms

from micropython import const

from firmware import bundle, commands, slots
from firmware.at import messages
from firmware.at.messages import ATError
from firmware.buildinfo import VERSION
from firmware.net.download import Changed, Download

_LIMIT_MS = const(180000)  # of the whole update
_NEEDED = const(12288)  # bytes of the heap, with which it will do
_AGAIN_MS = const(1000)
_CHANGES = const(4)
_MANIFEST = "/slot.%d"
_NEW = "/slot.tmp"
_STATE = b"+CIPUPDATE:%d\r\n"
# How far an update is.
_VERSIONED, _DONE, _FAILED = const(3), const(4), const(-1)


class Update:
    """One update; `say(text)` is for the host. While it runs it is at.update; at.updated is what AT+CIUPDATE? tells."""

    def __init__(self, at, say):
        if at.update:
            raise ATError(messages.E_BUSY)
        if not at.radio.online():
            raise OSError(errno.ENOTCONN, "no network")
        at.update = self
        at.updated = 0
        self._at = at
        self._say = say
        self._download = None
        self._deadline = ticks_add(ticks_ms(), _LIMIT_MS)
        self._room = None
        gc.collect()
        gc.threshold(self._at.board.GARBAGE)
        if gc.mem_free() < _NEEDED:
            commands.drop()
        gc.threshold(-1)  # it works with large pieces that it has taken already

    async def run(self, url, version, name):
        """Updates from the server at `url` to a version of that name, or to the newest; or without a name to the newer
        version that is at the URL. ValueError, with a text, or OSError when that fails."""
        wanted = version
        try:
            self._room = bundle.room()
            if name is not None:
                wanted, url = await self.find(url, version, name)
                if not version and bundle.numbers(wanted) <= bundle.numbers(VERSION):
                    raise ValueError("the newest version is not newer: " + wanted)
            for _ in range(_CHANGES):
                if await self._take(url, wanted, name):
                    break
                await self._at.loop.sleep(_AGAIN_MS)
            else:
                raise ValueError("the file on the server changes all the time")
            self.reached(_DONE)
        except BaseException:
            self._at.updated = _FAILED
            raise
        finally:
            self.close()

    def close(self):
        """Frees what the update has needed, all of its modules as well: only the state is left."""
        self._at.update = None
        if self._download:
            self._download.close()
            self._download = None
        self._room = None
        gc.collect()
        gc.threshold(self._at.board.GARBAGE)

    def reached(self, state):
        if state > self._at.updated:
            self._at.updated = state
            self._say(_STATE % state)

    async def find(self, url, version, name):
        """The version of that name on the server, or the newest, and the URL of its bundle."""
        url = "%s/%s/%s/" % (url[:-1] if url[-1:] == "/" else url, name, self._at.board.FAMILY)
        download = self._open(url + "versions")
        best = None
        while await download.piece():
            words = (await download.line()).decode().split()
            if len(words) != 3:
                raise ValueError("no list of versions")
            number = bundle.numbers(words[0])
            if (number == bundle.numbers(version)) if version else (not best or number > bundle.numbers(best[0])):
                best = words
        if not best:
            raise ValueError("the server does not have this version")
        self.reached(_VERSIONED)
        return best[0], url + best[2]

    def _open(self, url):
        if self._download:
            self._download.close()
        buffer = self._download.buffer if self._download else bytearray(self._at.board.SEND_MAX // 4)
        self._download = Download(self._at, buffer, url, self._deadline, self._encrypt, self.reached)
        return self._download

    def _encrypt(self, links, host):
        from firmware import tls

        return tls.update(self._at, links, host, *self._at.settings.get("MPYUPDATE", ("", 0, 0, 0))[1:])

    async def _take(self, url, version, name):
        """Brings a bundle into the other slot and switches to it; False if the file on the server changed meanwhile."""
        slot = None
        try:
            download = self._open(url)
            signature = await bundle.receive(download, _NEW)
            self._room = None
            bundle.verify(*signature)
            slot = _slot(self._at)
            version = bundle.check(_NEW, self._at.board.FAMILY, slot.KINDS, name, version, VERSION)
            self.reached(_VERSIONED)
            slot.fits(bundle.files(_NEW))
            await self._write(download, slot)
            await slot.check(bundle.files(_NEW), True)
            os.rename(_NEW, _MANIFEST % slot.number)
            slot.finish()
        except Changed:
            return False
        finally:
            if slot:
                slot.close()
            _remove(_NEW)
        slots.switch(slot, version, VERSION)
        return True

    async def _write(self, download, slot):
        slots.spoil(slot.number, VERSION)
        _remove(_MANIFEST % slot.number)
        await slot.begin()
        total = sum([size for size, _, _ in bundle.files(_NEW)])
        if download.total not in (None, download.position + total):
            raise ValueError("not as long as the manifest says")
        done = told = 0
        for size, digest, path in bundle.files(_NEW):
            slot.open(path)
            now = hashlib.sha256()
            while size:
                count = min(await download.piece(), size)
                if not count:
                    raise ValueError("cut off")
                data = memoryview(download.buffer)[download.start : download.start + count]
                now.update(data)
                slot.write(data)
                download.took(count)
                size -= count
                done += count
                if self._at.interpreter.log and done * 10 // total > told:
                    told = done * 10 // total
                    self._say(b"+MPYUPDATE:%d,%d\r\n" % (done, total))
            slot.close()
            if now.digest() != digest:
                raise ValueError("not what the manifest says: " + path)
        if await download.piece():
            raise ValueError("there is more than the manifest says")


def _slot(at):
    """The slot that does not run: half of the ROMFS if this firmware runs in the other one, or a folder."""
    module = slots.kind(at.board)
    return module.Slot(at)


def _remove(path):
    try:
        os.remove(path)
    except OSError:  # it is not there
        pass


async def wait(at, url, version, name):
    """Updates while the host waits, and starts anew."""
    try:
        await Update(at, at.port.write).run(url, version, name)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error))
    at.interpreter.answer()
    await at.restart()


def begin(at, url, version, name):
    """Updates in the background; the host starts the module anew."""
    update = Update(at, at.reports.text)

    async def run():
        await at.loop.sleep(0)  # the OK of the command comes first
        await update.run(url, version, name)

    def done(result, error):
        if not error:
            return
        if not isinstance(error, (ValueError, OSError, MemoryError)):
            sys.print_exception(error)
        if at.interpreter.log and error.args:
            at.reports.text(b"%s\r\n" % str(error.args[-1]).encode())
        at.reports.text(_STATE % _FAILED)

    at.loop.start(run(), done)


async def back(at):
    """Starts the other slot, if a firmware that was ready before is still whole there."""
    words = slots.read()
    slot = _slot(at)
    if at.update or words[3 + slot.number] == "-":
        raise OSError(errno.ENOENT, "no other firmware")
    manifest = _MANIFEST % slot.number
    try:
        try:
            os.stat(manifest)
        except OSError:  # this one did not come by an update
            slot.there()
        else:
            await slot.check(bundle.files(manifest), False)
        slots.switch(slot, words[3 + slot.number], VERSION)
    except ValueError as error:
        raise OSError(errno.EINVAL, str(error))
    at.interpreter.answer()
    await at.restart()
