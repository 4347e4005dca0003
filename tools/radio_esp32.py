"""The radio of the ESP32 family, as MicroPython's network_wlan.c for it behaves.
A failed or lost connection leaves its reason in status() until an address is got."""

from types import MappingProxyType

from .radio import NO_ADDRESS, SOFT_AP, STATION, Radio, octets
from .radio_air import SECURITY

_IDLE, _CONNECTING, _GOT_IP = 1000, 1001, 1010
_ASSOC_LEAVE, _BEACON_TIMEOUT, _NO_AP_FOUND, _AUTH_FAIL = 8, 200, 201, 202
_NO_COMPATIBLE_SECURITY, _NO_AP_IN_AUTHMODE = 210, 211
# 802.11b, bg or bgn, with or without the long range, and that alone.
_PROTOCOLS = (1, 3, 7, 8, 9, 11, 15)
# What a softAP may have; WEP is not among it.
_AP_SECURITY = [SECURITY[name] for name in ("OPEN", "WPA", "WPA2", "WPA/WPA2", "WPA3", "WPA2/WPA3")]
# The reasons that status() shows even while another attempt runs.
_STICKY = (_NO_AP_FOUND, _AUTH_FAIL, _NO_COMPATIBLE_SECURITY, _NO_AP_IN_AUTHMODE)

# The powers that the radio has, in units of 0.25 dBm.
_POWERS = (8, 20, 28, 34, 44, 52, 56, 60, 66, 72, 78)


class Esp32Radio(Radio):
    HOSTNAME = "mpy-esp32"
    AP_SSID = "ESP_C0FFEE"
    OPTIONS = MappingProxyType(
        {
            "mac": ("rw", None),
            "ssid": ("rw", SOFT_AP),
            "hidden": ("rw", SOFT_AP),
            "security": ("rw", SOFT_AP),
            "key": ("w", SOFT_AP),
            "channel": ("rw", None),
            "bandwidth": ("rw", None),
            "ifname": ("r", None),
            "hostname": ("rw", None),
            "max_clients": ("rw", SOFT_AP),
            "reconnects": ("rw", STATION),
            "txpower": ("rw", None),
            "protocol": ("rw", None),
            "pm": ("rw", None),
        }
    )

    def power_on(self):
        super().power_on()
        self.reason = 0
        self.requested = False
        self.attempts = 0
        # What the radio was last switched on as, which it goes on being while it is off.
        self.mode = [True, False]
        for settings in self.settings:
            settings["txpower"] = 19.5
        # -1: the radio tries for ever to come back to a network that it has lost.
        self.settings[STATION]["reconnects"] = -1

    @staticmethod
    def soft_ap_mac(mac):
        return mac[:5] + bytes((mac[5] + 1,))

    def choose(self, access_points):
        # The port asks for the fast scan, which begins at channel 1 and ends with the first that fits.
        return min(access_points, key=lambda ap: (ap.channel, -ap.rssi))

    def use_dhcp(self, dhcp):
        if not dhcp and self.dhcp:
            self.ip = NO_ADDRESS
        super().use_dhcp(dhcp)

    def attempt(self, ap, now):
        reason = self._refusal(ap)
        if reason:
            self._disconnected(reason, now)
        else:
            self.joined(ap)

    def _refusal(self, ap):
        """Why the access point cannot be joined, 0 if it can."""
        key = self.target[1]
        if ap is None:
            return _NO_AP_FOUND
        if len(key) >= 8 and SECURITY[ap.security] < SECURITY["WPA2"]:
            # With a password of WPA2's length the radio accepts nothing weaker than WPA2.
            return _NO_AP_IN_AUTHMODE
        if not key and ap.security != "OPEN":
            return _NO_COMPATIBLE_SECURITY
        return 0 if ap.lets_in(key) else _AUTH_FAIL

    def lost(self):
        self._disconnected(_BEACON_TIMEOUT, None)

    def got_address(self):
        self.reason = 0

    def _disconnected(self, reason, now):
        self.left()
        self.reason = reason
        if not (self.requested and self.active[STATION]):
            return
        self.attempts += 1
        if not self._exhausted():
            self.begin(now)

    def _exhausted(self):
        reconnects = self.settings[STATION]["reconnects"]
        return reconnects != -1 and self.attempts >= reconnects + 1

    def wlan_active(self, interface, value=..., /):
        if value is ...:
            return self.active[interface]
        self.switch(interface, bool(value))
        if any(self.active):
            self.mode = self.active.copy()
        if interface == STATION:
            if not value and (self.ap or self.due):
                self._disconnected(_ASSOC_LEAVE, None)
            self.attempts = 0
        return self.active[interface]

    def wlan_connect(self, interface, ssid=None, key=None, /, *, bssid=None):
        if bssid is not None and len(bssid) != 6:
            raise ValueError
        if not any(self.active):
            raise OSError("Wifi Not Started")
        if not self.active[STATION]:
            raise OSError("Wifi Invalid Mode")
        if self.ap or self.due:
            raise OSError("Wifi Internal Error")
        if ssid is not None or key is not None or bssid is not None:
            self.target = (octets(ssid), octets(key), bssid)
            self.settings[STATION]["ssid"] = self.target[0]
        elif self.target is None:
            raise OSError("Wifi SSID Invalid")
        self.attempts = 0
        self.requested = True
        self.begin()

    def wlan_disconnect(self, interface):
        self.requested = False
        if not any(self.active):
            raise OSError("Wifi Not Started")
        if self.ap or self.due:
            self._disconnected(_ASSOC_LEAVE, None)

    def wlan_status(self, interface, name=..., /):
        if name is ...:
            return self._status() if interface == STATION else None
        if name == "stations":
            self._require(interface, SOFT_AP)
            if not self.active[SOFT_AP]:
                raise OSError("Wifi Invalid Mode" if self.active[STATION] else "Wifi Not Started")
            return self.stations.listed(*self.soft_ap_address[:2])
        if name != "rssi":
            raise ValueError("unknown status param")
        self._require(interface, STATION)
        if self.ap is None:
            raise OSError("Wifi Not Connected")
        return self.ap.rssi

    def _status(self):
        if self.online:
            return _GOT_IP
        if self.reason in _STICKY:
            return self.reason
        if self.reason == _ASSOC_LEAVE:
            return _IDLE
        if self.requested and not self._exhausted():
            return _CONNECTING
        return self.reason or _IDLE

    def wlan_scan(self, interface):
        if not self.active[STATION]:
            raise OSError("STA must be active")
        if self.due is not None:
            # The radio does not scan while it joins, and the port takes that for an empty result.
            return []
        found = sorted(self.in_range(), key=lambda item: -item[1].rssi)
        # This port shows no access point as hidden.
        return [(ssid, ap.bssid, ap.channel, ap.rssi, SECURITY[ap.security], False) for ssid, ap in found]

    def check_options(self, interface, given, wanted):
        if not self.mode[interface]:
            raise OSError("Wifi Invalid Mode")
        if "mac" in given:
            other = self.settings[1 - interface]["mac"]
            if given["mac"][0] & 1 or not any(given["mac"]) or given["mac"] == other:
                raise OSError("Wifi Invalid MAC Address")
            if interface == STATION and (self.ap or self.due):
                raise OSError("Wifi Internal State Error")
        if "txpower" in given:
            if not any(self.active):
                raise OSError("Wifi Not Started")
            wanted["txpower"] = max(power for power in _POWERS if power <= given["txpower"] * 4) / 4
        if wanted["protocol"] not in _PROTOCOLS or wanted["bandwidth"] not in (1, 2):
            raise RuntimeError("Wifi Unknown Error 0x0102")
        if interface == STATION:
            return
        if not wanted["ssid"]:
            raise OSError("Wifi SSID Invalid")
        if wanted["security"] and len(wanted["key"]) < 8:
            raise OSError("Wifi Invalid Password")
        if (
            wanted["security"] not in _AP_SECURITY
            or not 1 <= wanted["channel"] <= 13
            or not 1 <= wanted["max_clients"] <= 15
        ):
            raise RuntimeError("Wifi Unknown Error 0x0102")

    def net_phy_mode(self, mode=None, /):
        return None
