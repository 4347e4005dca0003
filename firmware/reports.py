"""What the host is told without having asked: +IPD, CONNECT, CLOSED, the state of Wi-Fi.
Turns what the links say into bytes for the AT port; never cuts into the data that the host is sending."""

from firmware.at import messages
from firmware.loop import Timer

# Reports wait for SEND OK, but at most so long once the data have been taken.
_HOLD_MS = 1000
_QUEUE = 24


class Reports:
    """The listener of the links. `size` is the most bytes that one +IPD carries."""

    def __init__(self, loop, port, links, size):
        self._port = port
        self._links = links
        self._buffer = bytearray(size)
        self._head = bytearray(48)
        self._waiting = 0  # a bit for each link that has data and was not served
        self._last = 0
        self._queue = []
        self._held = False
        self._timer = Timer(loop, self.release)
        self.detailed = False  # AT+SYSMSG bit 1
        self.origin = False  # AT+CIPDINFO
        self.dropped = 0
        links.listener = self

    def hold(self):
        """From `>` on: nothing is reported."""
        self._held = True

    def taken(self):
        """The data of the host are here: from now on the hold ends by itself."""
        self._timer.start(_HOLD_MS)

    def release(self):
        self._timer.stop()
        self._held = False

    def text(self, text):
        """Reports a line, now or as soon as reports may go out again."""
        if self._held or self._queue or not self._port.has_room():
            if len(self._queue) < _QUEUE:
                self._queue.append(text)
            else:
                self.dropped += 1
        else:
            self._port.write(text)

    def connected(self, link):
        """The text that says that a link is up."""
        if self.detailed:
            return messages.LINK_CONN % (
                0,
                link.number,
                link.kind,
                link.role,
                link.ip,
                link.port,
                link.local_port,
            )
        return self._named(link, messages.CONNECT)

    def ended(self, link):
        """The text that says that a link is down."""
        return self._named(link, messages.CLOSED)

    def _named(self, link, text):
        return b"%d,%s" % (link.number, text) if self._links.multiple else text

    def closed(self, link):
        self._waiting &= ~(1 << link.number)
        self.text(self.ended(link))

    def readable(self, link):
        if self._held or self._queue or self._waiting or not self._ready():
            link.pause()
            self._waiting |= 1 << link.number
        else:
            self._serve(link)

    def _ready(self):
        return self._port.takes_data() and self._port.has_room()

    def turn(self):
        """Lets out what had to wait: the texts in their order, then a block of each link in turn."""
        if self._held:
            return
        while self._queue and self._port.has_room():
            self._port.write(self._queue.pop(0))
        while self._waiting and not self._queue and self._ready():
            number = self._last
            while True:
                number = (number + 1) % len(self._links.table)
                if self._waiting & 1 << number:
                    break
            self._last = number
            self._waiting &= ~(1 << number)
            link = self._links.get(number)
            if link and self._serve(link):
                link.resume()

    def _serve(self, link):
        """Passes on one block of a link's data; False when the link has ended instead."""
        count = link.readinto(self._buffer, len(self._buffer))
        if count == 0:
            self._links.end(link)
            return False
        if count:
            self._port.write(messages.IPD)
            self._port.write(memoryview(self._head)[: self._header(link, count)])
            self._port.send(self._buffer, count)
        return True

    def _header(self, link, count):
        """Writes `0,1460:` (with CIPDINFO `0,1460,"1.2.3.4",80:`) to _head; returns its length."""
        head = self._head
        at = 0
        if self._links.multiple:
            head[0] = 0x30 + link.number
            head[1] = 0x2C
            at = 2
        at = _digits(head, at, count)
        if self.origin:
            text = b',"%s",%d' % (link.ip, link.port)
            head[at : at + len(text)] = text
            at += len(text)
        head[at] = 0x3A
        return at + 1


def _digits(buffer, at, number):
    """Writes a number's decimal digits without making an object of it; returns the place behind."""
    scale = 1
    while number // scale >= 10:
        scale *= 10
    while scale:
        buffer[at] = 0x30 + number // scale % 10
        at += 1
        scale //= 10
    return at
