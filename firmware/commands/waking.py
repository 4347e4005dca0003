"""The User chapter: a host that sleeps is woken before something is reported to it.
Manual: user_at_commands.rst of espressif/esp-at, in its newest version."""

import machine
from micropython import const

from firmware.at import messages
from firmware.at.command import command
from firmware.at.messages import ATError
from firmware.commands.pins import free
from firmware.loop import Timer

_PIN, _UART = const(1), const(2)
# Bits of `check`: AT+USERMCUSLEEP tells how the host is, AT+SLEEP does, the time-out means that it is awake.
_BY_COMMAND, _BY_SLEEP, _BY_TIME = const(1), const(2), const(4)


class Waker:
    """Holds reports while the host sleeps. When one is due it gives the signal and waits `delay` ms, or until the
    host says that it is awake."""

    def __init__(self, at, mode, number, signal, delay, check):
        self._at = at
        self._number = number
        self._signal = signal
        self._delay = delay
        self._check = check
        self._timer = Timer(at.loop, self._late)
        self._calls = False  # whether the signal was given and nothing has come of it yet
        self._asleep = False
        # ValueError for a pin that can only be an input.
        self._pin = machine.Pin(number, machine.Pin.OUT, value=1 - signal) if mode == _PIN else None
        at.reports.waker = self

    def stop(self):
        """The host needs no waking any more; False while it sleeps, as nobody would wake it then."""
        if self._asleep:
            return False
        self._timer.stop()
        if self._pin:
            machine.Pin(self._number, machine.Pin.IN)
        self._at.reports.waker = None
        return True

    def slept(self, mode):
        """AT+SLEEP was set to this mode."""
        if self._check & _BY_SLEEP:
            self._heard(mode > 0)

    def told(self, asleep):
        """AT+USERMCUSLEEP was set."""
        if self._check & _BY_COMMAND:
            self._heard(asleep)

    def _heard(self, asleep):
        self._asleep = asleep
        self._end()
        self._at.reports.sleeps(asleep)

    def due(self):
        """Something waits to be reported to the host that sleeps; called in each round while that is so."""
        if self._calls:
            return
        self._calls = True
        if self._pin:
            self._pin.value(self._signal)
        else:
            self._at.port.write(bytes((self._signal,)))
        self._timer.start(self._delay)

    def quiet(self):
        """All that waited was reported: the host may be asleep again."""
        if self._asleep:
            self._at.reports.sleeps(True)

    def _late(self):
        self._asleep = self._asleep and not self._check & _BY_TIME
        self._end()
        self._at.reports.sleeps(False)

    def _end(self):
        self._timer.stop()
        self._calls = False
        if self._pin:
            self._pin.value(1 - self._signal)


@command(
    "AT+USERWKMCUCFG",
    "enable:0..1, mode:1..2?, number:0..48?, signal:0..255?, delay:0..60000?, check:0..7=1",
)
class WakeHost:
    """1: before a report a host that sleeps is woken, and has up to delay ms for that: mode 1 by a level of a pin, 2 by
    a byte on the AT port, whose UART is the number. check, in bits: 0 USERMCUSLEEP tells how the host is, 1 SLEEP
    does, 2 after the delay it counts as awake. While this is on, only 0 is taken. Until the next start."""

    def set(at, enable, mode, number, signal, delay, check):
        waker = at.reports.waker
        if enable == bool(waker):
            if enable:
                raise ATError()
            return
        if not enable:
            if not waker.stop():
                raise ATError()
            return
        if None in (mode, number, signal, delay):
            raise ATError(messages.E_COUNT)
        if mode == _PIN:
            if signal > 1:
                raise ATError(messages.E_RANGE, 3)
            if not free(at, number):
                raise ATError(messages.E_RANGE, 2)
        elif number != at.board.UART:
            raise ATError(messages.E_RANGE, 2)
        try:
            Waker(at, mode, number, signal, delay, check)
        except ValueError:
            raise ATError(messages.E_RANGE, 2)


@command("AT+USERMCUSLEEP", "state:0..1")
class HostSleeps:
    """1: the host goes to sleep, 0: it is awake. For USERWKMCUCFG."""

    def set(at, state):
        if not at.reports.waker:
            raise ATError()
        at.reports.waker.told(bool(state))
