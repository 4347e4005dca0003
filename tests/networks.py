"""Access points for --wifi: a network of two, and others of all sorts, for the tests of joining and of lists.
Each differs from the others in all that a list or a query shows."""

import time

from module import LIMIT

HOME = '[[ap]]\nssid = "home"\npassword = "12345678"\nbssid = "02:00:00:00:00:01"\n'
# Two access points of one network, the second stronger, and others of all sorts.
TOWN = (
    HOME
    + """
[[ap]]
ssid = "home"
password = "12345678"
bssid = "02:00:00:00:00:02"
channel = 11
rssi = -30

[[ap]]
ssid = "free"
bssid = "02:00:00:00:00:03"
channel = 1
rssi = -50

[[ap]]
ssid = 'a,b"c\\d'
password = '1,2"3\\4567'
bssid = "02:00:00:00:00:04"
channel = 3
rssi = -60

[[ap]]
ssid = "silent"
password = "12345678"
bssid = "02:00:00:00:00:05"
channel = 4
rssi = -70
dhcp = false

[[ap]]
ssid = "far"
password = "12345678"
bssid = "02:00:00:00:00:06"
channel = 13
rssi = -90
security = "WPA/WPA2"
address = "127.0.0.2"
netmask = "255.255.0.0"
gateway = "127.0.0.3"
"""
)
# Parts of transcripts: joining the default network, a restart, the echo off after that.
JOIN = """
    > AT+CWJAP="mpy-at","12345678"
    < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
"""
RESTART = """
    > AT+RST
    < ⏎OK⏎⏎ready⏎
"""
ECHO = """
    > ATE0
    < ATE0⏎⏎OK⏎
"""


def network(more):
    """The default network, with more of its table."""
    return f'[[ap]]\nssid = "mpy-at"\npassword = "12345678"\n{more}\n'


def wait_for_state(module, state, name="mpy-at"):
    """Asks for the state of the station until it is this one, or for too long; the name is that of its network."""
    deadline = time.monotonic() + LIMIT
    seen = None
    while seen != state:
        assert time.monotonic() < deadline, seen
        module.send("AT+CWSTATE?")
        seen = int(module.match(rf'(?:WIFI [A-Z ]+\r\n)*\+CWSTATE:(\d),"{name}"\r\n\r\nOK\r\n')[1])
