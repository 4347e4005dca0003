"""Stands in for the chip's module sys where the simulated port has another version than the MicroPython that runs it:
MicroPython's own, but for the version that it tells."""

import sys as _sys

implementation = _sys.implementation


def _become(major, minor):
    from collections import namedtuple

    global implementation
    fields = namedtuple("implementation", ("name", "version", "_machine", "_mpy"))
    implementation = fields("micropython", (major, minor, 0, ""), "", _sys.implementation._mpy)


def __getattr__(name):
    if name in ("atexit", "exc_info", "executable", "ps1", "ps2"):
        raise AttributeError(name)
    return getattr(_sys, name)
