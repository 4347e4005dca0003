"""Puts modules in the place of MicroPython's time and select by which the bench can let time pass.
Runs once, before anything else asks what time it is."""

import sys

import aheadtime
import uctypes


def up(page):
    """The simulator writes the milliseconds that have passed into the page, a buffer."""
    aheadtime._bench = uctypes.struct(uctypes.addressof(page), {"ms": uctypes.INT32})
    sys.modules["time"] = sys.modules.pop("aheadtime")
    import aheadselect

    sys.modules["select"] = aheadselect
    for name in ("ahead", "aheadselect"):
        del sys.modules[name]
