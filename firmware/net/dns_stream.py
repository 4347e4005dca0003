"""A question to a name server over TCP, for an answer that has no place in a datagram.
It is loaded for that alone."""

import errno
import select
import socket
from time import ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Signal
from firmware.net import address

# Bytes of an answer that are read: some sixty addresses.
_MOST = const(1024)
_TRUNCATED = const(2)


async def ask(loop, server, port, question, deadline):
    """The answer, or the begin of a longer one, which then says that it is cut off; OSError if there is none until
    the deadline (ticks)."""
    arrived = Signal(loop)
    sock = socket.socket(socket.AF_INET6 if ":" in server else socket.AF_INET, socket.SOCK_STREAM)

    async def wait(events):
        arrived.clear()
        loop.watch(sock, events, lambda _: arrived.set())
        left = ticks_diff(deadline, ticks_ms())
        if left <= 0 or not await arrived.wait(left):
            raise OSError(errno.ETIMEDOUT)

    async def read(size):
        data = bytearray(size)
        place = memoryview(data)
        while place:
            await wait(select.POLLIN)
            count = sock.readinto(place)
            if count == 0:
                raise OSError(errno.ECONNRESET)
            place = place[count or 0 :]
        return data

    try:
        sock.setblocking(False)
        try:
            sock.connect(address.resolved(server, port))
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        await wait(select.POLLOUT)
        # A message has its length in front. So few bytes find room in any connection that is new.
        sock.write(len(question).to_bytes(2, "big") + question)
        size = await read(2)
        size = size[0] << 8 | size[1]
        packet = await read(min(size, _MOST))
        if size > _MOST:
            packet[2] |= _TRUNCATED
        return packet
    finally:
        loop.forget(sock)
        sock.close()
