"""Prints the names that MicroPython itself has, as far as programs can get at them: one line, with blanks between them.
Runs in a MicroPython of its own with a large heap, not as the chip; see build.py."""

import builtins
import io
import select
import sys

_MODULES = (
    "array asyncio binascii cmath collections cryptolib deflate errno gc hashlib heapq io json machine math "
    "micropython os platform random re select socket ssl struct sys time tls uctypes vfs"
)
_DEPTH = 3

found = set(_MODULES.split())


def walk(thing, depth):
    for name in dir(thing):
        found.add(name)
        if depth < _DEPTH and not name.startswith("__"):
            try:
                part = getattr(thing, name)
            except Exception:  # not all of them can be had without arguments or a device
                continue
            walk(part, depth + 1)


def generator():
    yield


walk(builtins, 0)
for name in _MODULES.split():
    try:
        walk(__import__(name), 0)
    except ImportError:
        pass
# The types of these are in no module.
for thing in (
    select.poll(),
    generator(),
    io.BytesIO(),
    io.StringIO(),
    sys.stdin,
    open(sys.argv[0]),
    "",
    b"",
    (),
    [],
    {},
):
    walk(thing, _DEPTH)
print(" ".join(sorted(found)))
