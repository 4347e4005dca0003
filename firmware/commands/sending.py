"""The part of the TCP/IP chapter that sends: CIPSEND, CIPSENDEX.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

import errno

from micropython import const

from firmware import commands
from firmware.at import messages
from firmware.at.command import command
from firmware.at.data import Collector
from firmware.at.messages import ATError

_LENGTH = "link, length:0..8192, host:text64?, port:1..65535?"
# How long a command waits for the peer to take the rest of a passthrough, and how often it looks.
_FREE_MS = const(5000)
_LOOK_MS = const(20)


@command("AT+CIPSEND", _LENGTH)
class Send:
    """Takes so many bytes (2048 at the most on the ESP8266) after the prompt and sends them; +++ takes it back. Without
    a length: see CIPMODE.
    +++ counts only between two silences of more than 20 ms.
    SEND FAIL comes when the connection has not taken them within SO_SNDTIMEO (see CIPTCPOPT), or 30 s without that. If
    it has taken a part, which the peer gets, the link is closed."""

    async def execute(at):
        from firmware.commands.passthrough import enter

        await free(at)
        return await enter(at)

    def set(at, *values):
        return _send(at, Collector, values)


@command("AT+CIPSENDEX", _LENGTH)
class SendEscaped:
    """As CIPSEND, but \\0 in the data ends them earlier, and a backslash before any other byte is dropped."""

    def set(at, *values):
        from firmware.at.escaped import EscapedCollector

        return _send(at, EscapedCollector, values)


async def target(at, values, limit):
    """The link, the length, and for a datagram to another peer its socket address."""
    number = values[0] if at.links.multiple else 0
    length, host, port = values[-3:]
    link = at.links.get(number)
    if not link:
        raise ATError()
    if length > limit or (not length and not link.datagrams):
        raise ATError(messages.E_RANGE, int(at.links.multiple))
    if host is None and port is None:
        return link, length, None
    if host is None or port is None or not link.datagrams:
        raise ATError(messages.E_COUNT)
    ip = await at.resolver.resolve(host, wanted=link.family())
    if not link.open:  # it went while the name was asked for
        raise ATError()
    return link, length, link.address(ip, port)


async def free(at):
    """Waits until the passthrough that the host has left has sent what it kept."""
    for _ in range(_FREE_MS // _LOOK_MS):
        if not at.leaving or at.leaving.empty():
            at.leaving = None
            return
        await at.loop.sleep(_LOOK_MS)
    raise ATError()


async def place(at, length, whole):
    """Memory for so many bytes of the host, in pieces of one size, which are kept for the next time; with `whole`, as a
    datagram needs it, in one, which may be that of the reports. MemoryError where there is none, also without idle
    commands. Call reports.release() when it is not needed any more."""
    if whole and length > at.board.PIECE:
        block = await at.reports.borrow()
        if length <= len(block):
            return [block]
    try:
        return _pieces(at, length, whole)
    except MemoryError:
        commands.drop()
        return _pieces(at, length, whole)


def _pieces(at, length, whole):
    size = at.board.PIECE
    if whole and length > size:
        return [bytearray(length)]
    if not at.pieces:
        at.pieces = []
    pieces = at.pieces
    while len(pieces) * size < max(length, 1):
        pieces.append(bytearray(size))
    return pieces


def cut(at, link, error, taken):
    """Closes a link if the peer has got a part of what could not be sent whole: what comes next would follow a gap.

    A connection that is broken is at its end anyway, which comes when all that the peer has sent was read."""
    if taken and link.open and (isinstance(error, MemoryError) or error.errno == errno.ETIMEDOUT):
        at.reports.hold()  # CLOSED comes behind SEND FAIL
        at.links.end(link)


async def _send(at, collector, values):
    if at.leaving:
        await free(at)
    link, length, to = await target(at, values, at.board.SEND_MAX)
    received = messages.RECEIVED % length

    def taken(count):
        at.port.write(received if count == length else messages.RECEIVED % count)
        at.reports.taken()

    data, failed = None, messages.ERROR
    try:
        pieces = await place(at, length, link.datagrams)
        if not length:  # then all is here at once, and said to be: ⏎OK⏎⏎>⏎Recv 0 bytes⏎
            at.port.write(messages.PROMPT)
        data = collector(at.loop, at.port, pieces, length, taken)
        done = data.done()
        if length:
            at.port.write(messages.PROMPT)
        at.reports.hold()
        failed = messages.SEND_FAIL
        await done
        if data.canceled:
            return messages.SEND_CANCELED
        await link.write(pieces, data.have, 0, to)
        return messages.SEND_OK
    except (OSError, MemoryError) as error:
        if failed == messages.SEND_FAIL:
            cut(at, link, error, link.taken)
        return failed
    finally:
        if data:
            data.leave()
        at.reports.release()
