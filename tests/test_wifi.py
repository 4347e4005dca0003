"""The Wi-Fi chapter: modes, joining in all its outcomes, leaving, lists, addresses.
What happens when a network goes away and comes back is in test_wifi_events.py."""

import pytest
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
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


@pytest.fixture
def town(start, tmp_path):
    """A function that starts a module among the networks of TOWN; or of another file's text."""

    def town(board="esp32", networks=TOWN):
        wifi = tmp_path / "wifi.toml"
        wifi.write_text(networks)
        return start("--board", board, "--wifi", wifi)

    return town


def test_cwmode(play):
    play("""
        > AT+CWMODE?
        < +CWMODE:1⏎⏎OK⏎
        > AT+CWMODE=0
        < ⏎OK⏎
        > AT+CWMODE?
        < +CWMODE:0⏎⏎OK⏎
        > AT+CIFSR
        < ⏎OK⏎
        > AT+CWLAP
        < ⏎ERROR⏎
        > AT+CWJAP="mpy-at","12345678"
        < ⏎ERROR⏎
        > AT+CWMODE=2,0
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < ⏎ERROR⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWMODE?
        < +CWMODE:3⏎⏎OK⏎
        > AT+CWMODE
        < ⏎ERROR⏎
    """)


@BOARDS
def test_the_station_leaves_and_comes_back_with_the_mode(start, board):
    play_transcript(
        start("--board", board),
        """
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        # Still a station: nothing happens to its network.
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"mpy-at"⏎⏎OK⏎
        > AT+CWMODE=2
        < WIFI DISCONNECT⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,"mpy-at"⏎⏎OK⏎
        > AT+CWJAP?
        < ⏎OK⏎
        > AT+CWMODE=1
        < ⏎OK⏎
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+CWMODE=0
        < WIFI DISCONNECT⏎⏎OK⏎
        > AT+CWMODE=3,0
        < ⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:0,"mpy-at"⏎⏎OK⏎
        > AT+CWJAP
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_query(town, board):
    play_transcript(
        town(board),
        """
        > AT+CWJAP?
        < ⏎OK⏎
        > AT+CWJAP="home","12345678","02:00:00:00:00:01",1,7,5,1,20,3
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:01",6,-40,1,7,5,1,3⏎⏎OK⏎
        # Without a choice of AP it is the one with the strongest signal.
        > AT+CWJAP="home","12345678"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:02",11,-30,0,1,3,0,0⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:02",11,-30,0,1,3,0,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_names_with_escapes(town, board):
    play_transcript(
        town(board),
        r"""
        > AT+CWJAP="a\,b\"c\\d","1\,2\"3\\4567"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"a,b"c\d"⏎⏎OK⏎
        > AT+CWJAP="a,b\"\c\\d","1,2\"3\\4\567"
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_error_codes(town, board):
    play_transcript(
        town(board),
        """
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CWJAP="home","wrong678"
        < +CWJAP:2⏎ERR CODE:0x010a0002⏎⏎ERROR⏎
        > AT+CWJAP="nowhere","12345678"
        < +CWJAP:3⏎ERR CODE:0x010a0003⏎⏎ERROR⏎
        > AT+CWJAP="home","wrong678"
        < +CWJAP:2⏎ERR CODE:0x010a0002⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678","02:00:00:00:00:09"
        < +CWJAP:3⏎ERR CODE:0x010a0003⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP="nowhere","12345678"
        < WIFI DISCONNECT⏎+CWJAP:3⏎ERR CODE:0x010a0003⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:4,"nowhere"⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_fails_twice_for_the_same_reason(town, board):
    """The ESP32 goes on showing the old reason, so it takes longer to believe it; the ESP8266 does not."""
    play_transcript(
        town(board),
        """
        > AT+CWJAP="nowhere","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="nowhere","12345678",,,,,,3
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_time_out(town, board):
    """No address ever comes, also where an older failure could be taken for the reason."""
    play_transcript(
        town(board),
        """
        > AT+CWJAP="nowhere","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="silent","12345678",,,,,,5
        < +CWJAP:1⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:4,"silent"⏎⏎OK⏎
        """,
    )


def test_cwjap_fails_for_another_reason(town):
    """The ESP8266 knows nothing of WPA3."""
    play_transcript(
        town("esp8266", HOME + '[[ap]]\nssid = "strange"\npassword = "12345678"\nsecurity = "WPA3"\n'),
        """
        > AT+CWJAP="strange","12345678"
        < +CWJAP:4⏎⏎ERROR⏎
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


def test_cwjap_security_that_does_not_fit(town):
    """An ESP32 takes a network that has no security as absent when it has a password for it."""
    play_transcript(
        town(),
        """
        > AT+CWJAP="free","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="home"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="free"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP="free",""
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        """,
    )


@pytest.mark.parametrize(
    "mac", ["", "02", "02:00:00:00:00:0", "02:00:00:00:00:0g", "02-00-00-00-00-01", "0200000000001"]
)
def test_cwjap_mac_address_that_is_none(town, mac):
    play_transcript(
        town(),
        f"""
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CWJAP="home","12345678","{mac}"
        < ERR CODE:0x01080002⏎⏎ERROR⏎
        > AT+CWLAP="home","{mac}"
        < ERR CODE:0x01080001⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:0,""⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwjap_the_last_network_again(town, board):
    play_transcript(
        town(board),
        """
        > AT+CWJAP
        < ⏎ERROR⏎
        > AT+CWJAP=
        < ⏎ERROR⏎
        > AT+CWJAP=,"12345678"
        < ⏎ERROR⏎
        > AT+CWJAP="home","12345678","02:00:00:00:00:01"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP
        < WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        # What is left out stays as it was; a failure changes nothing.
        > AT+CWJAP=,"wrong678"
        < WIFI DISCONNECT⏎+CWJAP:2⏎⏎ERROR⏎
        > AT+CWJAP=,,,1,9
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:01",6,-40,1,9,3,0,0⏎⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+CWJAP
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"home","02:00:00:00:00:01",6,-40,1,9,3,0,0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_joining_another_network_ends_what_was_open(town, board):
    play_transcript(
        town(board),
        """
        peer web
        > AT+CWJAP="home","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=3,"TCP","127.0.0.1",{web}
        < 3,CONNECT⏎⏎OK⏎
        web accepts
        > AT+CWJAP="far","12345678"
        < 3,CLOSED⏎WIFI DISCONNECT⏎WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        web ended
        > AT+CIPSTA?
        < +CIPSTA:ip:"127.0.0.2"⏎+CIPSTA:gateway:"127.0.0.3"⏎+CIPSTA:netmask:"255.255.0.0"⏎⏎OK⏎
        """,
    )


@BOARDS
def test_cwqap(start, board):
    play_transcript(
        start("--board", board),
        """
        # Nothing to leave is no error.
        > AT+CWQAP
        < ⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+CWQAP
        < ⏎OK⏎CLOSED⏎WIFI DISCONNECT⏎
        web ended
        > AT+CWSTATE?
        < +CWSTATE:4,"mpy-at"⏎⏎OK⏎
        > AT+CWJAP?
        < ⏎OK⏎
        > AT+CWQAP?
        < ⏎ERROR⏎
        > AT+CWMODE=0
        < ⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎
        """,
    )


@BOARDS
def test_cwlap(town, board):
    silent = '+CWLAP:(3,"silent",-70,"02:00:00:00:00:05",4,-1,-1,7,7,0,0)⏎'
    weak = '+CWLAP:(3,"home",-40,"02:00:00:00:00:01",6,-1,-1,7,7,0,0)⏎'
    strong = '+CWLAP:(3,"home",-30,"02:00:00:00:00:02",11,-1,-1,7,7,0,0)⏎'
    far = '+CWLAP:(4,"far",-90,"02:00:00:00:00:06",13,-1,-1,7,7,0,0)⏎'
    free = '+CWLAP:(0,"free",-50,"02:00:00:00:00:03",1,-1,-1,7,7,0,0)⏎'
    odd = '+CWLAP:(3,"a,b"c\\d",-60,"02:00:00:00:00:04",3,-1,-1,7,7,0,0)⏎'
    play_transcript(
        town(board),
        rf"""
        > AT+CWLAP
        < {strong}{weak}{free}{odd}{silent}{far}⏎OK⏎
        > AT+CWLAP="home"
        < {strong}{weak}⏎OK⏎
        > AT+CWLAP="home","02:00:00:00:00:01"
        < {weak}⏎OK⏎
        > AT+CWLAP=,"02:00:00:00:00:03"
        < {free}⏎OK⏎
        > AT+CWLAP=,,11
        < {strong}⏎OK⏎
        > AT+CWLAP="home",,6,1,100,1500
        < {weak}⏎OK⏎
        > AT+CWLAP=,,0
        < {strong}{weak}{free}{odd}{silent}{far}⏎OK⏎
        > AT+CWLAP="a\,b\"c\\d"
        < {odd}⏎OK⏎
        > AT+CWLAP="Home"
        < ⏎OK⏎
        > AT+CWLAP="home",,5
        < ⏎OK⏎
        > AT+CWLAP=,,15
        < ⏎ERROR⏎
        > AT+CWLAP?
        < ⏎ERROR⏎
        ! ap down home
        > AT+CWLAP
        < {free}{odd}{silent}{far}⏎OK⏎
        """,
    )


@pytest.mark.parametrize("board, count", [("esp32", 120), ("esp8266", 24)])
def test_cwlap_of_many_networks_is_complete(town, board, count):
    """The list is longer than the port's buffer, on the ESP32 also than the terminal's."""
    names = [f"network {number:03}" for number in range(count)]
    networks = [f'[[ap]]\nssid = "{name}"\nrssi = {-i - 1}\n' for i, name in enumerate(names)]
    module = town(board, "".join(networks))
    module.send("AT+CWLAP")
    for name in names:
        module.match(rf'\+CWLAP:\(0,"{name}",-\d+,"02:6d:70:79:61:..",6,-1,-1,7,7,0,0\)\r\n')
    module.expect("⏎OK⏎")
    module.settled()


@pytest.mark.parametrize("board, mac", [("esp32", "24:0a:c4:c0:ff:ee"), ("esp8266", "5c:cf:7f:c0:ff:ee")])
def test_cipsta_and_cifsr(start, board, mac):
    play_transcript(
        start("--board", board),
        rf"""
        > AT+CIPSTA?
        < +CIPSTA:ip:"0.0.0.0"⏎+CIPSTA:gateway:"0.0.0.0"⏎+CIPSTA:netmask:"0.0.0.0"⏎⏎OK⏎
        > AT+CIFSR
        < +CIFSR:STAIP,"0.0.0.0"⏎+CIFSR:STAMAC,"{mac}"⏎⏎OK⏎
        > AT+CWJAP="mpy-at","12345678"
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CIPSTA?
        < +CIPSTA:ip:"127.0.0.1"⏎+CIPSTA:gateway:"127.0.0.1"⏎+CIPSTA:netmask:"255.0.0.0"⏎⏎OK⏎
        > AT+CIFSR
        < +CIFSR:STAIP,"127.0.0.1"⏎+CIFSR:STAMAC,"{mac}"⏎⏎OK⏎
        > AT+CWMODE=3
        < ⏎OK⏎
        > AT+CIFSR
        ~ \+CIFSR:APIP,"192\.168\.4\.1"⏎\+CIFSR:APMAC,"..:..:..:..:..:.."⏎
        < +CIFSR:STAIP,"127.0.0.1"⏎+CIFSR:STAMAC,"{mac}"⏎⏎OK⏎
        > AT+CIFSR?
        < ⏎ERROR⏎
        """,
    )
