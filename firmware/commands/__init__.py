"""Which module declares which command. The index is made from the declarations when the firmware is built,
so that a command's module is imported, and takes its memory, only when the command is first used."""

import gc

from firmware.commands.index import INDEX  # lines "NAME module flags"

# Bits of the flags, as tools/catalog.py writes them.
TEST, QUERY, SET, EXECUTE, ANYTIME = 1, 2, 4, 8, 16


def _find(name):
    """Module and flags of a command, or (None, 0)."""
    start = INDEX.find(b"\n" + name.encode() + b" ")
    found, module, flags = _fields(start + 1) if start >= 0 else (None, None, 0)
    # "AT+RST basic" is found too, but it is no name.
    return (module, flags) if found == name else (None, 0)


def _fields(start):
    name, module, flags = INDEX[start : INDEX.find(b"\n", start)].split(b" ")
    return name.decode(), module.decode(), int(flags)


def load(name):
    """Imports the module that declares `name`, if there is one."""
    module, _ = _find(name)
    if module:
        # What stays of a module should not be scattered among what is thrown away: a small heap ends up in pieces.
        gc.collect()
        __import__("firmware.commands." + module)


def anytime(name):
    """Whether the command runs even while another one does."""
    return bool(_find(name)[1] & ANYTIME)


def every():
    """Yields name and flags of each command, in the order of the chapters."""
    start = 1
    while start < len(INDEX):
        name, _, flags = _fields(start)
        yield name, flags
        start = INDEX.find(b"\n", start) + 1
