"""The Basic chapter: sleep.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

import machine
from micropython import const
from network import WLAN

from firmware.at import messages
from firmware.at.command import NEVER, command
from firmware.at.messages import ATError
from firmware.commands.pins import free

_LIGHT = const(2)


@command("AT+GSLP", "time:0..2147483647")
class DeepSleep:
    """Sleeps for so many ms, at most 4294967 on the ESP8266, whose GPIO16 must be wired to its RST; then the module
    starts anew. 0: the ESP32 starts anew at once, the ESP8266 sleeps until its RST is pulled low."""

    async def set(at, time):
        if time > at.board.SLEEP_MAX:
            raise ATError(messages.E_RANGE, 0)
        at.line("%d", time)
        at.interpreter.answer()
        await at.restart()
        if time:
            machine.deepsleep(time)
        elif at.board.SLEEPS_FOR_EVER:
            machine.deepsleep()


@command("AT+SLEEP", "mode:0..3")
class Sleep:
    """0: the radio is on all the time. 1, 3: off between the beacons of the AP (3: for longer, on the ESP32 only). 2:
    light sleep: after a second of quiet the ESP32 stops, without network, until a pin wakes it (SLEEPWKCFG); the
    ESP8266 stops in the AP's pauses. Without softAP only. The query answers 3 for 2."""

    def query(at):
        mode = at.radio.station.config("pm")
        at.line("+SLEEP:%d", 0 if mode == WLAN.PM_NONE else 1 if mode == WLAN.PM_PERFORMANCE else 3)

    def set(at, mode):
        if at.radio.mode & 2 or mode == at.board.NO_SLEEP:
            raise ATError()
        at.radio.station.config(pm=(WLAN.PM_NONE, WLAN.PM_PERFORMANCE, WLAN.PM_POWERSAVE, WLAN.PM_POWERSAVE)[mode])
        if at.reports.waker:
            at.reports.waker.slept(mode)
        if at.sleeper:
            at.sleeper.stop()
            at.sleeper = None
        if mode == _LIGHT and at.board.SLEEPS_BY_ITSELF:
            from firmware.sleeper import Sleeper

            at.sleeper = Sleeper(at)


@command("AT+SLEEPWKCFG", "source:2..2, pin:0..48, level:0..1", board="esp32")
class Wake:
    """What ends light sleep: source 2, a pin and its level. While it has this level the module stays awake."""

    def set(at, source, pin, level):
        if not free(at, pin):
            raise ATError(messages.E_RANGE, 1)
        machine.Pin(pin, machine.Pin.IN)
        at.settings.put("SLEEPWKCFG", [source, pin, level], NEVER)
