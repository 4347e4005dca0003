"""The air around the simulated chip: its access points, and the chip's radio as network.WLAN shows it.
What is common to both chips is here; radio_esp32 and radio_esp8266 hold what each does in its own way."""

import time
from types import MappingProxyType

STATION, SOFT_AP = 0, 1

# Seconds that a station takes to find out that a network is not there.
SCAN_TIME = 0.1

# The numbers that scan() and config(security=) use; both chips agree on them as far as the ESP8266 goes.
SECURITY = {
    "OPEN": 0,
    "WEP": 1,
    "WPA": 2,
    "WPA2": 3,
    "WPA/WPA2": 4,
    "WPA2-ENT": 5,
    "WPA3": 6,
    "WPA2/WPA3": 7,
}

DEFAULT_NETWORK = {"ssid": "mpy-at", "password": "12345678"}


class WifiFileError(Exception):
    """The Wi-Fi file does not say what it should; the message is one line."""


class AccessPoint:
    """One access point in range, as a table [[ap]] of the Wi-Fi file describes it."""

    # Each key of the table with its type; the values are the defaults.
    KEYS = MappingProxyType(
        {
            "ssid": "",
            "password": "",
            "bssid": "",
            "channel": 6,
            "rssi": -40,
            "security": "",
            "join_ms": 100,
            "address": "127.0.0.1",
            "netmask": "255.0.0.0",
            "gateway": "127.0.0.1",
            "dns": "",
            "ntp_port": 123,
            "hidden": False,
            "dhcp": True,
        }
    )

    def __init__(self, table, number=0):
        for key, value in table.items():
            if key not in self.KEYS:
                raise WifiFileError(f"unknown key {key!r}")
            if type(value) is not type(self.KEYS[key]):
                raise WifiFileError(f"{key} is of the wrong type")
        vars(self).update({**self.KEYS, **table})
        if not self.ssid:
            raise WifiFileError("ssid is missing")
        self.security = self.security or ("WPA2" if self.password else "OPEN")
        if self.security not in SECURITY:
            raise WifiFileError(f"security must be one of {', '.join(SECURITY)}")
        try:
            self.bssid = bytes.fromhex(self.bssid.replace(":", "")) or bytes((2, 109, 112, 121, 97, number))
        except ValueError:
            raise WifiFileError("bssid must be six bytes in hex") from None
        if len(self.bssid) != 6:
            raise WifiFileError("bssid must be six bytes in hex")
        self.dns, _, port = (self.dns or _name_server()).partition(":")
        # A chip always asks port 53; a test's own server may have another, which ordinary users may open.
        self.dns_port = int(port) if port.isdigit() else 53
        self.up = True


def read_wifi_file(path):
    """Returns the access points of a TOML file; raises WifiFileError or OSError."""
    try:
        import tomllib
    except ImportError:
        import tomli as tomllib
    with open(path, "rb") as file:
        try:
            tables = tomllib.load(file)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WifiFileError(str(error)) from None
    if not isinstance(tables.get("ap"), list) or len(tables) != 1:
        raise WifiFileError("expected tables [[ap]] and nothing else")
    found = []
    for number, table in enumerate(tables["ap"], 1):
        try:
            found.append(AccessPoint(table, number))
        except WifiFileError as error:
            raise WifiFileError(f"[[ap]] number {number}: {error}") from None
    return found


def _name_server():
    """The PC's own first IPv4 name server, since the simulated network leads to where the PC's does."""
    try:
        with open("/etc/resolv.conf") as file:
            for words in map(str.split, file):
                if len(words) > 1 and words[0] == "nameserver" and words[1].count(".") == 3:
                    return words[1]
    except OSError:
        pass
    return "127.0.0.1"


class Radio:
    """Both interfaces of the chip. Methods named wlan_* and net_* are what the chip's code can call.

    They raise what the chip raises. Time passes lazily: each call first brings the state up to date.
    """

    HOSTNAME = "mpy-esp"
    AP_SSID = "MicroPython"
    # For each option of config(): whether it can be read and written, and the interface that it needs.
    OPTIONS = MappingProxyType({})

    def __init__(self, access_points, mac, clock=time.monotonic):
        self.access_points = access_points
        self._clock = clock
        self._mac = mac
        self.power_on()

    def power_on(self):
        """The state after any reset of the chip."""
        self.active = [False, False]
        self.ap = None
        self.online = False
        self.target = None
        self.due = None
        self.static = None
        self.dns = "0.0.0.0"
        self.hostname = self.HOSTNAME
        self.country = "XX"
        ap_mac = self.soft_ap_mac(self._mac)
        self.settings = [
            {"mac": self._mac, "ssid": "", "channel": 1, "bandwidth": 1, "ifname": "st1"},
            {"mac": ap_mac, "ssid": self.AP_SSID, "channel": 1, "bandwidth": 1, "ifname": "ap1"},
        ]
        for settings in self.settings:
            settings.update(hidden=False, security=0, max_clients=4, txpower=20.0, protocol=7, pm=1)
        self.soft_ap_address = ["192.168.4.1", "255.255.255.0", "192.168.4.1", "0.0.0.0"]

    @staticmethod
    def soft_ap_mac(mac):
        raise NotImplementedError

    def set_up(self, ssid, up):
        """Switches the access points of that name on or off; returns False if there are none."""
        named = [ap for ap in self.access_points if ap.ssid == ssid]
        for ap in named:
            ap.up = up
        self.settle()
        return bool(named)

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
        """The strongest access point in range that the target names, or None."""
        ssid, _, bssid = self.target
        fits = [a for a in self.access_points if a.up and a.ssid == ssid and bssid in (None, a.bssid)]
        return max(fits, key=lambda ap: ap.rssi, default=None)

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
        self.settings[STATION]["channel"] = ap.channel
        self._address()

    def left(self):
        """Forgets the network and the attempt to join one."""
        self.ap = self.due = None
        self.online = False

    def _address(self):
        if self.ap is None or self.online or not (self.static or self.ap.dhcp):
            return
        self.online = True
        if not self.static:
            self.dns = self.ap.dns
        self.got_address()

    # network.WLAN; the first parameter is the interface.

    def wlan_isconnected(self, interface):
        return self.online if interface == STATION else False

    def wlan_ifconfig(self, interface, *value):
        if interface == SOFT_AP:
            return self._soft_ap_ifconfig(*value)
        if not value:
            return (*self.address(), self.dns)
        if value[0] == "dhcp":
            self.static = None
            return None
        address, netmask, gateway, self.dns = _four(value[0])
        self._use_static([address, _netmask(netmask), gateway])
        return None

    def _soft_ap_ifconfig(self, *value):
        if not value:
            return tuple(self.soft_ap_address)
        address, netmask, gateway, dns = _four(value[0])
        self.soft_ap_address = [address, _netmask(netmask), gateway, dns]
        return None

    def wlan_ipconfig(self, interface, *key, **options):
        now = self.address() if interface == STATION else self.soft_ap_address[:3]
        if not options:
            if len(key) != 1:
                raise TypeError("must query one param")
            return self._ipconfig_value(interface, key[0], now)
        if key:
            raise TypeError("can't specify pos and kw args")
        static = None
        for name, value in options.items():
            if name == "dhcp4" and interface == STATION:
                self.static = None if value else now
            elif name == "addr4":
                static = [*_address_and_mask(value, now[1]), (static or now)[2]]
            elif name == "gw4":
                static = [*(static or now)[:2], value]
            else:
                raise ValueError("unexpected key")
        if static and interface == STATION:
            self._use_static(static)
        elif static:
            self.soft_ap_address[:3] = static
        return None

    def _ipconfig_value(self, interface, key, now):
        if key == "dhcp4":
            return self.static is None if interface == STATION else True
        if key == "addr4":
            return tuple(now[:2])
        if key == "gw4":
            return now[2]
        raise ValueError("unexpected key")

    def address(self):
        """The station's address, netmask and gateway."""
        if self.static:
            return self.static
        if self.online:
            return [self.ap.address, self.ap.netmask, self.ap.gateway]
        return ["0.0.0.0"] * 3

    def _use_static(self, static):
        self.static = static
        self._address()

    def wlan_config(self, interface, *names, **options):
        if names and options:
            raise TypeError("either pos or kw args are allowed")
        for name, value in options.items():
            self._set_option(interface, name, value)
        if options:
            return None
        if len(names) != 1:
            raise TypeError("can query only one param")
        name, access, needs = self._option(names[0])
        if "r" not in access:
            raise ValueError("unknown config param")
        # Unlike for setting, the station may be asked for its ssid.
        self._require(interface, STATION if name == "hostname" else None if name == "ssid" else needs)
        return self.hostname if name == "hostname" else self.settings[interface][name]

    def _set_option(self, interface, name, value):
        name, access, needs = self._option(name)
        if "w" not in access:
            raise ValueError("unknown config param")
        self._require(interface, needs)
        if name == "mac" and len(value) != 6:
            raise ValueError("invalid buffer length")
        if name == "hostname":
            self.net_hostname(value)
        elif name == "ssid":
            self.settings[interface][name] = value[:32]
        else:
            self.settings[interface][name] = value

    def _option(self, name):
        aliases = {"essid": "ssid", "authmode": "security", "password": "key", "dhcp_hostname": "hostname"}
        name = aliases.get(name, name)
        if name not in self.OPTIONS:
            raise ValueError("unknown config param")
        return (name, *self.OPTIONS[name])

    def _require(self, interface, needs):
        if needs is not None and interface != needs:
            raise OSError("STA required" if needs == STATION else "AP required")

    def in_range(self):
        """The access points that a scan shows, as (ssid, access point)."""
        return [(b"" if ap.hidden else ap.ssid.encode(), ap) for ap in self.access_points if ap.up]

    # The functions of the module network.

    def net_hostname(self, *name):
        if not name:
            return self.hostname
        if len(name[0]) > 32:
            raise ValueError
        self.hostname = name[0]
        return None

    def net_country(self, *code):
        if not code:
            return self.country
        if len(code[0]) != 2:
            raise ValueError
        self.country = code[0]
        return None

    def net_ipconfig(self, *key, **options):
        if options and key:
            raise TypeError("can't specify pos and kw args")
        if set(options or key) != {"dns"}:
            raise ValueError("unexpected key")
        if options:
            self.dns = options["dns"]
            return None
        return self.dns


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
