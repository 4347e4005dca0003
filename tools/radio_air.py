"""The air around the simulated chip: the access points in range, as the Wi-Fi file describes them.
What a file says is checked here, so that a bench that cannot be is refused in one line."""

import hashlib
import ipaddress
from types import MappingProxyType

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

# What a number may be; a signal of 0 dBm is stronger than any that was ever received.
RANGES = {"channel": (1, 14), "rssi": (-128, 0), "join_ms": (0, 3_600_000), "ntp_port": (1, 65535)}
_WEP_KEYS = (5, 10, 13, 26)


class WifiFileError(Exception):
    """The Wi-Fi file does not say what it should; the message is one line."""


class AccessPoint:
    """One access point in range, as a table [[ap]] of the Wi-Fi file describes it."""

    # Each key of the table with its type; the values are the defaults.
    KEYS = MappingProxyType(
        {
            "ssid": "",
            "ssid_hex": "",
            "password": "",
            "password_hex": "",
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
        self._number = number
        self._table = self.KEYS | table
        self._use()
        self.up = True

    def change(self, key, value):
        """Changes one key of the table; WifiFileError leaves it as it was."""
        changed = AccessPoint(self._table | {key: value}, self._number)
        changed.up = self.up
        vars(self).update(vars(changed))

    def _use(self):
        vars(self).update(self._table)
        for key, (low, high) in RANGES.items():
            if not low <= getattr(self, key) <= high:
                raise WifiFileError(f"{key} must be from {low} to {high}")
        self.ssid, self.password = self._string("ssid"), self._string("password")
        if not 1 <= len(self.ssid) <= 32:
            raise WifiFileError("ssid must have 1 to 32 bytes" if self.ssid else "ssid is missing")
        self.security = self.security or ("WPA2" if self.password else "OPEN")
        self._check_password()
        self.bssid = mac_address(self.bssid) if self.bssid else b"\x02mpy" + (0x6100 + self._number).to_bytes(2, "big")
        for key in ("address", "gateway"):
            if not is_address(getattr(self, key)):
                raise WifiFileError(f"{key} must be an IPv4 address")
        if not _is_netmask(self.netmask):
            raise WifiFileError("netmask must be a netmask such as 255.255.255.0")
        self.dns, colon, port = (self.dns or _name_server()).partition(":")
        if not is_address(self.dns) or (colon and not (port.isdigit() and 1 <= int(port) <= 65535)):
            raise WifiFileError("dns must be an IPv4 address, with a port or without")
        # A chip always asks port 53; a test's own server may have another, which ordinary users may open.
        self.dns_port = int(port) if port else 53

    def _string(self, key):
        """The bytes of a string, which need not be UTF-8 if the table has it as digits in hex."""
        text, digits = self._table[key], self._table[f"{key}_hex"]
        if text and digits:
            raise WifiFileError(f"{key} and {key}_hex are one thing")
        try:
            return bytes.fromhex(digits) or text.encode()
        except ValueError:
            raise WifiFileError(f"{key}_hex must be bytes in hex") from None

    def lets_in(self, key):
        """Whether a station has the right password, or the key of 64 digits that WPA makes of it."""
        if self.security == "OPEN" or key == self.password:
            return True
        personal = self.security.startswith("WPA") and self.security not in ("WPA2-ENT", "WPA3")
        if not personal or not (_is_psk(key) or _is_psk(self.password)):
            return False
        return self._psk(key) == self._psk(self.password)

    def _psk(self, key):
        if _is_psk(key):
            return bytes.fromhex(key.decode())
        return hashlib.pbkdf2_hmac("sha1", key, self.ssid, 4096, 32)

    def _check_password(self):
        if self.security not in SECURITY:
            raise WifiFileError(f"security must be one of {', '.join(SECURITY)}")
        size = len(self.password)
        if self.security == "OPEN" and size:
            raise WifiFileError("an open network has no password")
        if self.security == "WEP" and size not in _WEP_KEYS:
            raise WifiFileError("password must have 5, 10, 13 or 26 characters for WEP")
        fits = 8 <= size <= 63 or _is_psk(self.password)
        if self.security.startswith("WPA") and self.security != "WPA2-ENT" and not fits:
            raise WifiFileError(f"password must have 8 to 63 bytes, or 64 digits in hex, for {self.security}")


def _is_psk(key):
    """Whether a password is not that, but the key itself, as 64 digits in hex."""
    return len(key) == 64 and all(digit in b"0123456789abcdefABCDEF" for digit in key)


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
    rows = tables.get("ap")
    if not isinstance(rows, list) or len(tables) != 1 or not all(isinstance(row, dict) for row in rows):
        raise WifiFileError("expected tables [[ap]] and nothing else")
    found = {}
    for number, row in enumerate(rows, 1):
        try:
            ap = AccessPoint(row, number)
            if ap.bssid in found:
                raise WifiFileError("bssid is that of another access point")
        except WifiFileError as error:
            raise WifiFileError(f"[[ap]] number {number}: {error}") from None
        found[ap.bssid] = ap
    return list(found.values())


def mac_address(text):
    """The bytes of a MAC address that one device can have; WifiFileError for anything else."""
    try:
        mac = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        mac = b""
    if len(mac) != 6 or mac[0] & 1 or not any(mac):
        raise WifiFileError("a MAC address must be six bytes in hex, and that of one device")
    return mac


def is_address(text):
    """Whether it is an IPv4 address."""
    try:
        return bool(ipaddress.IPv4Address(text))
    except ValueError:
        return False


def _is_netmask(text):
    try:
        return str(ipaddress.IPv4Network(f"0.0.0.0/{text}").netmask) == text
    except ValueError:
        return False


def _name_server():
    """The PC's own first IPv4 name server, since the simulated network leads to where the PC's does."""
    try:
        with open("/etc/resolv.conf") as file:
            for words in map(str.split, file):
                if len(words) > 1 and words[0] == "nameserver" and is_address(words[1]):
                    return words[1]
    except OSError:
        pass
    return "127.0.0.1"
