"""Stands in for the chip's module time where the bench lets time pass: MicroPython's own, with what has passed.
What counts in microseconds does not notice: that is for measuring."""

import time as _time
from time import ticks_add, ticks_diff

_bench = None  # see ahead


def ticks_ms():
    return ticks_add(_time.ticks_ms(), _bench.ms)


def sleep_ms(_ms):
    began = ticks_ms()
    while (left := _ms - ticks_diff(ticks_ms(), began)) > 0:
        _time.sleep_ms(min(left, 10))


def sleep(_seconds):
    sleep_ms(int(_seconds * 1000))


def __getattr__(name):
    if name in ("clock",):
        raise AttributeError(name)
    return getattr(_time, name)
