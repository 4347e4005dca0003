"""The TCP server: takes connections, gives each the lowest free id, closes those that stay silent."""

import select
import socket
from time import ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Timer
from firmware.net import address
from firmware.net.links import LINKS, SERVER
from firmware.net.tcp import TCPLink

# How long a client may take to make TLS of its connection, unless `silence` is less.
_SHAKE_MS = const(20000)
# A client that cannot be accepted for want of memory or sockets would be found again at once; it waits so long.
_AGAIN_MS = const(200)
# What a client's connection takes at the least.
_CLIENT = const(512)
_BY_SOFTAP = const(2)


class Server:
    """`accepted(link)` is called for a new link, `refused(number)` when `number` links are all that may be;
    `on_softap(ip)` tells whether a client has come that way.

    `limit` is the most clients at a time, `silence` the seconds after which a client is closed to which and from which
    nothing has come, 0 for never."""

    def __init__(self, links, accepted, refused, on_softap):
        self._links = links
        self._accepted = accepted
        self._refused = refused
        self._on_softap = on_softap
        self._sock = None
        self.place = None  # see start()
        self._context = None
        self.limit = LINKS
        self.silence = 0
        self._timer = Timer(links.loop, self._look)

    def start(self, place, context=None):
        """Listens on a port, or raises OSError. `place` is that port, the kind, whether TLS asks the clients for their
        certificates, and whom it serves: 0 all, 1 those who come by the station, 2 by the softAP. `context` is that of
        TLS."""
        port, kind = place[:2]
        v6 = kind.endswith("v6")
        sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            # So that the port is free again at once after a stop.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address.resolved("::" if v6 else "0.0.0.0", port))
            sock.listen(LINKS)
            self._links.loop.watch(sock, select.POLLIN, self._event)
        except BaseException:
            sock.close()
            raise
        self._sock = sock
        self._context = context
        self.place = place

    def stop(self):
        """Listens no more; its links stay."""
        self._links.loop.forget(self._sock)
        self._sock.close()
        self._sock = self._context = None

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
            # Some ports lose a connection for which they find no memory, so it stays where it is until there is some.
            self._links.spare()
            bytearray(_CLIENT)
            sock, peer = self._sock.accept()
            ip, port = address.parts(peer)
            # No port tells at which of its addresses the module was met, but the peer's own says as much.
            netif = self.place[-1]
            if netif and (netif == _BY_SOFTAP) != self._on_softap(ip):
                sock.close()
                return
            number = self._links.lowest_free()
            count = len(self.clients())
            if number is None or count >= self.limit:
                sock.close()
                self._refused(LINKS if number is None else count)
                return
            if self._context:
                from firmware.net.tls import TLSLink

                link = TLSLink(self._links, number, SERVER, self._context)
            else:
                link = TCPLink(self._links, number, SERVER)
            link.adopt(sock, ip, port, self.place[0])
            if self._context:
                self._shake(link)
            else:
                self._accepted(link)
        except (OSError, MemoryError) as error:  # it has gone again, or it cannot be served; the others can
            if link:
                link.close()
            if isinstance(error, MemoryError):
                self._links.spare(True)
            if sock:
                sock.close()
            else:
                self._links.loop.change(self._sock, 0)
                self._timer.start(_AGAIN_MS)
            return
        self._look()

    def _shake(self, link):
        """Makes TLS of a client's connection, while everything else goes on."""

        def done(_, error):
            try:
                if error:
                    raise error
                link.heard = ticks_ms()
                self._accepted(link)
                self._look()
            except (OSError, MemoryError):  # as in _accept()
                link.close()

        self._links.loop.start(link.shake(min(self.silence * 1000 or _SHAKE_MS, _SHAKE_MS)), done)

    def _look(self):
        """Ends the clients that were silent for too long, and comes again when the next may have. Listens again
        after a while in which nobody could be accepted."""
        if self._sock:
            self._links.loop.change(self._sock, select.POLLIN)
        limit = self.silence * 1000
        if not limit:
            return
        soonest = 0
        now = ticks_ms()
        for link in self.clients():
            if not link.open:  # its TLS is not there yet, and has a limit of its own
                continue
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
