"""The time of day: the chip's real-time clock, as seconds since the start of 1970 (UTC), and as the host reads it.
The calendar is worked out here, since the ports of MicroPython count from different years, in different ranges."""

import machine
from micropython import const

from firmware.loop import Timer

# The clock of a chip that nobody has set counts from the start of 2000; a host is used to 1970, and tells by that
# year that there is no time yet. What shows a year before _REAL was never set. A host may also set a time before
# 2000, which no chip's clock can hold: that is kept 30 years later.
_TO_2000 = const(946684800)
_REAL = const(2016)

# The ESP8266's counter runs over every 7 h 45 min, which its port notices only when it is asked for the time.
_HOUR_MS = const(3600000)

_DAYS = "ThuFriSatSunMonTueWed"  # 1970-01-01 was a Thursday
_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"


def of(at):
    """The clock; made when it is first asked for, as many hosts never do."""
    if not at.clock:
        at.clock = Clock(at.loop, at.board.RTC_FRACTION)
    return at.clock


class Clock:
    """`fraction` is what the last field of the chip's datetime() counts to in a second. `zone`: minutes east of UTC."""

    def __init__(self, loop, fraction):
        self._rtc = machine.RTC()
        self._fraction = fraction
        self._timer = Timer(loop, self._keep)
        self._shift = _TO_2000 if self._keep() < _REAL else 0
        self.zone = 0

    def _keep(self):
        self._timer.start(_HOUR_MS)
        return self._rtc.datetime()[0]

    def right(self):
        """Whether the chip's own clock has the time, as TLS needs it: it was set, and to a time after 1999."""
        return not self._shift

    def now(self):
        """Seconds since 1970 (UTC)."""
        year, month, day, _, hour, minute, second, _ = self._rtc.datetime()
        return ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second - self._shift

    def set(self, seconds, milliseconds=0):
        """Sets the chip's clock; `seconds` since 1970 (UTC), not negative and before 2100."""
        self._shift = 0 if seconds >= _TO_2000 else _TO_2000
        days, rest = divmod(seconds + self._shift, 86400)
        year, month, day = _date(days)
        minutes, second = divmod(rest, 60)
        fraction = milliseconds * self._fraction // 1000
        self._rtc.datetime((year, month, day, 0, minutes // 60, minutes % 60, second, fraction))

    def text(self):
        """The local time as C's asctime() writes it: `Thu Jan  1 00:00:00 1970`."""
        days, rest = divmod(self.now() + self.zone * 60, 86400)
        year, month, day = _date(days)
        minutes, second = divmod(rest, 60)
        weekday = _DAYS[days % 7 * 3 :][:3]
        month = _MONTHS[month * 3 - 3 :][:3]
        values = (weekday, month, day, minutes // 60, minutes % 60, second, year)
        return "%s %s %2d %02d:%02d:%02d %d" % values


# The calendar repeats itself every 400 years, which are 146097 days. With March as the first month, the leap day is the
# last of its year, and the months up to any other follow a rule: 153 days in each five. 719468 days lie
# between the first of March of the year 0 and the start of 1970.


def _days(year, month, day):
    """Days from the start of 1970 to a date."""
    if month < 3:
        year -= 1
        month += 12
    return year * 365 + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day - 719469


def _date(days):
    """Year, month and day, so many days after the start of 1970; the days may be negative."""
    days += 719468
    era, days = divmod(days, 146097)
    year = (days - days // 1460 + days // 36524 - days // 146096) // 365
    days -= 365 * year + year // 4 - year // 100
    month = (5 * days + 2) // 153
    day = days - (153 * month + 2) // 5 + 1
    year += era * 400
    return (year, month + 3, day) if month < 10 else (year + 1, month - 9, day)
