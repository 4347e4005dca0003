"""The part of the TCP/IP chapter about names and reachability: CIPDOMAIN, CIPDNS, PING, CIPV6.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from micropython import const

from firmware import commands
from firmware.at.command import STORE, command
from firmware.at.messages import E_PARSE, ATError
from firmware.net import address
from firmware.wifi import UP

_PING_MS = const(4000)


async def _twice(ask):
    """What `await ask()` gives; for want of memory it asks again, with that of the modules that are not in use."""
    try:
        return await ask()
    except MemoryError:
        commands.drop()
    return await ask()


@command("AT+CIPDOMAIN", "host:text200, network:1..3=1, timeout:0..60000=0, all:0..1=0")
class Domain:
    """Looks a name up: 1 IPv4 preferred, 2 IPv4 only, 3 IPv6 only; timeout in ms (0: as long as it takes)."""

    async def set(at, host, network, timeout, all_of_them):
        if at.radio.state != UP:
            raise ATError()
        found = await _twice(lambda: at.resolver.every(host, timeout, network))
        for ip in found if all_of_them else found[:1]:
            at.line('+CIPDOMAIN:"%s"', ip)


@command("AT+CIPDNS", "enable:0..1, dns1:text39?, dns2:text39?, dns3:text39?", saved=STORE)
class Servers:
    """Name servers: 0 those that the network gives, 1 these (without any: 208.67.222.222,
    and on the ESP32 also 114.114.114.114 and 8.8.8.8)."""

    def query(at):
        manual = at.settings.get("CIPDNS", [0])[0]
        at.line("+CIPDNS:%d%s", manual, "".join(',"%s"' % server for server in at.name_servers()))

    def set(at, enable, *servers):
        given = [server for server in servers if server is not None]
        if len(set(given)) < len(given):
            raise ATError()
        for i, server in enumerate(servers):
            if server is None or address.ipv4(server):
                continue
            if not address.is_ipv6(server):
                raise ATError(E_PARSE, i + 1)
            if not at.ipv6:
                raise ATError()


@command("AT+PING", "host:text200")
class Ping:
    """Sends an ICMP echo to a host; answers the time in ms, or TIMEOUT: also when the name is not found, and on the
    ESP32 whatever has failed."""

    async def set(at, host):
        from firmware.net.ping import ping

        time = ip = None
        try:
            if at.radio.online():
                ip = await _twice(lambda: at.resolver.resolve(host))
                time = await _twice(lambda: ping(at.loop, ip, _PING_MS))
            elif at.board.DIALECT < 4:
                raise ATError()
        except OSError:
            # ESP-AT 2.x tells of a name that is not found in this way, and of no other fault.
            if ip and at.board.DIALECT < 4:
                raise
        if time is None:
            at.line("+PING:TIMEOUT")
            raise ATError()
        # The manual has an empty line more than after other queries; it is the first CR LF of the final result.
        at.line("+PING:%d", time)


@command("AT+CIPV6", "enable:0..1", saved=STORE)
class IPv6:
    """1: links, names and pings may use IPv6, which no port of MicroPython has: the simulator alone, for trial."""

    def query(at):
        at.line("+CIPV6:%d", at.settings.get("CIPV6", [0])[0] if at.settings.stored else at.ipv6)

    def set(at, enable):
        if enable and not at.board.IPV6:
            raise ATError()
        at.ipv6 = bool(enable)
