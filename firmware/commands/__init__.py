"""Which module declares which command. The index is made from the declarations when the firmware is built,
so that a command's module is imported, and takes its memory, only when the command is first used, and can be dropped
again when memory is short: what a command has to remember is kept elsewhere."""

import gc
import os
import sys

from micropython import const

from firmware.at.command import declared
from firmware.at.interpreter import NONE
from firmware.at.messages import ATError

# Lines "NAME module flags saved place signature;signature"; what stands before the modules' names.
from firmware.commands.index import INDEX, PACKAGE

# Where the host's owner puts commands. None in `declared`, which is no name, is the mark that they are loaded.
OWN = "/commands"
# What else is loaded again when it is needed; in front of each is what holds it for longer than a command, see
# _holders().
_HELPERS = b"""
0 firmware.at.data
0 firmware.at.escaped
0 firmware.at.stream
0 firmware.commands.interfaces
0 firmware.commands.macs
0 firmware.commands.opening
0 firmware.commands.pins
0 firmware.net.dns
0 firmware.net.dns_stream
0 firmware.net.groups
0 firmware.net.ping
0 firmware.pair
0 firmware.passthrough
0 firmware.tls
1 firmware.net.box
1 firmware.net.link
1 firmware.net.options
1 firmware.net.server
1 firmware.net.shared
1 firmware.net.tcp
1 firmware.net.tls
1 firmware.net.udp
1 firmware.passive
2 firmware.net.mdns
2 firmware.net.mdns_packet
2 firmware.net.mdns_port
3 firmware.clock
3 firmware.net.sntp
4 firmware.sleeper
5 firmware.filters
6 firmware.softap
7 firmware.bundle
7 firmware.net.download
7 firmware.net.numbers
7 firmware.net.url
7 firmware.slot_files
7 firmware.slot_image
7 firmware.slot_rom
7 firmware.slots
7 firmware.update
8 firmware.at.parameters
8 firmware.at.syntax
8 firmware.commands.receiving
8 firmware.commands.streaming
"""
# Memory is short when less is free than this part of what is in use.
_SCARCE = const(3)
# What a command may take that changes something, saves it and tells of it.
_NEEDED = const(1536)
_PIECE = const(768)
# A link takes less than this, with its module.
_SPARE = const(3072)

_at = None  # see serve()
_newest = [""]  # see _declare()

# Bits of the flags, as tools/catalog.py writes them.
TEST, QUERY, SET, EXECUTE, ANYTIME = 1, 2, 4, 8, 16


def _find(name):
    """Module and flags of a command, or (None, 0)."""
    start = INDEX.find(b"\n" + name.encode() + b" ")
    found, module, flags = _fields(start + 1) if start >= 0 else (None, None, 0)
    # "AT+RST basic" is found too, but it is no name.
    return (module, flags) if found == name else (None, 0)


def _fields(start):
    stop = start
    for _ in range(3):
        stop = INDEX.find(b" ", stop) + 1
    name, module, flags = INDEX[start : stop - 1].split(b" ")
    return name.decode(), module.decode(), int(flags)


def load(name):
    """Sees to it that `declared` has what there is of `name`: imports its module, or the files in /commands if none has
    it."""
    module, flags = _find(name)
    if not (module or _has_own()):
        return
    if not (module and _is_whole(module)):
        # What stays of a module should not be scattered among what is thrown away: a small heap ends up in pieces.
        gc.collect()
        if gc.mem_free() < gc.mem_alloc() // _SCARCE:
            drop()
    try:
        _import(name, module, flags)
    except MemoryError:
        # Half a module is worse than none: its first commands would be there without what they need.
        drop()
        try:
            _import(name, module, flags, True)
        except MemoryError:
            drop()
            raise


def _import(name, module, flags, last=False):
    if module:
        if not _is_whole(module):
            # What is there without its commands was to be dropped, and could not be.
            sys.modules.pop(PACKAGE + module, None)
            __import__(PACKAGE + module)
        if name not in declared:
            _declare(name, sys.modules[PACKAGE + module].HANDLERS, flags)
    else:
        from firmware import own

        own.load(_find, last)


def _is_whole(module):
    """Whether a module is there, with the functions of its commands, from which _declare() goes on."""
    return hasattr(sys.modules.get(PACKAGE + module), "HANDLERS")


def _declare(name, handlers, flags):
    """Takes a declaration out of the index, where the build has left no more of a module's than the functions. The
    newest one stays, as hosts often say the same again."""
    declared.pop(_newest[0], None)
    start = INDEX.find(b"\n" + name.encode() + b" ") + 1
    _, _, _, saved, place, texts = INDEX[start : INDEX.find(b"\n", start)].split(b" ", 5)
    functions = iter(handlers[int(place) :])
    forms = [next(functions) if flags & form else None for form in (EXECUTE, QUERY, SET)]
    signatures = texts.decode().split(";") if flags & SET else ()
    declared[name] = forms[0], forms[1], forms[2], signatures, int(saved), bool(flags & ANYTIME)
    _newest[0] = name


def _has_own():
    """Whether there are files in /commands that have not been loaded."""
    try:
        return None not in declared and bool(os.stat(OWN))
    except OSError:
        return False


def make_room(lacking=False):
    """Before something that comes from outside takes memory, and must not fail for the sake of idle commands, or after
    it was `lacking` memory."""
    if not lacking and gc.mem_free() < _SPARE:
        gc.collect()
        lacking = gc.mem_free() < _SPARE
    if lacking:
        drop()


def need(size=_NEEDED):
    """Before something is changed that must not stop half way: MemoryError if so much is not there, in pieces that are
    not too small, also without idle commands."""
    if gc.mem_free() < size:
        gc.collect()
    if gc.mem_free() < size:
        drop()
    bytearray(_PIECE if gc.mem_free() >= size else size)


def serve(at):
    """Says who has the parts of the firmware."""
    global _at
    _at = at


def drop():
    """For when memory is short: forgets the modules that were loaded; a command that runs keeps what it needs."""
    declared.clear()
    at = _at
    if at is not None:
        at.pieces = None
        at.interpreter.newest, at.interpreter.handler = NONE, None
    # What an import has found no memory for, not even for the module itself: MicroPython leaves its name, and importing
    # it again would give nothing.
    for path in sys.modules:
        if sys.modules.get(path) is None:
            sys.modules.pop(path, None)
    try:
        holders = _holders()
        while _forget(holders):
            pass
    except MemoryError:  # whoever asks for the memory hears of it
        pass
    gc.collect()


def _holders():
    """What uses helpers, each None or False while it does not."""
    at = _at
    if at is None:  # the parts are still being made
        return (None,) * 9
    links = at.links.server or at.links.any()
    kept = 0  # what waits for CIPRECVDATA, without which the host could not get at it
    for link in at.links.table:
        if link and link.box:
            kept += link.box.waiting()
    return None, links, at.mdns, at.clock or at.sntp, at.sleeper, at.filters, at.stations, at.update, kept


def _forget(holders):
    """Forgets one module, if there is one: a list of them could need more memory than there is."""
    for path in sys.modules:
        place = _HELPERS.find(b" " + path.encode() + b"\n")
        if place > 0:
            idle = not holders[_HELPERS[place - 1] - 0x30]
        else:
            idle = path.startswith(PACKAGE) and b" " + path[len(PACKAGE) :].encode() + b" " in INDEX
        if idle:
            forget(path)
            return True
    return False


def forget(path):
    """Takes a module out of memory, unless something still uses it."""
    dot = path.rfind(".")
    del sys.modules[path]
    if dot > 0:  # on the ESP8266 most modules are in no package
        delattr(sys.modules[path[:dot]], path[dot + 1 :])


def anytime(name):
    """Whether the command runs even while another one does; one in /commands only if it is loaded."""
    row = declared.get(name)
    return bool(row[-1] if row else _find(name)[1] & ANYTIME)


def every():
    """Yields name and flags of each command, in the order of the chapters; those in /commands come last."""
    start = 1
    while start < len(INDEX):
        name, _, flags = _fields(start)
        yield name, flags
        start = INDEX.find(b"\n", start) + 1
    load("")
    if None in declared:
        from firmware import own

        yield from own.every(_find)


def fit(name, values):
    """What was saved for the command `name` (as in "CWMODE"), as its signatures have it, or None if it fits none of
    them. What no command here saves stays as it is."""
    start = INDEX.find(b"\nAT+" + name.encode() + b" ") + 1 if isinstance(name, str) else 0
    if not start:
        return values
    _, _, _, saved, _, texts = INDEX[start : INDEX.find(b"\n", start)].split(b" ", 5)
    if saved == b"0":
        return values
    from firmware.at import syntax

    for signature in texts.decode().split(";"):
        try:
            return syntax.fit(signature, values)
        except ATError:  # the next one may fit
            pass
    return None
