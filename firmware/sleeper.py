"""Light sleep of the ESP32: stops the chip whenever there is nothing to do and the pin of AT+SLEEPWKCFG has not the
level that wakes it. MicroPython's light sleep takes the radio down, so the network is left before and joined after."""

from time import ticks_diff, ticks_ms

import esp32
import machine
from micropython import const

from firmware.loop import Timer

_LOOK_MS = const(100)
# The host has at least so long for its next line; the chip's UART hears nothing in light sleep.
_QUIET_MS = const(1000)


class Sleeper:
    """Sleeps again and again until `stop()`."""

    def __init__(self, at):
        self._at = at
        self._stopped = False
        self._timer = Timer(at.loop, self._look)
        self._timer.start(_LOOK_MS)

    def stop(self):
        self._stopped = True
        self._timer.stop()

    def _look(self):
        port = self._at.port
        quiet = ticks_diff(ticks_ms(), port.arrived) > _QUIET_MS and not port.sink and not port.pending()
        busy = self._at.interpreter.task or self._at.update
        if quiet and not busy and not self._at.radio.mode & 2 and not self._wakes():
            self._at.loop.start(self._sleep(), self._slept)
        else:
            self._timer.start(_LOOK_MS)

    def _wakes(self):
        """Whether the pin has the level that keeps the module awake."""
        pin = self._at.settings.get("SLEEPWKCFG")
        return pin and machine.Pin(pin[1], machine.Pin.IN).value() == pin[2]

    async def _sleep(self):
        at = self._at
        mode = at.radio.mode
        wanted = at.radio.target
        at.set_mode(0)
        await at.port.empty()
        pin = at.settings.get("SLEEPWKCFG")
        if pin:
            esp32.wake_on_gpio((machine.Pin(pin[1]),), bool(pin[2]))
        machine.lightsleep()
        esp32.wake_on_gpio((), True)  # it would keep the chip from deep sleep
        at.port.arrived = ticks_ms()
        at.set_mode(mode)
        if wanted:
            at.join_saved()

    def _slept(self, result, error):
        if error:
            raise error
        if not self._stopped:
            self._timer.start(_LOOK_MS)
