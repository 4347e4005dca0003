"""What survives a restart: the parameters of commands, by the command's name, in one file on the flash.
A new file is written beside the old one and takes its place in one step, so that one of the two is always whole."""

import json
import os

_FILE = "/settings.json"
_NEW = "/settings.new"
_BAD = "/settings.bad"


class Settings:
    """The current parameters of each command, and which of them are kept. `store` is AT+SYSSTORE."""

    def __init__(self):
        self.store = True
        self._saved = _load()
        self._current = dict(self._saved)

    def get(self, name, default=None):
        """The parameters that `name` (as in "CWMODE") was last set to, as a list."""
        return self._current.get(name, default)

    def put(self, name, values, when):
        """Holds the parameters of a command, and keeps them on flash: if `when` is 1 always, if 2 while `store`."""
        self._current[name] = values
        if (when == 1 or self.store) and self._saved.get(name) != values:
            before = self._saved.get(name)
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
                raise

    def clear(self):
        """Forgets everything, on flash too."""
        for name in (_NEW, _FILE):
            try:
                os.remove(name)
            except OSError:  # it was not there
                pass


def _load():
    try:
        with open(_FILE) as file:
            saved = json.load(file)
        if isinstance(saved, dict):
            return saved
    except OSError:  # nothing was ever saved
        return {}
    except ValueError:
        pass
    print("settings: damaged, set aside as", _BAD)
    os.rename(_FILE, _BAD)
    return {}
