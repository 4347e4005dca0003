"""What survives a restart: the parameters of commands, by the command's name, in one file on the flash.
A new file is written beside the old one and takes its place in one step, so that one of the two is always whole."""

import errno
import gc
import json
import os

from micropython import const

_FILE = "/settings.json"
_NEW = "/settings.new"
_BAD = "/settings.bad"
# A store that takes more than this part of the heap is none of ours, and would leave too little for any command.
_SHARE = const(8)


class Settings:
    """The current parameters of each command, and which of them are kept. `store` is AT+SYSSTORE.

    `fit(name, values)` gives what was saved for a command as this version of it has its parameters, or None."""

    def __init__(self, fit):
        self.store = True
        self.stored = None  # while it is `fit`, get() tells what is on flash
        # As it stands on flash, with what a newer version has put there, so that saving does not lose that.
        self._saved = _load()
        self._current = {}
        for name, values in self._saved.items():
            fitted = fit(name, values)
            if fitted is None:
                print("settings:", name, "cannot be used, its default is")
            else:
                # One list in memory for both, except where something was cut off.
                self._current[name] = values if fitted == values else fitted

    def get(self, name, default=None):
        """The parameters that `name` (as in "CWMODE") was last set to, as a list."""
        if not self.stored:
            return self._current.get(name, default)
        values = self._saved.get(name)
        if values is None:  # where the default is the chip's own, its command has left it beside what has replaced it
            return self._current.get(name + "_DEF", default)
        return self.stored(name, values) or default

    def put(self, name, values, when):
        """Holds the parameters of a command, and keeps them on flash: if `when` is 1 always, if 2 while `store`, if 3
        never.

        OSError or MemoryError when the flash or the heap is full: on flash all is as it was. In RAM a parameter that
        may differ from the flash (2, 3) holds nevertheless, as the command has done its work by now."""
        if when != 1:
            self._current[name] = values
        if when == 1 or (when == 2 and self.store):
            self._save(name, values)
        self._current[name] = values

    def forget(self, name):
        """Goes back to the default of a command, in RAM only."""
        self._current.pop(name, None)

    def clear(self):
        """Forgets everything, on flash too, and also a damaged file: it may hold passwords. OSError if that fails."""
        for name in (_FILE, _NEW, _BAD):
            _remove(name)
        self._saved = {}
        self._current = {}

    def _save(self, name, values):
        for i, value in enumerate(values):
            if isinstance(value, bytes):
                # JSON has no bytes; a string that is not UTF-8 is a list of numbers there.
                values = list(values)
                values[i] = list(value)
        before = self._saved.get(name)
        # What was loaded has lists where a command has tuples; on flash they are the same.
        if json.dumps(before) == json.dumps(values):
            return
        self._saved[name] = values
        try:
            with open(_NEW, "w") as file:
                json.dump(self._saved, file)
            os.rename(_NEW, _FILE)
        except (OSError, MemoryError):
            # What is not on flash must be written when it is set again.
            if before is None:
                del self._saved[name]
            else:
                self._saved[name] = before
            try:
                _remove(_NEW)
            except OSError:  # it is in nobody's way: the next one is written over it
                pass
            raise


def _remove(name):
    try:
        os.remove(name)
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise


def _load():
    gc.collect()
    free = gc.mem_free()
    try:
        with open(_FILE) as file:
            saved = json.load(file)
        gc.collect()
        if isinstance(saved, dict) and free - gc.mem_free() < free // _SHARE:
            return saved
    except OSError as error:
        if error.errno == errno.ENOENT:  # nothing was ever saved
            return {}
    except Exception:  # whatever the parser makes of the damage, a MemoryError too
        pass
    print("settings: damaged, set aside as", _BAD)
    try:
        os.rename(_FILE, _BAD)
    except OSError:  # then the next setting that is saved replaces it
        pass
    return {}
