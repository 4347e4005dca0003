"""A link: what the kinds of connections have in common. Its module is loaded with the first one of them."""

import errno
import select
from os import urandom
from time import ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Signal
from firmware.net import address
from firmware.net.links import CLIENT

# No port of MicroPython tells the local port of a socket (there is no getsockname), so a link chooses its own,
# above the range that Linux gives out by itself.
_FIRST_PORT = const(61000)
_LAST_PORT = const(65535)
# How long (ms) a write() waits for the peer in all, where AT+CIPTCPOPT has no SO_SNDTIMEO.
_PATIENCE_MS = const(30000)


class Link:
    """What all kinds of links share: a slot in the table, a socket, and when to listen to it.

    It takes its slot when made and gives it back when closed. The kinds add `kind`, how to open, `readinto` or
    `receive`, and `write`."""

    kind = ""
    datagrams = False
    taken = 0  # bytes that the connection has got of a write() that has failed; 0 after one that has not
    # What most links never change costs memory only in those that do.
    open = False
    ip = ""
    port = local_port = 0
    box = None  # what waits for the host in passive receive mode
    noticed = False  # whether the host has been told of it
    _sock = None
    _broken = _deaf = _wants_write = _gives_up = False
    _events = 0
    _writer = None
    _signal = None  # of what waits for the link

    def __init__(self, links, number, role=CLIENT):
        self._links = links
        self._loop = links.loop
        self.number = number
        self.role = role
        self.heard = ticks_ms()  # when something was last sent, by the peer or to it
        links.table[number] = self

    def _wake(self):
        """Something has happened to the link: goes on with what waits for that."""
        if self._signal:
            self._signal.set()

    async def _wait(self, ms):
        """Await it: as Signal.wait(), for what happens to the link from now on."""
        self._signal = signal = Signal(self._loop)
        try:
            return await signal.wait(ms)
        finally:
            self._signal = None

    def spare(self, lacking=True):
        """Makes room in memory after there was not enough, or before, if there is little."""
        self._links.spare(lacking)

    def _bind(self, local_ip, port=0):
        """Binds the socket to the port, or with 0 to one that is free."""
        for _ in range(20):
            number = port
            if not number:
                pair = urandom(2)
                number = _FIRST_PORT + (pair[0] << 8 | pair[1]) % (_LAST_PORT - _FIRST_PORT)
            try:
                self._sock.bind(address.resolved(local_ip, number))
                self.local_port = number
                return
            except OSError as error:
                if port or error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE)

    def _event(self, events):
        """See Loop.watch()."""
        if events & (select.POLLERR | select.POLLHUP):
            self._broken = True
        if not self.open:
            self._change(0)
            self._wake()
            return
        done = True
        if self._wants_write and events & ~select.POLLIN:
            done = False
            self._wants_write = False
            self._change(self._events & ~select.POLLOUT)
            writer, self._writer = self._writer, None
            if writer:
                writer()
            else:
                self._wake()
        if events & ~select.POLLOUT:
            self.heard = ticks_ms()
            if self._events & select.POLLIN:
                return self._links.listener.readable(self) and done
            else:
                # Poll reports a broken connection even to those who do not ask, and would not sleep again.
                self._deaf = True
                self._loop.forget(self._sock)

    def _change(self, events):
        if self._deaf:
            self._loop.watch(self._sock, events, self._event)
            self._deaf = False
        elif self._sock:
            self._poll(events)
        self._events = events

    def _poll(self, events):
        """Has the socket polled for these events."""
        self._loop.change(self._sock, events)

    def _writable(self, began):
        """Await it: True when the socket takes data again or something else has happened to the link, False when
        SO_SNDTIMEO is over since `began` (ticks), or the time that a write() has without it."""
        self._wants_write = True
        self._change(self._events | select.POLLOUT)
        patience = self._links.options[self.number][2] or _PATIENCE_MS
        return self._wait(max(patience - ticks_diff(ticks_ms(), began), 0))

    def when_writable(self, callback):
        """Calls `callback()` once, in place of a write() that waits, when the socket takes data again."""
        self._writer = callback
        self._wants_write = True
        self._change(self._events | select.POLLOUT)

    def give_up(self):
        """Ends a write() that waits, with an OSError."""
        self._gives_up = True
        self._wake()

    def family(self):
        """What to ask the resolver for when this link needs an address."""
        return 3 if self.kind.endswith("v6") else 2

    def plain(self):
        """The socket, if the link is a stream and nothing is in the way of what it gives and takes, or None."""
        return None

    def pause(self):
        """The listener has no place for data now."""
        self._change(select.POLLOUT if self._wants_write else 0)

    def resume(self):
        """The listener wants to hear of data again."""
        self._change(self._events | select.POLLIN)

    def listening(self):
        """Whether data of the peer are taken as they come."""
        return bool(self._events & select.POLLIN)

    def close(self):
        """Closes the connection, if there is one, and frees the slot. It needs no memory, so that all of it is done:
        what a link never had is not set, as that would make it larger."""
        if self.open:
            self.open = False
        if self._links.table[self.number] is self:
            self._links.table[self.number] = None
        self.disconnect()

    def disconnect(self):
        """Closes the connection, if there is one; the link keeps its slot."""
        if self._sock:
            if self._deaf:
                self._deaf = False
            else:
                self._loop.forget(self._sock)
            self._sock.close()
            self._sock = None
        if self._events:
            self._events = 0
        self._wake()
