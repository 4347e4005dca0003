"""The TCP/IP chapter: links, sending and receiving, what is connected.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from time import ticks_diff, ticks_ms

from firmware.at import messages
from firmware.at.command import command
from firmware.at.data import Collector
from firmware.at.messages import ATError
from firmware.net.links import LINKS, TCPLink
from firmware.wifi import UP

# The manual leaves the limit of a connect to the network when the host names none.
_CONNECT_MS = 20000

_START = "type:TCP=TCP, host:text64, port:1..65535, keep_alive:0..7200=0, local_ip:text39?, timeout:0..60000=0"


@command("AT+CIPMUX", "mode:0..1")
class Multiple:
    """0: one link, without an id. 1: up to five, each named by its id. Only while no link is open."""

    def query(at):
        at.line("+CIPMUX:%d", at.links.multiple)

    def set(at, mode):
        if bool(mode) != at.links.multiple:
            if at.links.any():
                raise ATError()
            at.links.multiple = bool(mode)


@command("AT+CIPSTART", "link, " + _START)
class Start:
    """Opens a link. keep_alive in seconds, timeout in ms (0: 20 s)."""

    async def set(at, *values):
        number = values[0] if at.links.multiple else 0
        return await _start(at, number, *values[-6:])


@command("AT+CIPSTARTEX", _START)
class StartAny:
    """Opens a link with the lowest id that is free."""

    async def set(at, *values):
        number = at.links.lowest_free() if at.links.multiple else 0
        if number is None:
            raise ATError()
        return await _start(at, number, *values)


async def _start(at, number, kind, host, port, keep_alive, local_ip, timeout):
    if at.links.table[number]:
        at.port.write(messages.ALREADY_CONNECTED)
        raise ATError()
    if at.radio.state != UP:
        raise ATError()
    link = TCPLink(at.links, number)
    began = ticks_ms()
    patience = timeout or _CONNECT_MS
    try:
        ip = await at.resolver.resolve(host, patience)
        left = max(patience - ticks_diff(ticks_ms(), began), 1)
        await link.connect(ip, port, local_ip, keep_alive, left)
    except BaseException:  # also when AT+RST ends this command: the id is free again, whatever happened
        link.close()
        raise
    at.port.write(at.reports.connected(link))
    at.port.write(messages.OK)
    link.resume()
    return messages.NOTHING


@command("AT+CIPSEND", "link, length:1..8192")
class Send:
    """Takes so many bytes after the prompt and sends them; +++ between two silences takes it back."""

    async def set(at, *values):
        number = values[0] if at.links.multiple else 0
        return await _send(at, number, values[-1])


async def _send(at, number, length):
    if length > at.board.SEND_MAX:
        raise ATError(messages.E_RANGE, int(at.links.multiple))
    link = at.links.get(number)
    if not link:
        raise ATError()
    at.port.write(messages.PROMPT)
    at.reports.hold()
    collector = Collector(at.loop, at.port, at.transmit, length)
    try:
        if not await collector.done():
            return messages.SEND_CANCELED
        at.reports.taken()
        at.port.write(messages.RECEIVED % length)
        await link.write(at.transmit, length)
        return messages.SEND_OK
    except OSError:
        return messages.SEND_FAIL
    finally:
        collector.leave()
        at.reports.release()


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
    link.close()
    at.port.write(at.reports.ended(link))


@command("AT+CIPSTATE")
class State:
    """One line for each link: id, type, remote address and port, local port, 0 client or 1 server."""

    async def query(at):
        await _links(at, "+CIPSTATE")


@command("AT+CIPSTATUS")
class Status:
    """STATUS: 0 no station, 1 idle, 2 joined, 3 with a link, 4 all links closed, 5 not joined; then as CIPSTATE."""

    async def execute(at):
        at.line("STATUS:%d", _status(at))
        await _links(at, "+CIPSTATUS")


def _status(at):
    if not at.radio.mode & 1:
        return 0
    if at.radio.state != UP:
        return 5 if at.radio.target else 1
    if at.links.any():
        return 3
    return 4 if at.links.used else 2


async def _links(at, name):
    for link in at.links.table:
        if link and link.open:
            await at.port.room()
            values = (link.number, link.kind, link.ip, link.port, link.local_port, link.role)
            at.line(name + ':%d,"%s","%s",%d,%d,%d', *values)


@command("AT+CIPDINFO", "mode:0..1")
class Origin:
    """1: +IPD names the address and port that the data came from."""

    def query(at):
        at.line("+CIPDINFO:%s", "true" if at.reports.origin else "false")

    def set(at, mode):
        at.reports.origin = bool(mode)


@command("AT+CIFSR")
class Addresses:
    """Addresses of the interfaces that are on: IPv4 and MAC."""

    def execute(at):
        for bit, name, wlan in ((2, "AP", at.radio.softap), (1, "STA", at.radio.station)):
            if at.radio.mode & bit:
                at.line('+CIFSR:%sIP,"%s"', name, wlan.ifconfig()[0])
                at.line('+CIFSR:%sMAC,"%s"', name, ":".join("%02x" % byte for byte in wlan.config("mac")))
