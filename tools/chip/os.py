"""Stands in for the chip's module os: MicroPython's own, with what only the chip has,
and without what only a PC has."""

import sys

import soc
import uos


def uname():
    from collections import namedtuple

    sysname, nodename, release, machine = soc.UNAME
    number = ".".join([str(part) for part in sys.implementation[1][:3]])
    version = "v%s on %s" % (number, sys.version.split(" on ")[1])
    fields = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))
    return fields(sysname, nodename, release or number, version, machine)


def __getattr__(name):
    if name in ("getenv", "putenv", "unsetenv", "system"):
        raise AttributeError(name)
    return getattr(uos, name)
