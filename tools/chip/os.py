"""Stands in for the chip's module os: MicroPython's own, with what only the chip has,
and without what only a PC has."""

import pc
import soc
import uos


def uname():
    import sys
    from collections import namedtuple

    sysname, nodename, release = soc.UNAME
    number = ".".join([str(part) for part in sys.implementation[1][:3]])
    version = "v%s on %s" % (number, sys.version.split(" on ")[1])
    fields = namedtuple("uname", ("sysname", "nodename", "release", "version", "machine"))
    return fields(sysname, nodename, release or number, version, pc.ask("machine"))


def dupterm(_stream, _index=0):
    # What the prompt says and hears goes over the UART, of which the firmware has only one. MicroPython for a PC
    # looks at this variable when its program has ended, and goes on to its prompt if it is set.
    uos.putenv("MICROPYINSPECT", "1" if _stream else "")
    pc.ask("dupterm", bool(_stream))


def __getattr__(name):
    if name in ("getenv", "putenv", "unsetenv", "system", "errno", "VfsLfs1", "VfsPosix"):
        raise AttributeError(name)
    return getattr(uos, name)
