"""The part of the TCP/IP chapter that sends while the data come in: CIPSENDL.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, later than tag v2.3.0.0_esp8266."""

from micropython import const

from firmware import commands
from firmware.at import messages
from firmware.at.command import command
from firmware.at.data import PLUSES
from firmware.at.stream import StreamCollector
from firmware.commands.sending import cut, free, target

# Bytes that wait this long (ms) are sent although they are fewer than the transmit size.
_INTERVAL_MS = const(20)
_LONGEST = const(0x7FFFFFFF)


@command("AT+CIPSENDLCFG", "report:100..1048576, transmit:100..2920?")
class SendLongSizes:
    """For CIPSENDL: bytes between two reports of progress, and bytes that are sent at a time."""

    def query(at):
        at.line("+CIPSENDLCFG:%d,%d", *at.send_sizes)

    def set(at, report, transmit):
        at.send_sizes = report, transmit or at.send_sizes[1]


@command("AT+CIPSENDL", "link, length:1..2147483647, host:text64?, port:1..65535?")
class SendLong:
    """Sends any number of bytes while they come in, with +CIPSENDL:<sent>,<received>; +++ cancels. The times of CIPSEND
    hold for each block that is sent; after SEND FAIL the link is closed if anything was sent."""

    async def set(at, *values):
        await free(at)
        link, length, to = await target(at, values, _LONGEST)
        buffer = at.memory(min(at.send_sizes[1] + len(PLUSES), at.board.SEND_MAX))
        size = len(buffer) - len(PLUSES)
        data = StreamCollector(at.loop, at.port, buffer, size, length, link.give_up, lambda have: at.reports.taken())
        try:
            stream = _stream(at, link, data, data.done(), buffer, to)
            at.port.write(messages.PROMPT)
            at.reports.hold()
            failed = await stream
            if data.canceled:
                return messages.SEND_CANCELLED
            return messages.SEND_FAIL if failed else messages.SEND_OK
        finally:
            data.leave()
            at.reports.release()


async def _stream(at, link, data, rest, buffer, to):
    """Sends what comes, and reports it; returns whether that has failed. What finds no memory is done once more, with
    that of idle commands."""
    step = at.send_sizes[0]
    pieces = (buffer,)
    sent = reported = 0
    more = True
    failed = lacked = False
    fault = None
    while True:
        try:
            if fault:
                # The host goes on sending: the rest of the data is still taken, and dropped.
                data.drop()
                if not failed:
                    failed = True
                    cut(at, link, fault, sent)
                await rest
                cut(at, link, fault, sent)  # again, if it has found no memory
                fault = None
                more = False
            while sent - reported >= step or (sent > reported and not more):
                await at.port.room()
                progress = min(sent, reported + step)
                at.line("+CIPSENDL:%d,%d", progress, data.have)
                reported = progress
            if not more:
                return failed
            more = await data.some(_INTERVAL_MS)
            if more:
                start, end = data.start, data.end
                await link.write(pieces, end, start, to)
                sent += end - start
                data.sent(end - start)
            lacked = False
        except (OSError, MemoryError) as error:
            if link.taken:
                sent += link.taken
                data.sent(link.taken)
                link.taken = 0
            if isinstance(error, MemoryError) and not lacked:
                lacked = True
                commands.drop()
            elif failed or not more:
                return failed  # not even what was sent can be told
            elif data.canceled:
                more = False
            else:
                fault = error
                lacked = False
