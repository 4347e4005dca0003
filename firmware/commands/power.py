"""The Basic chapter: how strong the radio sends.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from firmware.at import messages
from firmware.at.command import NEVER, command
from firmware.at.messages import ATError


@command("AT+RFPOWER", "wifi_power:40..84")
class Power:
    """The most that the radio sends, in units of 0.25 dBm, up to 82 on the ESP8266 and 78 on the ESP32. The chips have
    some levels only; the query tells which one it is. There are no powers of Bluetooth, as there is no Bluetooth."""

    def query(at):
        at.line("+RFPOWER:%d", _power(at))

    def set(at, power):
        if power > at.board.RF_MAX:
            raise ATError(messages.E_RANGE, 0)
        at.radio.station.config(txpower=power / 4)
        at.settings.put("RFPOWER", [power], NEVER)


def _power(at):
    """The level in use. The ESP8266's port takes a level and does not tell it."""
    levels = at.board.RF_LEVELS
    if not levels:
        return int(at.radio.station.config("txpower") * 4)
    wanted = at.settings.get("RFPOWER", levels)[0]
    return max([level for level in levels if level <= wanted])
