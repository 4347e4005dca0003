"""A scan for networks in a thread of its own: the ESP32's port lets other threads run meanwhile (network_wlan.c,
MP_THREAD_GIL_EXIT), so that the links go on. It is loaded for that alone."""

import _thread
import io
import select

from micropython import const

from firmware.loop import Signal

# What poll asks a stream's ioctl().
_POLL = const(3)


async def scan(loop, station):
    """What station.scan() returns or raises."""
    done = Signal(loop)
    thread = _Scan()
    loop.watch(thread, select.POLLIN, lambda _: done.set())
    try:
        _thread.start_new_thread(thread.run, (station,))
        await done.wait()
    finally:
        loop.forget(thread)
    if thread.fault:
        raise thread.fault
    return thread.found


class _Scan(io.IOBase):
    """Is readable once the scan is over: poll asks its streams in each tick anyway."""

    def __init__(self):
        self.found = self.fault = None

    def run(self, station):
        try:
            self.found = station.scan()
        except Exception as fault:  # whatever it is, it belongs to the one who waits
            self.fault = fault

    def ioctl(self, request, flags):
        if request != _POLL:
            return -22  # EINVAL
        return flags & select.POLLIN if self.fault or self.found is not None else 0
