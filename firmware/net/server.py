"""The TCP server: takes connections, gives each the lowest free id, closes those that stay silent."""

import select
import socket
from time import ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Timer
from firmware.net import address
from firmware.net.links import LINKS, SERVER
from firmware.net.tcp import TCPLink

_LOOK_MS = const(250)


class Server:
    """`accepted(link)` is called for a new link, `refused(number)` when `number` links are all that may be.

    `limit` is the most clients at a time, `silence` the seconds after which a client that has sent nothing
    is closed, 0 for never."""

    def __init__(self, links, accepted, refused):
        self._links = links
        self._accepted = accepted
        self._refused = refused
        self._sock = None
        self.port = 0
        self.kind = "TCP"
        self.limit = LINKS
        self.silence = 0
        self._timer = Timer(links.loop, self._look)

    def start(self, port, v6):
        """Listens on a port, or raises OSError."""
        sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            # So that the port is free again at once after a stop.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address.resolved("::" if v6 else "0.0.0.0", port))
            sock.listen(LINKS)
        except OSError:
            sock.close()
            raise
        self._sock, self.port, self.kind = sock, port, "TCPv6" if v6 else "TCP"
        self._links.loop.watch(sock, select.POLLIN, self._event)

    def stop(self):
        """Listens no more; its links stay."""
        self._links.loop.forget(self._sock)
        self._sock.close()
        self._sock = None

    def running(self):
        return self._sock is not None

    def clients(self):
        """The links that the server has accepted."""
        return [link for link in self._links.table if link and link.role == SERVER]

    def _event(self, events):
        self._links.loop.soon(self._accept)

    def _accept(self):
        while self._sock:
            try:
                sock, peer = self._sock.accept()
            except OSError:  # no more of them for now, or the one has gone again
                return
            number = self._links.lowest_free()
            if number is None or len(self.clients()) >= self.limit:
                sock.close()
                self._refused(len(self.clients()))
                continue
            try:
                link = TCPLink(self._links, number, SERVER)
                link.adopt(sock, *address.parts(peer), self.port)
                self._accepted(link)
            except MemoryError:  # this client cannot be served; the others can
                self._links.table[number] = None
                sock.close()
                continue
            if self.silence:
                self._timer.start(_LOOK_MS)

    def _look(self):
        """Ends the clients that have sent nothing for too long."""
        clients = self.clients()
        for link in clients:
            if self.silence and ticks_diff(ticks_ms(), link.heard) > self.silence * 1000:
                self._links.end(link)
        if clients:
            self._timer.start(_LOOK_MS)

    def watch(self, silence):
        """Sets `silence`, for the clients that are here too."""
        self.silence = silence
        self._look()
