"""Commands of one's own: Python files in /commands on the flash, which declare them as firmware/commands/ does.
A file that cannot be used is reported on the console, once, and left out."""

import os
import sys

from firmware import commands
from firmware.at.command import EXECUTE, QUERY, SET, SIGNATURES, declared
from firmware.at.parameters import parameters

_broken = []  # the files that were reported


def load(find, last):
    """Imports the files; `find(name)` gives the module that declares a command of the firmware, or None. A file that is
    too large is a MemoryError, or if `last` is left out, since there will be no more memory than now."""
    for file in sorted(os.listdir(commands.OWN)):
        if file.endswith((".py", ".mpy")) and file not in _broken:
            _load(file, find, last)
    declared[None] = ()


def _load(file, find, last):
    others = dict(declared)
    declared.clear()
    module = file[: file.rfind(".")]
    try:
        __import__("commands." + module)
        for name, row in declared.items():
            # The host's drivers count on what a command of the firmware does.
            if find(name)[0] or name in others or name[:2] != "AT" or name != name.upper():
                raise ValueError("not a new name: %s" % name)
            for signature in row[SIGNATURES]:
                parameters(signature)
    except BaseException as fault:  # whatever is wrong with it, sys.exit() too
        if isinstance(fault, MemoryError) and not last:
            declared.clear()
            raise
        _broken.append(file)
        print("%s/%s is left out:" % (commands.OWN, file))
        sys.print_exception(fault)
        declared.clear()
    finally:
        # A command keeps what it needs by itself, so that it can be forgotten with its row.
        sys.modules.pop("commands." + module, None)
        package = sys.modules.get("commands")
        if hasattr(package, module):
            delattr(package, module)
        declared.update(others)


def every(find):
    """A list of name and flags of each command that is not of the firmware."""
    found = []
    for name, row in declared.items():
        if name and not find(name)[0]:
            flags = (commands.SET | commands.TEST) if row[SET] else 0
            flags |= commands.QUERY if row[QUERY] else 0
            found.append((name, flags | (commands.EXECUTE if row[EXECUTE] else 0)))
    return sorted(found)
