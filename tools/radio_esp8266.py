"""The radio of the ESP8266, as MicroPython's network_wlan.c for it and the vendor's SDK behave.
The SDK keeps the mode and the network in its own flash and joins that network again after each reset."""

from types import MappingProxyType

from .radio import SECURITY, SOFT_AP, STATION, Radio

_IDLE, _CONNECTING, _WRONG_PASSWORD, _NO_AP_FOUND, _CONNECT_FAIL, _GOT_IP = range(6)
# What the SDK answers while the station is off, and for the signal without a network.
_NOT_A_STATION = 255
_NO_RSSI = 31

# Seconds between two attempts of the SDK.
_RETRY_PAUSE = 1.0


class Esp8266Radio(Radio):
    HOSTNAME = "mpy-esp8266"
    AP_SSID = "MicroPython-c0ffee"
    OPTIONS = MappingProxyType(
        {
            "mac": ("rw", None),
            "ssid": ("rw", SOFT_AP),
            "hidden": ("rw", SOFT_AP),
            "security": ("rw", SOFT_AP),
            "key": ("w", SOFT_AP),
            "channel": ("rw", None),
            "hostname": ("rw", None),
            "protocol": ("rw", None),
            "txpower": ("w", None),
            "pm": ("rw", None),
        }
    )

    def __init__(self, access_points, mac, **options):
        # A new chip is an access point.
        self._saved_mode, self._saved_target = [False, True], None
        super().__init__(access_points, mac, **options)

    def power_on(self):
        super().power_on()
        self.state = _IDLE
        for settings in self.settings:
            settings["pm"] = 2
        self.active = self._saved_mode
        self.target = self._saved_target
        if self.active[STATION] and self.target:
            self._start()

    @staticmethod
    def soft_ap_mac(mac):
        return bytes((mac[0] | 2,)) + mac[1:]

    def _start(self):
        self.settings[STATION]["ssid"] = self.target[0]
        self.state = _CONNECTING
        self.begin()

    def attempt(self, ap, now):
        self.state = self._outcome(ap)
        if self.state == _CONNECTING:
            self.joined(ap)
        else:
            self.begin(now, _RETRY_PAUSE)

    def _outcome(self, ap):
        """The state after an attempt; _CONNECTING while only the address is missing."""
        if ap is None:
            return _NO_AP_FOUND
        if SECURITY[ap.security] in (SECURITY["WPA2-ENT"], SECURITY["WPA3"]):
            return _CONNECT_FAIL
        return _CONNECTING if ap.security == "OPEN" or self.target[1] == ap.password else _WRONG_PASSWORD

    def lost(self):
        self.left()
        self._start()

    def got_address(self):
        self.state = _GOT_IP

    def wlan_active(self, interface, *value):
        if not value:
            return self.active[interface]
        self.active[interface] = bool(value[0])
        if interface == STATION and not value[0]:
            self.left()
            self.state = _IDLE
        return None

    def wlan_connect(self, interface, ssid=None, key=None, *, bssid=None):
        self._require(interface, STATION)
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if ssid is not None or key is not None or bssid is not None:
            self.target = self._saved_target = (ssid or "", key or "", bssid)
        if not self.active[STATION] or self.target is None:
            raise OSError("Cannot connect to AP")
        self.left()
        self._start()

    def wlan_disconnect(self, interface):
        self._require(interface, STATION)
        if not self.active[STATION]:
            raise OSError("Cannot disconnect from AP")
        self.left()
        self.state = _IDLE

    def wlan_status(self, interface, *name):
        if not name:
            if interface == SOFT_AP:
                return -1
            return self.state if self.active[STATION] else _NOT_A_STATION
        if name[0] == "rssi" and interface == STATION:
            return self.ap.rssi if self.ap else _NO_RSSI
        if name[0] == "stations" and interface == SOFT_AP:
            return []
        raise ValueError("unknown status param")

    def wlan_scan(self, interface):
        self._require(interface, STATION)
        if not self.active[STATION]:
            raise OSError("STA must be active")
        return [
            (ssid, ap.bssid, ap.channel, ap.rssi, _shown_security(ap), int(ap.hidden)) for ssid, ap in self.in_range()
        ]

    def net_phy_mode(self, *mode):
        if mode:
            self.settings[STATION]["protocol"] = mode[0]
            return None
        return self.settings[STATION]["protocol"]


def _shown_security(ap):
    """The SDK knows nothing that came after WPA/WPA2 and shows it as WPA2."""
    number = SECURITY[ap.security]
    return number if number <= SECURITY["WPA/WPA2"] else SECURITY["WPA2"]
