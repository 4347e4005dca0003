"""The way from the stand-ins to the simulator: one request, one answer, each a line of JSON.
Bytes travel as {"b": hex}, tuples as arrays; an answer is [value], or [name of the exception, arguments]."""

import binascii
import builtins
import json

_link = None


def connect(fd):
    global _link
    _link = open(fd, "r+b")


def ask(name, *arguments, **options):
    """Returns the simulator's answer, or raises the exception that it names."""
    _link.write(json.dumps((name, [_out(value) for value in arguments], options)))
    _link.write(b"\n")
    answer = json.loads(_link.readline())
    if len(answer) == 2:
        raise getattr(builtins, answer[0])(*answer[1])
    return _in(answer[0])


def _out(value):
    if isinstance(value, (bytes, bytearray)):
        return {"b": binascii.hexlify(value).decode()}
    return value


def _in(value):
    if isinstance(value, dict):
        return binascii.unhexlify(value["b"])
    if isinstance(value, list):
        return tuple([_in(item) for item in value])
    return value


def constant(table, name):
    """The number behind a name in one of the tables of soc."""
    start = table.find(b" %s=" % name)
    if start < 0:
        raise AttributeError(name)
    start += len(name) + 2
    return int(table[start : table.find(b" ", start)])
