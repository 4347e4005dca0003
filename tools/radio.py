"""The radio of the simulated chip as network.WLAN shows it: its station, its softAP, and the air around them.
What is common to both chips is here; radio_esp32 and radio_esp8266 hold what each does in its own way."""

import time
from types import MappingProxyType

from .radio_air import is_address
from .radio_softap import Refused, Stations

STATION, SOFT_AP = 0, 1

# Seconds that a station takes to find out that a network is not there.
SCAN_TIME = 0.1

NO_ADDRESS = ("0.0.0.0", "0.0.0.0", "0.0.0.0")
# A change of these makes the softAP another network, which its stations have to join anew.
_AP_IDENTITY = {"mac", "ssid", "hidden", "security", "key", "channel"}


class Radio:
    """Both interfaces of the chip. Methods named wlan_* and net_* are what the chip's code can call.

    They raise what the chip raises; a parameter that is ... was not given. Time passes lazily: each call first brings
    the state up to date.
    """

    HOSTNAME = "mpy-esp"
    AP_SSID = "MicroPython"
    # For each option of config(): whether it can be read and written, and the interface that it needs.
    OPTIONS = MappingProxyType({})
    # Other names of these options.
    ALIASES = MappingProxyType(
        {"essid": "ssid", "authmode": "security", "password": "key", "dhcp_hostname": "hostname"}
    )

    def __init__(self, access_points, mac, clock=time.monotonic):
        self.access_points = access_points
        self._clock = clock
        self._mac = mac
        self.scan_ms = 0  # how long a scan takes: on a chip about two seconds
        self.power_on()

    def power_on(self):
        """The state after any reset of the chip."""
        self.active = [False, False]
        self.ap = None
        self.online = False
        self.target = None
        self.due = None
        self.dhcp = True
        self.ip = NO_ADDRESS
        self.dns = "0.0.0.0"
        self.hostname = self.HOSTNAME
        self.country = "XX"
        ap_mac = self.soft_ap_mac(self._mac)
        self.settings = [
            {"mac": self._mac, "ssid": b"", "channel": 1, "bandwidth": 2, "ifname": "st1"},
            {"mac": ap_mac, "ssid": self.AP_SSID.encode(), "channel": 1, "bandwidth": 2, "ifname": "ap1"},
        ]
        for settings in self.settings:
            settings.update(hidden=False, security=0, key=b"", max_clients=4, txpower=20.0, protocol=7, pm=1)
        self.soft_ap_address = ["192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0"]
        self.stations = Stations(self._clock)

    @staticmethod
    def soft_ap_mac(mac):
        raise NotImplementedError

    # What the bench does.

    def named(self, name):
        """The access points of that name, or the one with that BSSID."""
        return [ap for ap in self.access_points if name.encode() == ap.ssid or name == ap.bssid.hex(":")]

    def let_in(self, mac, key, own_address):
        """A station comes to the softAP, with a password or (None) the right one; raises Refused."""
        settings = self.settings[SOFT_AP]
        self.settle()
        if not self.active[SOFT_AP]:
            raise Refused("the softAP is off")
        if key is not None and key.encode() != settings["key"] and settings["security"]:
            raise Refused("that is not the softAP's password")
        self.stations.join(mac, settings["max_clients"], own_address)

    @classmethod
    def keywords(cls, method):
        """What a method with **options takes by name; for all else it raises a ValueError, as the chip does."""
        if method == "wlan_config":
            known = {name for name, (access, _) in cls.OPTIONS.items() if "w" in access}
            return known | {name for name, other in cls.ALIASES.items() if other in known}
        return {"wlan_ipconfig": ("dhcp4", "addr4", "gw4"), "net_ipconfig": ("dns",)}[method]

    def call(self, name, arguments, options):
        """Runs one request of the chip; `name` is a method without its prefix, with a dot before that."""
        kind, _, method = name.partition(".")
        function = getattr(self, f"{'wlan' if kind == 'wlan' else 'net'}_{method}", None)
        if function is None:
            raise AttributeError(f"'{kind}' object has no attribute '{method}'")
        self.settle()
        return function(*arguments, **options)

    # Joining a network: find() and judge() decide, settle() lets time pass, the chips do the rest.

    def find(self):
        """The access point in range that the chip takes for its target, or None."""
        ssid, _, bssid = self.target  # bytes, whatever the chip's code has given
        fits = [a for a in self.access_points if a.up and a.ssid == ssid and bssid in (None, a.bssid)]
        return self.choose(fits) if fits else None

    def choose(self, access_points):
        """Which of the access points of one network the chip takes."""
        raise NotImplementedError

    def begin(self, now=None, pause=0.0):
        """Starts an attempt to join the target, `pause` seconds from now."""
        ap = self.find()
        self.due = (self._clock() if now is None else now) + pause
        self.due += SCAN_TIME if ap is None else ap.join_ms / 1000

    def settle(self):
        """Brings the state up to the present."""
        if self.ap is not None and not self.ap.up:
            self.lost()
        while self.due is not None and self._clock() >= self.due:
            # A chip that nobody asked for hours has tried often; only the last second matters.
            now = max(self.due, self._clock() - 1)
            self.due = None
            self.attempt(self.find(), now)
        self._address()

    def lost(self):
        raise NotImplementedError

    def attempt(self, ap, now):
        raise NotImplementedError

    def got_address(self):
        pass

    def joined(self, ap):
        self.ap = ap
        self._address()

    def left(self):
        """Forgets the network and the attempt to join one."""
        self.ap = self.due = None
        self.online = False
        if self.dhcp:
            self.ip = NO_ADDRESS

    def _address(self):
        """What DHCP has to say: an address, or another one than before."""
        if self.ap is None:
            return
        if self.dhcp and self.ap.dhcp:
            self.ip = self.ap.address, self.ap.netmask, self.ap.gateway
            self.dns = self.ap.dns
        if self.ip[0] != NO_ADDRESS[0] and not self.online:
            self.online = True
            self.got_address()

    # network.WLAN; the first parameter is the interface.

    def wlan_isconnected(self, interface):
        return self.online if interface == STATION else len(self.stations) > 0

    def wlan_ifconfig(self, interface, value=..., /):
        if value is ...:
            return (*self.ip, self.dns) if interface == STATION else tuple(self.soft_ap_address)
        if value == "dhcp" and interface == STATION:
            self.use_dhcp(True)
            return None
        address, netmask, gateway, dns = _four(value)
        self._use_static(interface, (address, _netmask(netmask), gateway))
        if interface == STATION:
            self.dns = dns
        return None

    def wlan_ipconfig(self, interface, key=..., /, **options):
        now = self.ip if interface == STATION else tuple(self.soft_ap_address[:3])
        if not options:
            if key is ...:
                raise TypeError("must query one param")
            return self._ipconfig_value(interface, key, now)
        if key is not ...:
            raise TypeError("can't specify pos and kw args")
        static = None
        for name, value in options.items():
            if name == "dhcp4" and interface == STATION:
                self.use_dhcp(bool(value))
            elif name == "addr4":
                static = (*_address_and_mask(value, now[1]), (static or now)[2])
            elif name == "gw4":
                static = (*(static or now)[:2], value)
            else:
                raise ValueError("unexpected key")
        if static:
            self._use_static(interface, static)
        return None

    def _ipconfig_value(self, interface, key, now):
        if key == "dhcp4" and interface == STATION:
            return self.dhcp
        if key == "addr4":
            return now[:2]
        if key == "gw4":
            return now[2]
        raise ValueError("unexpected key")

    def use_dhcp(self, dhcp):
        """Starts or stops the station's DHCP client; a start does away with the address that there is."""
        if dhcp and not self.dhcp:
            self.ip = NO_ADDRESS
        self.dhcp = dhcp
        self._address()

    def _use_static(self, interface, static):
        if not all(map(is_address, static)):
            raise ValueError("invalid arguments")
        if interface == SOFT_AP:
            self.soft_ap_address[:3] = static
            self.stations.moved()
            return
        self.dhcp = False
        self.ip = static
        self._address()

    def wlan_config(self, interface, name=..., /, **options):
        if name is not ... and options:
            raise TypeError("either pos or kw args are allowed")
        if options:
            self._set_options(interface, options)
            return None
        if name is ...:
            raise TypeError("can query only one param")
        name, access, needs = self._option(name)
        if "r" not in access:
            raise ValueError("unknown config param")
        # Unlike for setting, the station may be asked for its ssid.
        self._require(interface, STATION if name == "hostname" else None if name == "ssid" else needs)
        if name == "channel":
            return self._channel(interface)
        value = self.hostname if name == "hostname" else self.settings[interface][name]
        try:
            return value.decode() if name == "ssid" else value
        except UnicodeDecodeError:
            raise UnicodeError from None

    def _channel(self, interface):
        """There is one radio: where the station is, the softAP is, too."""
        return self.ap.channel if self.ap else self.settings[SOFT_AP if self.active[SOFT_AP] else interface]["channel"]

    def _set_options(self, interface, options):
        given = {}
        for key, value in options.items():
            name, access, needs = self._option(key)
            if "w" not in access:
                raise ValueError("unknown config param")
            self._require(interface, needs)
            if name == "mac" and len(value) != 6:
                raise ValueError("invalid buffer length")
            given[name] = value
        if "hostname" in given:
            self.net_hostname(given.pop("hostname"))
        wanted = self.settings[interface] | given
        wanted["ssid"] = octets(wanted["ssid"])[:32]
        wanted["key"] = octets(wanted["key"])[:63]
        wanted["hidden"] = bool(wanted["hidden"])
        self.check_options(interface, given, wanted)
        now = self.settings[interface]
        if interface == SOFT_AP and any(now[name] != wanted[name] for name in _AP_IDENTITY):
            self.stations.gone()
        self.settings[interface] = wanted

    def check_options(self, interface, given, wanted):
        """Raises what the chip does when it cannot have these settings; may change them to what it takes."""
        raise NotImplementedError

    def _option(self, name):
        name = self.ALIASES.get(name, name)
        if name not in self.OPTIONS:
            raise ValueError("unknown config param")
        return (name, *self.OPTIONS[name])

    def _require(self, interface, needs):
        if needs is not None and interface != needs:
            raise OSError("STA required" if needs == STATION else "AP required")

    def switch(self, interface, active):
        """Switches an interface on or off; what the station has to do then is the chips' matter."""
        if interface == SOFT_AP and not active:
            self.stations.gone()
        self.active[interface] = active

    def in_range(self):
        """The access points that a scan shows, as (ssid, access point)."""
        return [(b"" if ap.hidden else ap.ssid, ap) for ap in self.access_points if ap.up]

    # The functions of the module network.

    def net_hostname(self, name=..., /):
        if name is ...:
            return self.hostname
        if len(name) > 32:
            raise ValueError
        self.hostname = name
        return None

    def net_country(self, code=..., /):
        if code is ...:
            return self.country
        if len(code) != 2:
            raise ValueError
        self.country = code
        return None

    def net_ipconfig(self, key=..., /, **options):
        if options and key is not ...:
            raise TypeError("can't specify pos and kw args")
        if set(options or (key,)) != {"dns"}:
            raise ValueError("unexpected key")
        if options:
            self.dns = options["dns"]
            return None
        return self.dns


def octets(value):
    """The bytes of a string, which the chip's code may give as str or bytes; None is an empty one."""
    return value.encode() if isinstance(value, str) else value or b""


def _four(value):
    if len(value) != 4:
        raise ValueError(f"requested length 4 but object has length {len(value)}")
    return value


def _netmask(value):
    """A netmask from itself or from the number of its bits."""
    if isinstance(value, str):
        return value
    bits = (0xFFFFFFFF << (32 - value)) & 0xFFFFFFFF
    return ".".join(str(byte) for byte in bits.to_bytes(4, "big"))


def _address_and_mask(value, netmask):
    """Address and netmask from "a.b.c.d", "a.b.c.d/24" or (address, netmask)."""
    if not isinstance(value, str):
        address, netmask = value
        return address, netmask
    address, _, bits = value.partition("/")
    return address, _netmask(int(bits)) if bits else netmask
