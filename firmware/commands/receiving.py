"""The part of the TCP/IP chapter that receives: active and passive mode, and reading in passive mode.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from firmware.at import messages
from firmware.at.command import command
from firmware.at.messages import ATError
from firmware.net.links import LINKS


@command("AT+CIPRECVMODE", "mode:0..1")
class Mode:
    """For all links: 0 data come as +IPD, 1 they wait until the host reads them with CIPRECVDATA."""

    def query(at):
        at.line("+CIPRECVMODE:%d", at.reports.passive[0] & 1)

    async def set(at, mode):
        await _set(at, range(LINKS), mode)


@command("AT+CIPRECVTYPE", "link:0..5, mode:0..1, length_mode:0..1=0")
class Type:
    """CIPRECVMODE for one link (5: all). length_mode 1: lengths are those of the next datagram."""

    def query(at):
        for number in range(LINKS if at.links.multiple else 1):
            at.line("+CIPRECVTYPE:%d,%d", number, at.reports.passive[number] & 1)

    async def set(at, *values):
        number = values[0] if at.links.multiple else 0
        mode, length_mode = values[-2:]
        await _set(at, range(LINKS) if number == LINKS else (number,), mode | length_mode << 1)


async def _set(at, numbers, mode):
    for number in numbers:
        link = at.links.get(number)
        if link:
            from firmware import passive

            if mode & 1:
                passive.begin(at, link)
        at.reports.passive[number] = mode
        if link and not mode & 1:
            await passive.end(at, link)


@command("AT+CIPRECVDATA", "link, length:1..2147483647, whole:0..1=0")
class Data:
    """Reads up to so many bytes in passive mode; whole 1: one complete datagram, or ERROR if it is longer."""

    async def set(at, *values):
        link = at.links.get(values[0] if at.links.multiple else 0)
        length, whole = values[-2:]
        if not link or link.box is None:
            raise ATError()
        from firmware import passive

        if not await passive.read(at, link, length, whole):
            raise ATError()
        return messages.NOTHING


@command("AT+CIPRECVLEN")
class Length:
    """Bytes that wait in each link in passive mode; -1 for a link that is closed."""

    def query(at):
        lengths = []
        for number, link in enumerate(at.links.table):
            if not link or not link.open:
                lengths.append("-1")
            elif link.box is not None:
                next_only = at.reports.passive[number] & 2
                lengths.append(str(link.box.next() if next_only else link.box.waiting()))
            else:
                lengths.append("0")
        at.line("+CIPRECVLEN:" + ",".join(lengths))


@command("AT+MPYDROPPED")
class Dropped:
    """What was dropped since the start for want of a place: reports, datagrams that came, bytes for passthrough."""

    def query(at):
        if at.leaving:
            at.leaving.empty()
        at.line("+MPYDROPPED:%d,%d,%d", at.reports.dropped, at.reports.lost, at.reports.unsent)
