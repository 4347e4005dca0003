"""Opens links: what CIPSTART is, and passthrough without a word of the host. A module of its own, as a handshake of TLS
needs the memory of the commands."""

from time import ticks_diff, ticks_ms

from micropython import const

from firmware import commands
from firmware.at import messages
from firmware.at.messages import ATError
from firmware.wifi import UP

# The manual leaves the limit of a connect to the network when the host names none.
_CONNECT_MS = const(20000)


def start(at, number, *values):
    """Await it: CIPSTART, with the id of the link in front of its parameters."""
    if at.board.TLS_ON_HEAP and values[0].startswith("SSL"):
        # What is made from now on lies together at the lower end of the heap, and what TLS takes is beyond it.
        commands.drop()
    return _start(at, number, *values)


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


async def _start_tcp(at, number, kind, host, port, wanted, values):
    keep_alive, local_ip, timeout = values
    at.links.set_options(number, (None, None, None, keep_alive))
    if kind.startswith("TCP"):
        from firmware.net.tcp import TCPLink

        link = TCPLink(at.links, number)
    else:
        link = _tls_link(at, number, host)
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


def _tls_link(at, number, host):
    if at.board.TLS_ON_HEAP:
        if not at.links.any():
            at.reports.buffer = None  # it is made again for the link
        commands.drop()
    # What stays comes first: what is dropped before the handshake leaves no holes in front of it.
    from firmware.net.tls import TLSLink  # noqa: F401

    # isort: split
    from firmware import tls

    return tls.connect(at, number, host)


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
