"""Passthrough: what comes from the host goes to one link, in blocks, until `+++`; while there is no link it is kept as
far as it fits. What comes from the link goes to the host as it is.

Where nothing is in the way, a chunk goes straight from the UART to the socket or its TLS, or back, past the loop, the
port and the listener of the links; whatever is not plain sailing is left to those."""

import select
from time import ticks_diff, ticks_ms

from micropython import RingIO, const

from firmware.at.data import GUARD_MS, PLUSES, Collector
from firmware.loop import Timer
from firmware.net.links import SERVER

# No stream is counted to this, and the index of a byte in the port's buffer may be added: it stays a small integer.
_WITHOUT_END = const(0x3FFF0000)
_PLUS = const(0x2B)
_ESCAPE = const(3)  # bytes of PLUSES
# So many times it polls before the timers get a look.
_ROUNDS = const(16)


class Passthrough(Collector):
    """The port's sink while the host is in passthrough. `memory` holds what waits, `block` what is being sent.

    A block goes when it is full, and what is less goes `interval` ms after the last byte. `held` says that the host
    stops while the UART is not read; a host that does not stop loses whole chunks while there is no link and no place,
    of which `dropped(count)` is told. `lost()` is called when the link has ended, `left()` after `+++`; `found(link)`
    is for whoever has the next link."""

    def __init__(self, loop, port, reports, memory, block, interval, held, dropped, lost, found, left):
        self._reports = reports
        self._ring = RingIO(memory)
        self._room = len(memory) - 1 - len(PLUSES)
        self._block = block
        self._start = self._end = 0  # what of the block has not gone yet
        self._due = False  # whether what waits goes although it is no full block
        self._interval = interval
        self._flush = Timer(loop, self._time_is_up)
        self._pump = self.pump  # one object for all the times that the link has to be waited for
        self._link = None
        self._held = held
        self._dropping = False
        self._late = False  # the next bytes came earlier, when there was no place
        self._dropped = dropped
        self.lost = lost
        self.found = found
        self._host_left = left
        super().__init__(loop, port, None, _WITHOUT_END)
        loop.express = self._express

    def attach(self, link):
        """Sends to this link from now on."""
        self._link = link
        self._dropping = False
        self.pump()

    # Where nothing is in the way

    def _express(self, ms):
        """In place of the loop's own polling: passes on what comes for as long as that is all there is to do.

        Returns None when it has not polled, False when nothing else came, True when something did."""
        port, link = self._port, self._link
        sock = link.plain() if link else None
        if (
            sock is None
            or self._start != self._end
            or self._pluses
            or self._ring.any() > self._room - len(self._block)
            or not port.rests
            or not self._reports.clear()
        ):
            return None
        # A chunk goes straight from the one to the other where nobody else wants to know of it.
        direct = link.kind[0] == "T" and link.role != SERVER and not (self._interval or self._ring.any())
        return self._pass_on(ms, sock, direct)

    def _pass_on(self, ms, sock, direct):
        port, poll, readable = self._port, self._loop.poll, select.POLLIN
        uart, block, buffer = port.uart, self._block, self._reports.buffer
        plain = True
        for _ in range(_ROUNDS):
            pollable = None
            for pollable, events in poll.ipoll(ms):
                if not plain or events != readable:
                    # All of this round, so that the end of a client comes before the next one.
                    plain = False
                    self._loop.watched[pollable](events)
                elif pollable is uart:
                    count = uart.readinto(block)
                    if direct and count and count > _ESCAPE:
                        port.arrived = ticks_ms()
                        self._late = False
                        try:
                            sent = sock.write(block, 0, count)
                        except OSError:  # the link is at its end, which is told when it is read
                            sent = 0
                        if sent != count:
                            plain = self._keep(sent, count)
                    elif count:
                        plain = self._up(count)
                elif pollable is sock:
                    try:
                        count = sock.readinto(buffer) if direct else self._link.readinto(buffer, len(buffer))
                    except OSError:
                        count = 0
                    if count is not None:
                        plain = port.send(buffer, 0, count) if direct and count else self._down(count)
                else:
                    plain = False
                    self._loop.watched[pollable](events)
            if not plain:
                return True
            if pollable is None:
                break
        return False

    def _up(self, count):
        """Passes on what the host has sent; returns whether nothing is left to do with it."""
        block = self._block
        port, now = self._port, ticks_ms()
        if count <= len(PLUSES) and block[0] == _PLUS and ticks_diff(now, port.arrived) > GUARD_MS:
            self._take(block, 0, count)
            port.arrived = now
            return False
        port.arrived = now
        self._late = False
        if (count < len(block) and self._interval) or self._ring.any():
            self._store(block, 0, count)
            return False
        sent = self._link.send(block, 0, count)
        return sent == count or self._keep(sent, count)

    def _keep(self, sent, count):
        """Has the rest of the block wait for the link."""
        self._start, self._end = sent or 0, count
        self._link.when_writable(self._pump)
        return False

    def _down(self, count):
        """Passes on what the peer has sent; returns whether nothing is left to do with it."""
        link, buffer = self._link, self._reports.buffer
        if count <= 0:
            self._reports.readable(link)  # which finds the end, too, and sees to it
            return False
        if link.role == SERVER:
            link.heard = ticks_ms()
        # The link comes back by a timer for what TLS may have kept of a record.
        whole = count < len(buffer) or link.kind[0] != "S"
        return self._port.send(buffer, 0, count) and whole

    # Where something is

    def _connected(self):
        return self._link is not None and self._link.open

    def _store(self, buffer, start, end):
        size = end - start
        if buffer is not PLUSES:
            room = max(self._room - self._ring.any(), 0)
            if size > room:
                self._dropping = not self._held and not self._connected()
                size = room
        if self._dropping:
            # All until there is a link again, so that the peer sees one gap and not many.
            self._late = False
            self._dropped(end - start)
            return end - start
        self._late = not size
        if size:
            self._ring.write(buffer, start, size)
            self._flush.start(self._interval)
            if self._ring.any() >= len(self._block):
                self.pump()
        return size

    def _is_escape(self, buffer, start, end):
        # Bytes that had to wait say nothing about a silence before them.
        return not self._late and super()._is_escape(buffer, start, end)

    def _time_is_up(self):
        self._due = True
        self.pump()

    def pump(self):
        """Sends what may go, as far as the link takes it."""
        while self._connected():
            if self._start == self._end:
                if not self._due and self._ring.any() < len(self._block):
                    break
                self._start = 0
                self._end = self._ring.readinto(self._block) or 0
                if not self._end:
                    self._due = False
                    break
            count = self._link.send(self._block, self._start, self._end)
            if not count:
                if count is None:
                    self._link.when_writable(self._pump)
                break
            self._start += count
        if self._ring.any() < self._room:
            self._port.full = False

    def empty(self):
        """Whether nothing is left to send. What was left when the link ended, after the host has gone, is dropped."""
        count = self._ring.any() + self._end - self._start
        if count and not self._connected():
            while self._ring.readinto(self._block):
                pass
            self._end = self._start
            self._dropped(count)
            return True
        return not count

    def _left(self):
        super()._left()
        self._loop.express = self._port.express
        self._flush.stop()
        self._time_is_up()
        self._host_left()
