"""The links: up to five connections, each with an id. They know nothing of AT: a listener is told what happens
(`readable(link)`, `closed(link)`), and reads the data when it has a place for them."""

import errno
import select
from os import urandom
from time import ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Signal
from firmware.net import address, options

LINKS = 5
CLIENT, SERVER = 0, 1

# No port of MicroPython tells the local port of a socket (there is no getsockname), so a link chooses its own,
# above the range that Linux gives out by itself.
_FIRST_PORT = const(61000)
_LAST_PORT = const(65535)


class Links:
    """The table of links by id. `listener` is told of data and of ends; `multiple` is AT+CIPMUX."""

    def __init__(self, loop):
        self.loop = loop
        self.listener = None
        self.multiple = False
        self.used = False  # whether any link was ever open, which CIPSTATUS tells
        self.table = [None] * LINKS
        self.server = None
        self.kept = bytearray(LINKS)  # 1 for each link of TCP that stays when the network goes (AT+CIPCONNPERSIST)
        # Of each link: SO_LINGER, TCP_NODELAY, SO_SNDTIMEO (ms), keep-alive (s), as AT+CIPTCPOPT has them.
        self.options = [(-1, 0, 0, 0)] * LINKS

    def tune(self, number, sock):
        """Sets the options of a link's socket."""
        linger, no_delay, _, keep_alive = self.options[number]
        options.linger(sock, linger)
        options.no_delay(sock, no_delay)
        options.keep_alive(sock, keep_alive)

    def set_options(self, number, values):
        """Changes the options of a link, now if it is open; None leaves one as it is."""
        old = self.options[number]
        # A new list, as the old one may be what the settings hold, and compare with.
        self.options = list(self.options)
        self.options[number] = tuple([old[i] if value is None else value for i, value in enumerate(values)])
        link = self.get(number)
        if link and link._sock and not link.datagrams:
            self.tune(number, link._sock)

    def any(self):
        return any(self.table)

    def lowest_free(self):
        """The id that the next link takes, or None."""
        for i in range(LINKS):
            if not self.table[i]:
                return i
        return None

    def get(self, number):
        """The open link with this id, or None."""
        link = self.table[number]
        return link if link and link.open else None

    def end(self, link):
        """Closes a link because its connection is over; the listener is told, with the slot free again.

        What its box keeps can still be read: then only the connection is closed, and the link ends after that."""
        if link.box and link.box.waiting():
            link.box.ended = True
            link.disconnect()
            return
        link.close()
        if self.listener:
            self.listener.closed(link)

    def end_all(self):
        """Closes the links because the network is gone, but for those that are to outlive that."""
        for link in self.table:
            if link and link.open:
                if link.datagrams or not self.kept[link.number]:
                    self.end(link)
            elif link:
                link.close()


class Link:
    """What all kinds of links share: a slot in the table, a socket, and when to listen to it.

    It takes its slot when made and gives it back when closed. The kinds add `kind`, how to open, `readinto` or
    `receive`, and `write`."""

    kind = ""
    datagrams = False

    def __init__(self, links, number, role=CLIENT):
        self._links = links
        self._loop = links.loop
        self.number = number
        self.role = role
        self.open = False
        self.ip = ""
        self.port = self.local_port = 0
        self.box = None  # what waits for the host in passive receive mode
        self.noticed = False  # whether the host has been told of it
        self.heard = ticks_ms()  # when the peer sent something last
        self._sock = None
        self._broken = self._deaf = self._wants_write = self._gives_up = False
        self._events = 0
        self._writer = None
        self._callback = self.event
        self._ready = Signal(self._loop)
        links.table[number] = self

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

    def event(self, events):
        if events & (select.POLLERR | select.POLLHUP):
            self._broken = True
        if not self.open:
            self._change(0)
            self._ready.set()
            return
        if self._wants_write and events & ~select.POLLIN:
            self._wants_write = False
            self._change(self._events & ~select.POLLOUT)
            writer, self._writer = self._writer, None
            if writer:
                writer()
            else:
                self._ready.set()
        if events & ~select.POLLOUT:
            self.heard = ticks_ms()
            if self._events & select.POLLIN:
                self._links.listener.readable(self)
            else:
                # Poll reports a broken connection even to those who do not ask, and would not sleep again.
                self._deaf = True
                self._loop.forget(self._sock)

    def route(self, callback):
        """Has what happens to the socket told to another than `event`."""
        self._callback = callback
        if self._sock:
            self._loop.route(self._sock, callback)

    def _change(self, events):
        self._events = events
        if self._deaf:
            self._deaf = False
            self._loop.watch(self._sock, events, self._callback)
        elif self._sock:
            self._loop.change(self._sock, events)

    def _writable(self, began):
        """Await it: True when the socket takes data again or something else has happened to the link, False when
        SO_SNDTIMEO is over since `began` (ticks)."""
        self._wants_write = True
        self._change(self._events | select.POLLOUT)
        patience = self._links.options[self.number][2]
        return self._ready.wait(max(patience - ticks_diff(ticks_ms(), began), 0) if patience else -1)

    def when_writable(self, callback):
        """Calls `callback()` once, in place of a write() that waits, when the socket takes data again."""
        self._writer = callback
        self._wants_write = True
        self._change(self._events | select.POLLOUT)

    def give_up(self):
        """Ends a write() that waits, with an OSError."""
        self._gives_up = True
        self._ready.set()

    def family(self):
        """What to ask the resolver for when this link needs an address."""
        return 3 if self.kind.endswith("v6") else 2

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
        """Closes the connection, if there is one, and frees the slot."""
        self.open = False
        if self._links.table[self.number] is self:
            self._links.table[self.number] = None
        self.disconnect()

    def disconnect(self):
        """Closes the connection, if there is one; the link keeps its slot."""
        if self._sock:
            if not self._deaf:
                self._loop.forget(self._sock)
            self._sock.close()
            self._sock = None
        self._deaf = False
        self._events = 0
        self._ready.set()
