"""AT+MDNS: a service of this module for others to find, and the search for those of others.
Manual: Wi-Fi_AT_Commands.rst of espressif/esp-at at tag v2.3.0.0_esp8266; TCP-IP_AT_Commands.rst of later versions."""

import gc

from firmware import commands
from firmware.at.command import command
from firmware.at.messages import ATError
from firmware.wifi import UP

_LIMITS = ", timeout:1000..180000=5000, max_results:1..255=1"


@command(
    "AT+MDNS",
    "mode:0..0",
    "mode:1..1, hostname:text63, service_type:text63, port:1..65535, instance:text63?, proto:text63=_tcp,"
    " txt_number:1..20?, text:bytes200*",
    "mode:2..2, type:0..0, service:text64, proto:text64" + _LIMITS,
    "mode:2..2, type:1..3, instance:text64, service:text64, proto:text64" + _LIMITS,
    "mode:2..2, type:4..6, hostname:text64" + _LIMITS,
)
class MulticastDNS:
    """0: ends the service. 1: offers a service to the local network; text is key, value, key, value ...

    2: searches the local network, timeout in ms. Types: 0 services, 1 TXT, 2 SRV, 3 both, 4 A, 5 AAAA, 6 both.
    A service type and a proto that begin with no underscore get one."""

    def set(at, mode, *values):
        # The modules that are loaded now stay, and should not be scattered among what is thrown away.
        gc.collect()
        try:
            if mode == 2:
                return _search(at, *values)
            if at.mdns:
                _hold(at, True)
                at.mdns.stop()
                at.mdns = None
                commands.forget("firmware.net.mdns")
            if mode:
                _serve(at, *values)
        except ValueError:  # a name that DNS does not allow
            raise ATError()


def _serve(at, host, service, port, instance, proto, count, *texts):
    from firmware.net.mdns import Responder

    station = at.radio.station
    service, proto = _kind(service), _kind(proto)
    txt = _txt(count, texts)
    at.mdns = Responder(at.loop, lambda: station.ifconfig()[0], host, instance or host, service, proto, port, txt)
    _hold(at, False)
    if at.radio.state == UP:
        at.mdns.online()


def _hold(at, on):
    """While there is no responder a board that has one of its own has to hold the port."""
    if hasattr(at.board, "hold_port"):
        at.board.hold_port(on)


def _kind(text):
    """A service or a protocol as it is on the network: `http` is `_http`."""
    return text if text[:1] in ("_", "") else "_" + text


def _octets(text):
    return text if isinstance(text, bytes) else text.encode()


def _txt(count, texts):
    """The data of the TXT record: `key=value` after `key=value`, each behind its length."""
    if not count and texts == (None,):
        return b""
    if not count or count * 2 != len(texts):
        raise ATError()
    data = b""
    for i in range(0, len(texts), 2):
        key, value = texts[i : i + 2]
        if not key or b"=" in _octets(key):
            raise ATError()
        text = _octets(key) if value is None else _octets(key) + b"=" + _octets(value)
        data += bytes((len(text),)) + text
    return data


def _search(at, kind, *values):
    from firmware.net.mdns_query import Search

    if at.radio.state != UP:
        raise ATError()
    *parts, patience, wanted = values
    if kind < 4:
        parts[-2:] = [_kind(part) for part in parts[-2:]]
    elif parts[0].lower().endswith(".local"):
        parts[0] = parts[0][:-6]
    return _report(at, Search(kind, *parts), patience, wanted)


async def _report(at, search, patience, wanted):
    # A search is over soon, and what it has loaded would take the place of links.
    commands.forget("firmware.net.mdns_query")
    await search.run(at.loop, at.radio.station.ifconfig()[0], patience, wanted)
    size = 0
    for result in search.results:
        for line in search.lines(result):
            size += len(line) + 2
    if size:
        at.line("+MDNS:%d,", size)
    for result in search.results:
        for line in search.lines(result):
            await at.port.room()
            at.port.write(line + b"\r\n")
