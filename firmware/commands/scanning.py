"""The scan that CWLAP and CWJAP? share."""


async def scan(at):
    """The networks that the station finds; on a chip without threads all else waits for that."""
    aside = getattr(at.board, "scan", None)
    return await aside(at.loop, at.radio.station) if aside else at.radio.station.scan()


async def find_address(at, ssid, channel, rssi):
    """The MAC address of the AP that is joined, None if it does not show. No port tells it, so the first question after
    joining costs a scan."""
    found = [ap for ap in await scan(at) if ap[0] == ssid and ap[2] == channel]
    if not found:
        return None
    bssid = min(found, key=lambda ap: abs(ap[3] - rssi))[1]
    if at.radio.target[0] == ssid:  # it is still the same network
        at.radio.bssid = bssid
    return bssid
