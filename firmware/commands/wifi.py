"""The Wi-Fi chapter: modes, joining and leaving networks, addresses.
Manual: Wi-Fi_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from firmware.at import messages
from firmware.at.command import ALWAYS, STORE, command
from firmware.at.messages import ATError
from firmware.wifi import UP


@command("AT+CWMODE", "mode:0..3, auto_connect:0..1=1", saved=STORE)
class Mode:
    """0: radio off, 1: station, 2: softAP, 3: both. A station that comes back joins its saved network."""

    def query(at):
        at.line("+CWMODE:%d", at.radio.mode)

    async def set(at, mode, auto_connect):
        was_station = at.radio.mode & 1
        at.radio.set_mode(mode)
        if auto_connect and mode & 1 and not was_station:
            at.join_saved()


@command(
    "AT+CWJAP",
    "ssid:text32?, password:text64?, bssid:text17?, pci_en:0..1=0, reconnect:0..7200=1, listen_interval:1..100=3, "
    "scan_mode:0..1=0, timeout:3..600=15, pmf:0..3=0",
    saved=STORE,
)
class Join:
    """Joins a network; without parameters the last one. Fails with +CWJAP:1 time-out, 2 password, 3 no AP, 4 other."""

    def query(at):
        if at.radio.state == UP:
            bssid, channel, rssi = at.radio.access_point()
            options = at.settings.get("CWJAP")[3:]
            at.line(
                '+CWJAP:"%s","%s",%d,%d,%d,%d,%d,%d,%d',
                *(at.radio.target[0], _format_mac(bssid or bytes(6)), channel, rssi),
                *(options[0], at.radio.interval, options[2], options[3], options[5]),
            )

    async def execute(at):
        saved = at.settings.get("CWJAP")
        if not saved:
            raise ATError()
        return await _join(at, *saved)

    async def set(at, ssid, password, bssid, *options):
        if ssid is None:
            saved = at.settings.get("CWJAP")
            if not saved:
                raise ATError(messages.E_COUNT)
            ssid = saved[0]
            password = saved[1] if password is None else password
            bssid = saved[2] if bssid is None else bssid
            at.interpreter.keep(ssid, password, bssid, *options)
        return await _join(at, ssid, password, bssid, *options)


async def _join(at, ssid, password, bssid, pci_en, interval, listen_interval, scan_mode, timeout, pmf):
    if not at.radio.mode & 1:
        raise ATError()
    at.radio.interval = interval
    at.radio.join(ssid, password, _mac(bssid, 2), timeout * 1000)
    await at.radio.joined.wait()
    if at.radio.error:
        at.line("+CWJAP:%d", at.radio.error)
        raise ATError(messages.E_FAILED, at.radio.error)


def _mac(text, index):
    """Six bytes of "aa:bb:cc:dd:ee:ff", None of None; ATError for anything else."""
    if text is None:
        return None
    try:
        mac = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        mac = b""
    if len(mac) != 6 or len(text) != 17:
        raise ATError(messages.E_PARSE, index)
    return mac


def _format_mac(mac):
    return ":".join("%02x" % byte for byte in mac)


@command("AT+CWAUTOCONN", "enable:0..1", saved=ALWAYS)
class JoinAtStart:
    """1, as at first: joins the saved network after each start."""

    def query(at):
        at.line("+CWAUTOCONN:%d", at.settings.get("CWAUTOCONN", [1])[0])

    def set(at, enable):
        pass


@command("AT+CWQAP")
class Leave:
    """Leaves the network. Links are closed, then WIFI DISCONNECT is reported."""

    def execute(at):
        at.port.write(messages.OK)
        at.radio.leave()
        return messages.NOTHING


@command("AT+CWSTATE")
class State:
    """State of the station: 0 not started, 1 no address yet, 2 joined, 3 joining, 4 not joined; and the network."""

    def query(at):
        target = at.radio.target
        at.line('+CWSTATE:%d,"%s"', at.radio.state, target[0] if target else "")


@command(
    "AT+CWLAP",
    "ssid:text32?, mac:text17?, channel:0..14?, scan_type:0..1?, scan_time_min:0..1500?, scan_time_max:0..1500?",
)
class List:
    """Lists the networks in range: +CWLAP:(ecn,ssid,rssi,mac,channel,-1,-1,7,7,0,0), the strongest first."""

    async def execute(at):
        await _list(at, lambda ap: True)

    async def set(at, ssid, mac, channel, *_):
        mac = _mac(mac, 1)
        await _list(
            at,
            lambda ap: (
                (ssid is None or ap[0] == ssid.encode()) and mac in (None, ap[1]) and (not channel or ap[2] == channel)
            ),
        )


async def _list(at, wanted):
    """Prints what a scan found. The ports do not tell offset, calibration, ciphers, b/g/n and WPS of a network:
    -1, unknown (7) and 0 stand in their places."""
    if not at.radio.mode & 1:
        raise ATError()
    found = [ap for ap in at.radio.station.scan() if wanted(ap)]
    found.sort(key=lambda ap: -ap[3])
    for ssid, bssid, channel, rssi, security, _ in found:
        await at.port.room()
        at.port.write(b'+CWLAP:(%d,"%s",%d,"' % (security, ssid, rssi))
        at.line('%s",%d,-1,-1,7,7,0,0)', _format_mac(bssid), channel)


@command("AT+CIPSTA")
class Address:
    """IPv4 address, gateway and netmask of the station."""

    def query(at):
        ip, netmask, gateway, _ = at.radio.station.ifconfig()
        at.line('+CIPSTA:ip:"%s"', ip)
        at.line('+CIPSTA:gateway:"%s"', gateway)
        at.line('+CIPSTA:netmask:"%s"', netmask)
