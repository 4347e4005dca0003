"""The Wi-Fi chapter: what only the ESP32's port can set of its radio.
Manual: Wi-Fi_AT_Commands.rst of espressif/esp-at, with what HEAD adds."""

from firmware.at.command import STORE, command
from firmware.at.messages import ATError
from firmware.commands import interfaces
from firmware.commands.interfaces import configure, set_protocol, show_protocol


def restore_protocol(at):
    """The softAP has been switched on: gives it what was saved."""
    interfaces.restore(at, (("CWAPPROTO", _use_protocol), ("CWBANDWIDTH", lambda at, *_: use_bandwidth(at, 1))))


def use_bandwidth(at, netif):
    """Gives an interface the bandwidth that was saved for it, if there was one."""
    saved = at.settings.get("CWBANDWIDTH")[1 + netif]
    if saved:
        configure((at.radio.softap if netif else at.radio.station).config, bandwidth=saved)


@command("AT+CWAPPROTO", "protocol:1..15", saved=STORE, board="esp32")
class SoftAPProtocol:
    """802.11 b, g, n of the softAP as bits 0 to 2: 1, 3 or 7; also bit 3, long range."""

    def query(at):
        show_protocol(at, "+CWAPPROTO", 2)

    def set(at, protocol):
        if not at.radio.mode & 2:
            raise ATError()
        _use_protocol(at, protocol)


def _use_protocol(at, protocol):
    set_protocol(at, at.radio.softap, protocol)


@command("AT+CWBANDWIDTH", "netif:0..1, bandwidth_2ghz:0..2, bandwidth_5ghz:0..2=0", saved=STORE, board="esp32")
class Bandwidth:
    """Bandwidth of the station (netif 0) or the softAP (1): 1 20 MHz, 2 40 MHz, 0 as it is. No chip has 5 GHz."""

    def query(at):
        saved = at.settings.get("CWBANDWIDTH", [0, 0, 0])
        for netif in range(2):
            if at.settings.stored:
                at.line("+CWBANDWIDTH:%d,%d,0", netif, saved[1 + netif])
            elif at.radio.mode >> netif & 1:
                wlan = at.radio.softap if netif else at.radio.station
                at.line("+CWBANDWIDTH:%d,%d,0", netif, wlan.config("bandwidth"))

    def set(at, netif, bandwidth, bandwidth_5ghz):
        if bandwidth_5ghz:
            raise ATError()
        if not at.radio.mode >> netif & 1:
            raise ATError()
        if bandwidth:
            configure((at.radio.softap if netif else at.radio.station).config, bandwidth=bandwidth)
        # One entry for both interfaces: the station's in the second place, the softAP's in the third.
        saved = list(at.settings.get("CWBANDWIDTH") or (0, 0, 0))
        saved[1 + netif] = bandwidth or saved[1 + netif]
        at.interpreter.keep(*saved)
