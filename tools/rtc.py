"""The chip's real-time clock: counts on over resets of the chip, and starts with the year 2000 at power on.
It is the simulator's own; the clock of the PC is not touched."""

from datetime import datetime, timedelta

_START = datetime(2000, 1, 1)


class Rtc:
    """`fraction` is what the last field of datetime() counts to in a second; `clock()` tells the seconds that pass."""

    def __init__(self, fraction, clock):
        self._clock = clock
        self._fraction = fraction
        self._set(_START)

    def _set(self, moment):
        self._origin = moment - timedelta(seconds=self._clock())

    def datetime(self, setting=None):
        """As machine.RTC().datetime(): year, month, day, weekday, hour, minute, second, fraction.

        ValueError before 2000, from where the ports count in numbers without a sign."""
        if setting is None:
            now = self._origin + timedelta(seconds=self._clock())
            date = (now.year, now.month, now.day, now.weekday())
            return (*date, now.hour, now.minute, now.second, now.microsecond * self._fraction // 1_000_000)
        year, month, day, _, hour, minute, second, fraction = setting
        if year < _START.year:
            raise ValueError("the clock starts with the year 2000")
        microsecond = fraction * 1_000_000 // self._fraction
        self._set(datetime(year, month, day, hour, minute, second, microsecond))
        return None
