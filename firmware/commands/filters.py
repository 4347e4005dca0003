"""The Basic chapter: filters for what is reported unasked.
Manual: Basic_AT_Commands.rst of espressif/esp-at, in its newest version."""

from firmware.at import messages
from firmware.at.command import command
from firmware.at.data import collect
from firmware.at.messages import ATError


@command("AT+SYSMSGFILTER", "enable:0..1")
class Filter:
    """1: what the filters of SYSMSGFILTERCFG match is left out of reports. Answers and data always come."""

    def query(at):
        at.line("+SYSMSGFILTER:%d", at.reports.filter is not None)

    def set(at, enable):
        at.reports.filter = _filters(at).apply if enable else None


def _filters(at):
    if not at.filters:
        from firmware.filters import Filters

        at.filters = Filters()
    return at.filters


@command("AT+SYSMSGFILTERCFG", "operator:0..2, head:0..64?, tail:0..64?, cflags:0..7=0")
class FilterSetting:
    """0 clears the filters, 1 adds, 2 deletes one: after the prompt a regular expression for the head of a report and
    one for its tail, of these lengths. cflags, in bits: 0 extended ones, 1 in any case, 2 ^ and $ at the begin and the
    end stand for those of a line. MicroPython's have no {n} and no [[:classes:]]."""

    async def query(at):
        for number, (head, tail, cflags) in enumerate(_filters(at).all):
            await at.port.room()
            at.port.write(b'+SYSMSGFILTERCFG:%d,"%s","%s",%d\r\n' % (number + 1, head, tail, cflags))

    async def set(at, operator, head, tail, cflags):
        filters = _filters(at)
        if not operator:
            filters.clear()
            return
        size = (head or 0) + (tail or 0)
        if not size:
            raise ATError()
        buffer = bytearray(size)
        if not await collect(at, buffer):
            return messages.SEND_CANCELED
        texts = bytes(buffer[: head or 0]), bytes(buffer[head or 0 :])
        try:
            (filters.add if operator == 1 else filters.remove)(*texts, cflags)
        except ValueError:  # no expression, or no such filter
            raise ATError()
