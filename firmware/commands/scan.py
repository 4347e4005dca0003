"""The Wi-Fi chapter: the list of networks in range, and what it shows.
Manual: Wi-Fi_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from firmware.at.command import command
from firmware.at.messages import ATError
from firmware.commands.macs import mac_bytes, mac_text
from firmware.commands.scanning import scan


@command("AT+CWLAPOPT", "sort:0..1=1, mask:0..2047, rssi_filter:-100..40=-100, authmode_mask:0..65535=65535")
class Options:
    """What CWLAP shows. sort 0: in the order of the scan; mask: a bit for each field from ecn on; no network weaker
    than rssi_filter (dBm); authmode_mask: a bit for each ecn."""

    def set(at, *values):
        at.radio.listing = values


@command(
    "AT+CWLAP",
    "ssid:bytes32?, mac:text17?, channel:0..14?, scan_type:0..1?, scan_time_min:0..1500?, scan_time_max:0..1500?, "
    "channel_bitmap:0..32767=0",
)
class List:
    """Lists the networks in range: +CWLAP:(ecn,ssid,rssi,mac,channel,-1,-1,7,7,0,0), the strongest first. A name that
    is empty stands for any.

    The ports of MicroPython do not tell the last six fields (offset, calibration, ciphers, b/g/n, WPS) of a network.
    They scan actively and at their own pace: `scan_type` and the times have no effect."""

    async def execute(at):
        await _list(at, lambda ap: True)

    async def set(at, ssid, mac, channel, kind, shortest, longest, bitmap):
        mac = None if mac is None else mac_bytes(mac, 1)
        channels = 1 << channel if channel else bitmap or -1
        name = ssid if isinstance(ssid, bytes) else (ssid or "").encode()
        await _list(
            at,
            lambda ap: name in (b"", ap[0]) and mac in (None, ap[1]) and channels >> ap[2] & 1,
        )


async def _list(at, wanted):
    if not at.radio.mode & 1:
        raise ATError()
    sort, mask, weakest, kinds = at.radio.listing
    found = [ap for ap in await scan(at) if wanted(ap) and ap[3] >= weakest and kinds >> ap[4] & 1]
    if sort:
        found.sort(key=lambda ap: -ap[3])
    for ssid, bssid, channel, rssi, security, _ in found:
        await at.port.room()
        fields = [b"%d" % security, b'"%s"' % ssid, b"%d" % rssi, b'"%s"' % mac_text(bssid).encode(), b"%d" % channel]
        fields += (b"-1", b"-1", b"7", b"7", b"0", b"0")
        at.port.write(b"+CWLAP:(" + b",".join([field for i, field in enumerate(fields) if mask >> i & 1]) + b")\r\n")
