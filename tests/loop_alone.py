"""Runs firmware/loop.py alone under MicroPython, whose clock begins anew while timers wait. Argument: the firmware's
folder. Prints what happens in its order."""

import sys
import time

START = time.ticks_ms()
# The clock has 100 ms to go.
AHEAD = time.ticks_diff(time.ticks_add(0, -100), START)


class Clock:
    """In the place of the module time, for the loop alone."""

    ticks_add, ticks_diff = time.ticks_add, time.ticks_diff

    @staticmethod
    def ticks_ms():
        return time.ticks_add(time.ticks_ms(), AHEAD)


sys.modules["time"] = Clock
sys.path.insert(0, sys.argv[1])

from firmware.loop import Loop, Signal, Timer  # noqa: E402

loop = Loop()
signal = Signal(loop)


async def wait():
    await loop.sleep(150)
    print("slept")
    print("set" if await signal.wait(50) else "late")


def third():
    print("third")
    loop.stop()


Timer(loop, third).start(300)
Timer(loop, lambda: print("second")).start(120)
moved = Timer(loop, lambda: print("first"))
moved.start(250)
moved.start(50)
stopped = Timer(loop, lambda: print("stopped"))
stopped.start(130)
stopped.stop()
loop.start(wait(), lambda result, error: None)
loop.run()
