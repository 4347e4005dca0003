"""Stands in for the chip's module select where the bench lets time pass, see aheadtime: a poll that looks again and
again how late it is."""

import select as _select
from time import ticks_diff, ticks_ms


class poll:
    def __init__(self):
        own = _select.poll()
        self.register, self.modify, self.unregister, self._poll = own.register, own.modify, own.unregister, own.poll

    def poll(self, _ms=-1):
        began = ticks_ms()
        while True:
            left = _ms - ticks_diff(ticks_ms(), began) if _ms > 0 else _ms
            found = self._poll(min(max(left, 0), 10) if _ms >= 0 else -1)
            if found or (_ms >= 0 and left <= 0):
                return found

    def ipoll(self, _ms=-1, _flags=0):
        return iter(self.poll(_ms))


def __getattr__(name):
    return getattr(_select, name)
