"""The Wi-Fi chapter: modes, joining and leaving networks, coming back to them.
Manual: Wi-Fi_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from firmware.at import messages
from firmware.at.command import ALWAYS, STORE, command
from firmware.at.messages import ATError
from firmware.commands.macs import mac_bytes, mac_text
from firmware.wifi import DOWN, NEVER, UP


@command("AT+CWMODE", "mode:0..3, auto_connect:0..1=1", saved=STORE)
class Mode:
    """0: radio off, 1: station, 2: softAP, 3: both. A station that comes back joins its saved network."""

    def query(at):
        at.line("+CWMODE:%d", at.settings.get("CWMODE", [1])[0] if at.settings.stored else at.radio.mode)

    async def set(at, mode, auto_connect):
        if at.set_mode(mode) & 1 and auto_connect:
            at.join_saved()


@command(
    "AT+CWJAP",
    "ssid:bytes32?, password:bytes64?, bssid:text17?, authmode:0..16=0, reconnect:0..7200=1, listen_interval:1..100=3, "
    "scan_mode:0..1=0, timeout:3..600=15, pmf:0..3=0",
    saved=STORE,
)
class Join:
    """Joins a network; without parameters the last one. Fails with +CWJAP:1 time-out, 2 password, 3 no AP, 4 other.

    Below `authmode` (numbers of CWLAP; 1 is for any WPA) no network is joined; `scan_mode` 1 looks for the strongest
    AP of that name, also when the station comes back. Both need a scan, during which links of the softAP pause.
    `listen_interval` and `pmf` have no effect, as no port of MicroPython can set them."""

    async def query(at):
        values = at.settings.get("CWJAP")
        ssid = at.radio.target[0] if at.radio.state == UP else None
        interval = at.radio.interval
        if at.settings.stored:
            wanted = values and values[0]
            if isinstance(wanted, str):
                wanted = wanted.encode()
            interval = (at.settings.get("CWRECONNCFG") or values[4:])[0] if values else 0
        else:
            wanted = ssid
        if wanted is None:
            return
        if wanted == ssid:
            bssid, channel, rssi = at.radio.access_point()
            if not bssid:
                from firmware.commands.scanning import find_address

                bssid = await find_address(at, ssid, channel, rssi)
        else:  # it is saved, but not joined
            bssid, channel, rssi = values[2] and mac_bytes(values[2], 2), 0, 0
        at.line(
            '+CWJAP:"%s","%s",%d,%d,%d,%d,%d,%d,%d',
            *(wanted, mac_text(bssid or bytes(6)), channel, rssi),
            *(values[3], interval, values[5], values[6], values[8]),
        )

    async def execute(at):
        saved = at.settings.get("CWJAP")
        if not saved:
            raise ATError()
        saved = list(saved)
        if at.settings.get("CWRECONNCFG"):  # it may be newer
            saved[4] = at.radio.interval
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


async def _join(at, ssid, password, bssid, authmode, interval, listen_interval, scan_mode, timeout, pmf):
    radio = at.radio
    if not radio.mode & 1:
        raise ATError()
    radio.interval = interval
    mac = None if bssid is None else mac_bytes(bssid, 2)
    name = ssid if isinstance(ssid, bytes) else ssid.encode()
    radio.join((name, password, mac, authmode, scan_mode), timeout * 1000)
    await radio.joined.wait()
    if radio.error:
        at.line("+CWJAP:%d", radio.error)
        raise ATError(messages.E_FAILED, radio.error)
    if at.settings.get("CWRECONNCFG"):
        at.settings.put("CWRECONNCFG", [interval, radio.repeats, 0], STORE)


@command("AT+CWRECONNCFG", "interval:0..7200, count:0..1000, now:0..1=0", saved=STORE)
class Reconnect:
    """Seconds between attempts to come back to a network that is lost (0: none), and how many (0: no end). now 1: tries
    at once, if the station is not joined."""

    def query(at):
        values = at.radio.interval, at.radio.repeats
        if at.settings.stored:
            # Without it a start takes the interval of the network that it joins.
            joins = at.settings.get("CWJAP") and at.settings.get("CWAUTOCONN", [1])[0]
            values = at.settings.get("CWRECONNCFG") or (at.settings.get("CWJAP")[4] if joins else 1, 0)
        at.line("+CWRECONNCFG:%d,%d", *values[:2])

    def set(at, interval, count, now):
        radio = at.radio
        radio.set_reconnect(interval, count)
        at.interpreter.keep(interval, count, 0)
        if now and radio.mode & 1 and radio.state in (NEVER, DOWN):
            if radio.target:
                radio.rejoin()
            else:
                at.join_saved()


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
        at.interpreter.answer()
        at.radio.leave()


@command("AT+CWSTATE")
class State:
    """State of the station: 0 not started, 1 no address yet, 2 joined, 3 joining, 4 not joined; and the network."""

    def query(at):
        target = at.radio.target
        at.line('+CWSTATE:%d,"%s"', at.radio.state, target[0] if target else "")
