"""The clock, as the Basic chapter has it.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from firmware import clock
from firmware.at.command import command


@command("AT+SYSTIMESTAMP", "timestamp:0..4102444799")
class Timestamp:
    """The system's time: seconds since 1970 (UTC), up to the end of 2099. Without SNTP it counts from the start."""

    def query(at):
        at.line("+SYSTIMESTAMP:%d", clock.of(at).now())

    def set(at, timestamp):
        clock.of(at).set(timestamp)
