"""The Wi-Fi chapter: the softAP, its addresses and the stations on it.
Manual: Wi-Fi_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from micropython import const

from firmware.at.command import STORE, command
from firmware.at.messages import E_LENGTH, E_RANGE, ATError
from firmware.commands import interfaces
from firmware.commands.interfaces import addresses, configure, find_mac, set_mac, show_addresses, show_mac
from firmware.commands.macs import mac_bytes, mac_text
from firmware.softap import Watch, stations

_WEP = const(1)
# The ports cut a key after so many bytes.
_LONGEST_KEY = const(63)
_STATIONS = const(4)  # at most, if nobody says otherwise


def restore(at):
    """The softAP has been switched on: gives it what was saved, and watches who comes.

    Where nothing was saved it is an open network: what the port has there, the ESP8266's SDK may have kept from
    another firmware."""
    interfaces.restore(at, (("CIPAPMAC", _use_mac), ("CWSAP", _use), ("CIPAP", _use_address)))
    if not at.settings.get("CWSAP"):
        _use(at, *_default(at.radio.softap.config("mac")))
    if at.settings.get("CWAPPROTO") or at.settings.get("CWBANDWIDTH"):
        from firmware.commands import phy

        phy.restore_protocol(at)
    at.stations = at.stations or Watch(at.loop, at.radio.softap, at.reports.text)
    at.stations.look()


def _default(mac):
    return "ESP_%02X%02X%02X" % tuple(mac[3:]), "", 1, 0, _STATIONS, 0


def _check_on(at):
    if not at.radio.mode & 2:
        raise ATError()


@command(
    "AT+CWSAP",
    "ssid:bytes32, password:bytes64, channel:1..14, ecn:0..4, max_conn:1..10=4, hidden:0..1=0",
    saved=STORE,
)
class SoftAP:
    """The softAP: ecn 0 open, 2 WPA, 3 WPA2, 4 both; a password of 8 to 63 bytes. Only with CWMODE=2 or 3. On the
    ESP8266 max_conn is always 4. A change sends the stations away."""

    def query(at):
        saved = at.settings.get("CWSAP")
        softap = at.radio.softap
        ssid, password, channel, ecn, most, hidden = saved or _default(find_mac(at, "CIPAPMAC", softap))
        if not at.settings.stored:
            _check_on(at)
            channel = softap.config("channel")
            if not saved:  # it was named by an address that may have been another one
                ssid = softap.config("ssid")
        values = ssid, password, channel, ecn, most, hidden
        at.line('+CWSAP:"%s","%s",%d,%d,%d,%d', *values)

    def set(at, *values):
        _check_on(at)
        _use(at, *values)
        at.stations.look()


def _use(at, ssid, password, channel, ecn, most, hidden):
    if not ssid:
        raise ATError(E_LENGTH, 0)
    if ecn == _WEP:
        raise ATError(E_RANGE, 3)
    if ecn and not 8 <= len(password if isinstance(password, bytes) else password.encode()) <= _LONGEST_KEY:
        raise ATError(E_LENGTH, 1)
    options = {"ssid": ssid, "key": password if ecn else "", "security": ecn, "channel": channel, "hidden": hidden}
    if at.board.STATIONS:
        if most != at.board.STATIONS:
            raise ATError(E_RANGE, 4)
    else:
        options["max_clients"] = most
    configure(at.radio.softap.config, **options)


@command("AT+CWLIF")
class Stations:
    """Lists the stations on the softAP that have got an address from it, as ip,mac. On the ESP32 this needs
    MicroPython 1.29.

    Unasked there is +STA_CONNECTED:"mac" for each that comes, +DIST_STA_IP:"mac","ip" when it gets its address, and
    +STA_DISCONNECTED:"mac" when it goes."""

    async def execute(at):
        _check_on(at)
        for mac, ip in stations(at.radio.softap):
            if ip:
                await at.port.room()
                at.line("+CWLIF:%s,%s", ip, mac_text(mac))


@command("AT+CWQIF", "mac:text17")
class Disconnect:
    """Sends the stations away from the softAP, by starting that anew. No port of MicroPython can send away one of
    several."""

    def execute(at):
        _check_on(at)
        _restart(at)

    def set(at, mac):
        _check_on(at)
        if [station for station, _ in stations(at.radio.softap)] != [mac_bytes(mac, 0)]:
            raise ATError()
        _restart(at)


def _restart(at):
    softap = at.radio.softap
    softap.active(False)
    at.stations.look()
    softap.active(True)
    restore(at)


@command("AT+CIPAP", "ip:text15, gateway:text15?, netmask:text15?", saved=STORE)
class Address:
    """IPv4 address, gateway and netmask of the softAP, whose DHCP server gives its stations the addresses behind it."""

    def query(at):
        # All ports have these at first.
        show_addresses(at, "+CIPAP", at.radio.softap, ["192.168.4.1", "192.168.4.1", "255.255.255.0"])

    def set(at, ip, gateway, netmask):
        _check_on(at)
        values = addresses(ip, gateway, netmask)
        at.interpreter.keep(*values)
        _use_address(at, *values)


def _use_address(at, ip, gateway, netmask):
    configure(at.radio.softap.ipconfig, addr4=(ip, netmask), gw4=gateway)


@command("AT+CIPAPMAC", "mac:text17", saved=STORE)
class Mac:
    """MAC address of the softAP. A change sends the stations away."""

    def query(at):
        show_mac(at, "+CIPAPMAC", at.radio.softap)

    def set(at, mac):
        _check_on(at)
        _use_mac(at, mac)
        at.stations.look()


def _use_mac(at, mac):
    set_mac(at, "CIPAPMAC", at.radio.softap, mac, lambda: None)
