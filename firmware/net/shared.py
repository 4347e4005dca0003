"""One UDP socket for the links that have one local port, which are told apart by their peers. The ESP8266's lwIP is
built without SO_REUSE, so no two sockets may have one port there; what one chip cannot do, none does."""

import errno
import select

from firmware.net import address, options


def share(links, link, port):
    """What a new link gets in place of a socket: its part of the socket of a link that is open and has this local port;
    OSError when there is none."""
    for other in links.table:
        if other and other.open and other.datagrams and other.local_port == port and other.family() == link.family():
            if not isinstance(other._sock, Part):
                shared = Shared(other)
                other._sock = other._part = Part(shared, other)
            link.local_port = port
            return Part(other._sock.shared, link)
    raise OSError(errno.EADDRINUSE)


class Shared:
    """The socket of several links. Of what it has read it holds one datagram, and reads no more until the link that is
    meant has taken it."""

    def __init__(self, link):
        self.loop, self.sock = link._loop, link._sock
        self.parts = []
        self._next = self._owner = None  # the datagram, as recvfrom() has it, and whose part it is for
        self._cut = False
        self.loop.forget(self.sock)
        self.loop.watch(self.sock, 0, self._event)

    def update(self):
        """Asks the loop for what the links want to hear of."""
        events = 0
        for part in self.parts:
            events |= part.events
        if self._owner:
            events &= ~select.POLLIN
            self.loop.soon(self._deliver)
        self.loop.change(self.sock, events)

    def _deliver(self):
        if self._owner and self._owner.events & select.POLLIN:
            self._owner.event(select.POLLIN)

    def _event(self, events):
        for part in list(self.parts):
            # One that listens reads the next datagram, and whose that is shows then.
            wanted = events & part.events & ~(select.POLLIN if self._owner else 0)
            if wanted:
                part.event(wanted)

    def read(self, part, size):
        """The next datagram, as recvfrom() has it, if it is for this part, else OSError."""
        if self._next is None:
            self._next = options.receive(self.sock, size)
            self._cut = len(self._next[0]) == size
        if self._owner is None:  # also when there was no memory to find it
            self._owner = self._find(self._next[1])
        if self._owner is part:
            return self._take()
        if self._cut:  # which only `part` would notice, as it has said how much it takes
            self._owner.link.dropped += 1
            self._take()
        self.update()
        raise OSError(errno.EAGAIN)

    def _take(self):
        datagram, self._next, self._owner = self._next, None, None
        self.update()
        return datagram

    def drop(self):
        """Drops the next datagram, for which there is no memory."""
        if self._next is None:
            self.sock.recv(1)
        else:
            self._take()

    def _find(self, sender):
        """Whose a datagram is: that of the link whose peer has sent it, or else of one that may get another peer."""
        sender = address.parts(sender)
        best = self.parts[0]
        for part in self.parts:
            link = part.link
            if (link.ip, link.port) == sender:
                return part
            if best.link.fixed() and not link.fixed():
                best = part
        return best

    def leave(self, part):
        """The link of this part is closed; with the last one the socket is."""
        self.parts.remove(part)
        if self._owner is part:
            self._next = self._owner = None
        if self.parts:
            self.update()
        else:
            self.loop.forget(self.sock)
            self.sock.close()


class Part:
    """What one of the links has in place of a socket, and asks for what it would ask the loop for."""

    def __init__(self, shared, link):
        self.shared = shared
        self.link = link
        self.event = link._event
        self.events = link._events
        shared.parts.append(self)

    def poll(self, events):
        self.events = events
        self.shared.update()

    # In place of a socket

    def recvfrom(self, size):
        return self.shared.read(self, size)

    def recv(self, size):
        self.shared.drop()

    def sendto(self, data, to):
        return self.shared.sock.sendto(data, to)

    def setsockopt(self, level, option, value):
        self.shared.sock.setsockopt(level, option, value)

    def close(self):
        self.shared.leave(self)
