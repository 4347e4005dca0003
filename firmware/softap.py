"""The stations on the softAP: who has come, who has an address, who has gone. MicroPython's ports report no events,
so their list is polled; `report(text)` gets the lines for the host."""

from micropython import const

from firmware.loop import Timer

_LOOK_MS = const(300)


def stations(wlan):
    """Pairs of MAC address and IP address (None without one) of the stations on the softAP.

    Before MicroPython 1.29 the ESP32's port does not tell the IP addresses, before 1.25 the ESP8266's has no list."""
    try:
        found = wlan.status("stations")
    except (OSError, RuntimeError, ValueError):  # the softAP is off, on the ESP32; there is no list
        return []
    return [(entry[0], entry[1] if len(entry) > 1 and entry[1] != "0.0.0.0" else None) for entry in found]


class Watch:
    """Tells of the stations while it runs."""

    def __init__(self, loop, wlan, report):
        self._wlan = wlan
        self._report = report
        self._known = ()
        self._timer = Timer(loop, self.look)

    def stop(self):
        """The softAP is off, and nobody is on it."""
        self.look()
        self._timer.stop()

    def look(self):
        """Reports what has changed since the last time."""
        self._timer.start(_LOOK_MS)
        found = stations(self._wlan)
        if found == self._known:
            return
        known, self._known = self._known, found
        before, now = dict(known), dict(found)
        for mac, _ in known:
            if mac not in now:
                self._tell("STA_DISCONNECTED", mac)
        for mac, ip in found:
            if mac not in before:
                self._tell("STA_CONNECTED", mac)
            if ip and ip != before.get(mac):
                self._tell("DIST_STA_IP", mac, ',"%s"' % ip)

    def _tell(self, name, mac, more=""):
        self._report(('+%s:"%s"%s\r\n' % (name, ":".join("%02x" % byte for byte in mac), more)).encode())
