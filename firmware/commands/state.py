"""The part of the TCP/IP chapter that looks at the links, and the addresses.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from firmware.at.command import command
from firmware.wifi import UP


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
    """1: +IPD and +CIPRECVDATA name the address and port that the data came from."""

    def query(at):
        at.line("+CIPDINFO:%s", "true" if at.reports.origin else "false")

    def set(at, mode):
        at.reports.origin = bool(mode)


@command("AT+CIFSR")
class Addresses:
    """Addresses of the interfaces that are on: IPv4 and MAC. No port of MicroPython tells its IPv6 addresses."""

    def execute(at):
        for bit, name, wlan in ((2, "AP", at.radio.softap), (1, "STA", at.radio.station)):
            if at.radio.mode & bit:
                at.line('+CIFSR:%sIP,"%s"', name, wlan.ifconfig()[0])
                at.line('+CIFSR:%sMAC,"%s"', name, ":".join("%02x" % byte for byte in wlan.config("mac")))
