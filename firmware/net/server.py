"""The TCP server: takes connections, gives each the lowest free id, closes those that stay silent."""

import select
import socket
from time import ticks_diff, ticks_ms

from firmware.loop import Timer
from firmware.net import address
from firmware.net.links import LINKS, SERVER
from firmware.net.tcp import TCPLink


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
        if not self._sock:  # stopped in this round
            return
        sock = link = None
        try:
            sock, peer = self._sock.accept()
            number = self._links.lowest_free()
            count = len(self.clients())
            if number is None or count >= self.limit:
                sock.close()
                self._refused(LINKS if number is None else count)
                return
            link = TCPLink(self._links, number, SERVER)
            link.adopt(sock, *address.parts(peer), self.port)
            self._accepted(link)
        except (OSError, MemoryError):  # it has gone again, or it cannot be served; the others can
            if link:
                link.close()
            if sock:
                sock.close()
            return
        self._look()

    def _look(self):
        """Ends the clients that have sent nothing for too long, and comes again when the next may have."""
        limit = self.silence * 1000
        if not limit:
            return
        soonest = 0
        now = ticks_ms()
        for link in self.clients():
            if not link.listening():
                # Whether it has sent something is not known before the host takes what came earlier.
                link.heard = now
            left = limit - ticks_diff(now, link.heard)
            if left <= 0:
                self._links.end(link)
            elif not soonest or left < soonest:
                soonest = left
        if soonest:
            self._timer.start(soonest)

    def watch(self, silence):
        """Sets `silence`; for the clients that are here it counts from now."""
        self.silence = silence
        for link in self.clients():
            link.heard = ticks_ms()
        self._look()
