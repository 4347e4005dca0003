"""The TCP/IP chapter: links are opened and closed.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from time import ticks_diff, ticks_ms

from micropython import const

from firmware import commands
from firmware.at import messages
from firmware.at.command import command
from firmware.at.messages import ATError
from firmware.net.links import LINKS
from firmware.net.tcp import TCPLink
from firmware.wifi import UP

# The manual leaves the limit of a connect to the network when the host names none.
_CONNECT_MS = const(20000)

_END = "local_ip:text39?, timeout:0..60000=0"
_TCP = "type:TCP|TCPv6|SSL|SSLv6=TCP, host:text64, port:1..65535, keep_alive:0..7200?, "
_UDP = "type:UDP|UDPv6, host:text64, port:0..65535, local_port:0..65535?, mode:0..2=0, "


@command("AT+CIPMUX", "mode:0..1")
class Multiple:
    """0: one link, without an id. 1: up to five, each named by its id. Only while no link is open."""

    def query(at):
        at.line("+CIPMUX:%d", at.links.multiple)

    def set(at, mode):
        if bool(mode) != at.links.multiple:
            if at.reports.raw or at.links.any() or (at.links.server and at.links.server.running()):
                raise ATError()
            at.links.multiple = bool(mode)


@command("AT+CIPSTART", "link, " + _TCP + _END, "link, " + _UDP + _END)
class Start:
    """Opens a link. keep_alive in seconds, timeout in ms (0: 20 s); mode of UDP: 0 the peer stays, 1 it changes once,
    2 it is always the last who sent."""

    async def set(at, *values):
        if at.links.multiple:
            return await _start(at, *values)
        return await _start(at, 0, *values)


@command("AT+CIPSTARTEX", _TCP + _END, _UDP + _END)
class StartAny:
    """Opens a link as CIPSTART, with the lowest id that is free."""

    async def set(at, *values):
        number = at.links.lowest_free() if at.links.multiple else 0
        if number is None:
            raise ATError()
        return await _start(at, number, *values)


async def open_link(at, number, kind, host, port, *values):
    """A link that is connected, but not yet listened to; ATError or OSError when it cannot be. It is one connection to
    the server, whatever happens: only what comes before that is done again for want of memory."""
    v6 = kind.endswith("v6")
    if not at.radio.online() or (v6 and not at.ipv6):
        raise ATError()
    at.links.spare()
    begin = _start_udp if kind.startswith("UDP") else _start_tcp
    try:
        return await begin(at, number, kind, host, port, 3 if v6 else 2, values)
    except MemoryError:
        commands.drop()
        return await begin(at, number, kind, host, port, 3 if v6 else 2, values)


async def _start(at, number, *values):
    if at.reports.raw and at.links.multiple:  # then the client of the server is the only link
        raise ATError()
    if at.links.table[number]:
        if at.board.DIALECT < 4:
            at.port.write(messages.ALREADY_CONNECTED)
        raise ATError()
    at.origin = values
    link = await open_link(at, number, *values)
    try:
        text = at.reports.connected(link)
    except MemoryError:
        link.close()
        raise
    at.port.write(text)
    at.interpreter.answer()
    link.resume()


async def _start_tcp(at, number, kind, host, port, wanted, values):
    keep_alive, local_ip, timeout = values
    at.links.set_options(number, (None, None, None, keep_alive))
    if kind.startswith("TCP"):
        link = TCPLink(at.links, number)
    else:
        from firmware import tls

        link = tls.connect(at, number, host)
    began = ticks_ms()
    patience = timeout or _CONNECT_MS
    try:
        ip = await at.resolver.resolve(host, patience, wanted)
        left = max(patience - ticks_diff(ticks_ms(), began), 1)
        await link.connect(ip, port, local_ip, left)
        try:
            at.reports.prepare(link)
        except MemoryError:
            commands.drop()
            at.reports.prepare(link)
    except BaseException as error:  # also when AT+RST ends this command: the id is free again, whatever happened
        link.close()
        if link.local_port and isinstance(error, MemoryError):
            # The server may have seen the connection, and another attempt would be a second one.
            commands.drop()
            raise ATError()
        raise
    return link


async def _start_udp(at, number, kind, host, port, wanted, values):
    from firmware.net.udp import NOBODY, UDPLink

    local_port, mode, local_ip, timeout = values
    link = UDPLink(at.links, number, at.board.UDP_MAX)
    try:
        # "0" is how some drivers write a link that only receives.
        wlan = at.radio.station if at.radio.state == UP else at.radio.softap
        ip = NOBODY[wanted - 2] if host == "0" else await at.resolver.resolve(host, timeout, wanted)
        link.start(ip, port, local_port or 0, mode, local_ip, *wlan.ifconfig()[:2])
        at.reports.prepare(link)
    except BaseException:  # as above
        link.close()
        raise
    return link


@command("AT+CIPCLOSE", "link:0..5")
class Close:
    """Closes a link; 5 stands for all of them. Without an id in single connection mode."""

    def execute(at):
        if at.links.multiple:
            raise ATError()
        _close(at, 0)

    def set(at, number):
        if number < LINKS:
            _close(at, number)
            return
        for link in at.links.table:
            if link and link.open:
                _close(at, link.number)


def _close(at, number):
    link = at.links.get(number)
    if not link:
        raise ATError()
    text = at.reports.ended(link)
    link.close()
    at.port.write(text)
