"""The TCP/IP chapter: links are opened and closed.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from firmware.at.command import command
from firmware.at.messages import ATError
from firmware.net.links import LINKS

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

    def set(at, *values):
        from firmware.commands import opening

        if at.links.multiple:
            return opening.start(at, *values)
        return opening.start(at, 0, *values)


@command("AT+CIPSTARTEX", _TCP + _END, _UDP + _END)
class StartAny:
    """Opens a link as CIPSTART, with the lowest id that is free."""

    def set(at, *values):
        from firmware.commands import opening

        number = at.links.lowest_free() if at.links.multiple else 0
        if number is None:
            raise ATError()
        return opening.start(at, number, *values)


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
