"""The radio of the ESP8266, as MicroPython's network_wlan.c for it and the vendor's SDK behave.
The SDK keeps the mode and the network in its own flash and joins that network again after each reset."""

from types import MappingProxyType

from .radio import SOFT_AP, STATION, Radio, octets
from .radio_air import SECURITY

_IDLE, _CONNECTING, _WRONG_PASSWORD, _NO_AP_FOUND, _CONNECT_FAIL, _GOT_IP = range(6)
# What the SDK answers while the station is off, and for the signal without a network.
_NOT_A_STATION = 255
_NO_RSSI = 31

# What a softAP may have.
_AP = [SECURITY[name] for name in ("OPEN", "WPA", "WPA2", "WPA/WPA2")]

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
        # A new chip is an access point, with the password that MicroPython's set-up gives it.
        self._saved_mode, self._saved_target = [False, True], None
        self._saved_ap = {"security": SECURITY["WPA/WPA2"], "key": b"micropythoN"}
        super().__init__(access_points, mac, **options)

    def power_on(self):
        super().power_on()
        self.state = _IDLE
        for settings in self.settings:
            settings["pm"] = 2
        self.active = self._saved_mode
        self.settings[SOFT_AP].update(self._saved_ap)
        for settings in self.settings:
            settings["protocol"] = 3
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

    def choose(self, access_points):
        return max(access_points, key=lambda ap: ap.rssi)

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
        return _CONNECTING if ap.lets_in(self.target[1]) else _WRONG_PASSWORD

    def lost(self):
        self.left()
        self._start()

    def got_address(self):
        self.state = _GOT_IP

    def use_dhcp(self, dhcp):
        if dhcp and not self.dhcp and self.ap:
            self.online = False
            self.state = _CONNECTING
        super().use_dhcp(dhcp)

    def wlan_active(self, interface, value=..., /):
        if value is ...:
            return self.active[interface]
        self.switch(interface, bool(value))
        if interface == STATION and not value:
            self.left()
            self.state = _IDLE
        return None

    def wlan_connect(self, interface, ssid=None, key=None, /, *, bssid=None):
        self._require(interface, STATION)
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if ssid is not None or key is not None or bssid is not None:
            self.target = self._saved_target = (octets(ssid), octets(key), bssid)
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

    def wlan_status(self, interface, name=..., /):
        if name is ...:
            if interface == SOFT_AP:
                return -1
            return self.state if self.active[STATION] else _NOT_A_STATION
        if name == "rssi" and interface == STATION:
            return self.ap.rssi if self.ap else _NO_RSSI
        if name == "stations" and interface == SOFT_AP:
            found = self.stations.listed(*self.soft_ap_address[:2])
            return [(mac, ip or "0.0.0.0") for mac, ip in found]
        raise ValueError("unknown status param")

    def wlan_scan(self, interface):
        self._require(interface, STATION)
        if not self.active[STATION]:
            raise OSError("STA must be active")
        return [
            (ssid, ap.bssid, ap.channel, ap.rssi, _shown_security(ap), int(ap.hidden)) for ssid, ap in self.in_range()
        ]

    def check_options(self, interface, given, wanted):
        if "mac" in given and (given["mac"][0] & 1 or not any(given["mac"]) or self.ap or self.due):
            # The port does not look at what the SDK answers.
            wanted["mac"] = self.settings[interface]["mac"]
        if "protocol" in given:
            self.net_phy_mode(given["protocol"])
            wanted["protocol"] = self.settings[interface]["protocol"]
        if not 1 <= wanted["channel"] <= 14:
            raise OSError("can't set channel")
        if not self.active[interface]:
            raise OSError("can't set STA config" if interface == STATION else "can't set AP config")
        if interface == STATION:
            return
        if not wanted["ssid"] or (wanted["security"] and len(wanted["key"]) < 8) or wanted["security"] not in _AP:
            raise OSError("can't set AP config")
        # The SDK keeps the softAP's settings in its own flash, whoever makes them.
        self._saved_ap = {name: wanted[name] for name in ("ssid", "key", "security", "channel", "hidden")}

    def net_phy_mode(self, mode=..., /):
        if mode is not ...:
            if mode in (1, 2, 3):
                for settings in self.settings:
                    settings["protocol"] = mode
            return None
        return self.settings[STATION]["protocol"]


def _shown_security(ap):
    """The SDK knows nothing that came after WPA/WPA2 and shows it as WPA2."""
    number = SECURITY[ap.security]
    return number if number <= SECURITY["WPA/WPA2"] else SECURITY["WPA2"]
