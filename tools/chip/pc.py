"""The way from the stand-ins to the simulator: one request, one answer, each a line of JSON.
What JSON lacks travels as {"b": hex} for bytes and {"l": [...]} for a list; an array is a tuple."""

import binascii
import builtins
import json

_ANSWER = 256
_link = None
_lock = None  # where threads ask


def connect(fd):
    global _link
    _link = open(fd, "r+b")


def ask(name, *arguments, **options):
    """Returns the simulator's answer, or raises the exception that it names."""
    # If there is no memory for the answer, nothing is asked.
    bytearray(_ANSWER)
    if _lock:
        _lock.acquire()
    try:
        _link.write(json.dumps((name, [_out(value) for value in arguments], options)))
        _link.write(b"\n")
        # An answer is [value], or [name of the exception, its arguments].
        answer = json.loads(_link.readline())
    finally:
        if _lock:
            _lock.release()
    if len(answer) == 2:
        raise getattr(builtins, answer[0])(*answer[1])
    return _in(answer[0])


def _out(value):
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"b": binascii.hexlify(value).decode()}
    return value


def _in(value):
    if isinstance(value, dict):
        return list(_in(value["l"])) if "l" in value else binascii.unhexlify(value["b"])
    if isinstance(value, list):
        return tuple([_in(item) for item in value])
    return value


def lookup(table, name, prefix="", *first):
    """What a name stands for in one of the tables of soc: a number, or a function of the simulator's.

    The tables are texts because those stay in ROM, where functions and dictionaries would take heap."""
    start = table.find(b" %s" % name)
    after = start + len(name) + 1
    if start < 0 or table[after] not in b"= ":
        raise AttributeError(name)
    if table[after] == 0x3D:
        return int(table[after + 1 : table.find(b" ", after)])

    def call(*arguments, **options):
        for key, value in options.items():
            options[key] = _out(value)
        return ask(prefix + name, *first, *arguments, **options)

    return call
