"""What the host is told without having asked: +IPD, CONNECT, CLOSED, the state of Wi-Fi.
Turns what the links say into bytes for the AT port; never cuts into the data that the host is sending."""

from micropython import const

from firmware.at import messages
from firmware.loop import Timer
from firmware.net.links import LINKS

# Reports wait for SEND OK, but at most so long once the data have been taken.
_HOLD_MS = const(1000)
# Why reports are held: the host is sending data, or it sleeps.
_DATA, _SLEEP = const(1), const(2)
_QUEUE = const(24)
# A passive link that has found no place or no memory is looked at again after so long, and when the host reads.
_AGAIN_MS = const(1000)
# Room for `⏎+IPD,4,1460,"...",65535:` with the longest IPv6 address.
_HEAD = const(80)


class Reports:
    """The listener of the links. `buffer()` makes the one for the bytes of a stream, of which one +IPD carries up to
    `size`; `window` is what a link keeps in passive mode, `windows` what all of them keep together."""

    def __init__(self, loop, port, links, buffer, size, window, windows):
        self._port = port
        self._links = links
        self._window = window
        self._windows = windows
        self._make_buffer = buffer
        self._size = size
        self.buffer = None
        self._head = bytearray(_HEAD)
        self._head[: len(messages.IPD)] = messages.IPD
        self._mark = self._stop = -1  # for which link and size _head was made, and how long it is
        self._waiting = 0  # a bit for each link that has data, or in passive mode a notice, and was not served
        self._last = 0
        self._queue = []
        self._held = 0  # _DATA, _SLEEP
        self._lent = None  # the box that the port is sending from
        self._again = None  # the timer for passive links that wait for a place
        self._timer = Timer(loop, self.release)
        self.detailed = False  # AT+SYSMSG bit 1
        self.origin = False  # AT+CIPDINFO
        self.passive = bytearray(LINKS)  # for each link bit 0 passive mode, bit 1 lengths of the next datagram
        self.dropped = 0  # texts that found no place
        self.waker = None  # what wakes a host that sleeps (AT+USERWKMCUCFG)
        self.raw = False  # AT+CIPMODE: data without +IPD in front of them
        self.tunnel = None  # the passthrough that the host is in
        self.filter = None  # what AT+SYSMSGFILTER makes of a text
        self.silent = False  # whether it hears of nothing there (AT+SYSMSG bit 2)
        self.unsent = 0  # bytes of the host that passthrough had no place for, or no link any more
        self.lost = 0  # datagrams that found no place in a box, or that were too large
        links.listener = self

    # Texts

    def hold(self):
        """From `>` on: nothing is reported."""
        self._timer.stop()
        self._held |= _DATA

    def taken(self):
        """The data of the host are here: from now on the hold ends by itself."""
        self._timer.start(_HOLD_MS)

    def release(self):
        self._timer.stop()
        self._held &= ~_DATA

    def sleeps(self, asleep):
        """The host sleeps, and has to be woken before something is reported, or does not."""
        self._held = self._held & ~_SLEEP | (_SLEEP if asleep else 0)

    def text(self, text):
        """Reports a line, now or as soon as reports may go out again; in passthrough only if the host wants that."""
        if self.tunnel and self.silent:
            return
        if self.filter:
            text = self.filter(text)
            if not text:
                return
        if self._held or self._queue or self._port.begun() or not self._port.has_room():
            if len(self._queue) < _QUEUE:
                self._queue.append(text)
            else:
                self.dropped += 1
        else:
            self._port.write(text)

    def connected(self, link):
        """The text that says that a link is up."""
        if self.detailed:
            values = (0, link.number, link.kind, link.role, link.ip, link.port, link.local_port)
            return messages.LINK_CONN % values
        return self._named(link, messages.CONNECT)

    def ended(self, link):
        """The text that says that a link is down."""
        return self._named(link, messages.CLOSED)

    def _named(self, link, text):
        if not self._links.multiple:
            return text
        try:
            return b"%d,%s" % (link.number, text)
        except MemoryError:
            self._links.spare(True)
            return b"%d,%s" % (link.number, text)

    def clear(self):
        """Whether nothing waits to be reported."""
        return not (self._held or self._queue or self._waiting)

    # The listener of the links

    def prepare(self, link):
        """Makes what a new link needs in its mode, before the host hears of it."""
        if self.passive[link.number] & 1 and not self.tunnel:
            self._make_box(link)
        else:
            self.need_buffer(link)

    def need_buffer(self, link):
        """Makes the buffer for what a stream brings, if it is not there."""
        if not (self.buffer or link.datagrams):
            self.buffer = self._make_buffer()
            self._size = min(self._size, len(self.buffer))

    def closed(self, link):
        # First the text: if there is no memory for it, the link is still there, and all this is done again.
        self.text(self.ended(link))
        self._waiting &= ~(1 << link.number)
        link.close()
        if self.tunnel:
            self.tunnel.lost()

    def readable(self, link):
        """Takes what has come, or sees to it that it is taken later. Returns True if all of it has gone to the host."""
        if link.box is not None:
            self._keep(link)
        elif self._held or self._queue or self._waiting or not self._ready():
            link.pause()
            self._waiting |= 1 << link.number
        else:
            return self._serve(link) and not self.waker

    # Active mode

    def _ready(self):
        port = self._port
        return (port.rests or (port.data is None and port.has_room())) and not port.begun()

    def turn(self):
        """Lets out what had to wait: the texts in their order, then a block of each link in turn."""
        if self._held:
            if self._held == _SLEEP and (self._queue or self._waiting):
                self.waker.due()
            return
        begun = self._port.begun()
        if begun:
            if self._queue or self._waiting:
                self._timer.start(begun)  # a line that never ends is no event
            return
        while self._queue and self._port.has_room():
            self._port.write(self._queue.pop(0))
        while self._waiting and not self._queue and self._ready():
            number = self._last
            while True:
                number = (number + 1) % LINKS
                if self._waiting & 1 << number:
                    break
            self._last = number
            self._waiting &= ~(1 << number)
            link = self._links.get(number)
            if link and link.box is not None:
                self._notice(link)
            elif link:
                link.resume()
                self._serve(link)
        if self.waker and not (self._queue or self._waiting):
            self.waker.quiet()

    def _serve(self, link):
        """Passes on one block of a link's data, or its end; returns whether all of it has gone to the host."""
        if link.datagrams:
            datagram = link.receive()
            if datagram:
                data, ip, port = datagram
                try:
                    self._pass(link, data, len(data), self._source(ip, port))
                except MemoryError:
                    link.dropped += 1
            self._count(link)
            return False
        source = self._source(link.ip, link.port)  # what was read would be lost if there were no memory for this
        count = link.readinto(self.buffer, len(self.buffer) if self.raw else self._size)
        if count is not None:
            if count >= 0:
                return self._pass(link, self.buffer, count, source)
            self._links.end(link)
        return False

    def _count(self, link):
        self.lost += link.dropped
        link.dropped = 0

    def _source(self, ip, port):
        """With CIPDINFO the part of +IPD that says who has sent the data, `,"1.2.3.4",80`."""
        return b',"%s",%d' % (ip, port) if self.origin else b""

    def _pass(self, link, data, count, source):
        size = 0 if self.raw else self._header(link, count, source)
        return self._port.block(self._head, size, data, count)

    def _header(self, link, count, source):
        """Writes `⏎+IPD,0,1460:` (with CIPDINFO `⏎+IPD,0,1460,"1.2.3.4",80:`) to _head, without any memory; returns its
        length."""
        # Mostly it is the same as before.
        mark = count << 4 | link.number << 1 | self._links.multiple
        if mark == self._mark and not source:
            return self._stop
        head = self._head
        at = len(messages.IPD)
        if self._links.multiple:
            head[at] = 0x30 + link.number
            head[at + 1] = 0x2C
            at += 2
        at = _digits(head, at, count)
        for byte in source:
            head[at] = byte
            at += 1
        head[at] = 0x3A
        self._mark = -1 if source else mark
        self._stop = at + 1
        return self._stop

    # Passive mode

    def _make_box(self, link):
        from firmware.net import box

        if not self._again:
            self._again = Timer(self._links.loop, self._go_on)
        link.box = box.DatagramBox() if link.datagrams else box.StreamBox()

    def _keep(self, link):
        """Takes what has come into the link's box, and tells the host once that something waits."""
        box = link.box
        if box is not self._lent and not box.ended and box.fill(link, self._room(link)):
            if not link.listening():
                link.resume()
        else:
            link.pause()
            if box.waiting() < self._window:
                self._again.start(_AGAIN_MS)
        if link.datagrams:
            self._count(link)
        self._notice(link)

    def _room(self, link):
        """How many bytes more the link's box may take: up to its share always, as half of `windows` is shared out, and
        of the rest what the others have left."""
        share = self._windows // (2 * LINKS)
        room = self._windows
        for other in self._links.table:
            if other and other.box and other is not link:
                room -= max(other.box.waiting(), share)
        return max(min(room, self._window), share) - link.box.waiting()

    def _notice(self, link, first=False):
        """Tells the host that something waits, or that the link has ended with nothing left to read. `first` is behind
        an answer, in front of all else that waits to be reported."""
        box = link.box
        bit = 1 << link.number
        if box.next():
            if link.noticed:
                return
            self._waiting |= bit
            if ((self._held or self._queue or self._port.begun()) and not first) or not self._port.has_room():
                return
            # +IPD,0,100 and not a colon: the data wait for CIPRECVDATA.
            name = b"%d," % link.number if self._links.multiple else b""
            text = messages.IPD + name + b"%d\r\n" % box.next()
            if self.filter:
                text = self.filter(text)
            if text:
                self._port.write(text)
            link.noticed = True
        elif box.ended:
            self._links.end(link)
        self._waiting &= ~bit

    async def read(self, link, length, whole):
        """Answers AT+CIPRECVDATA with up to `length` bytes of the link's box; False when there is nothing that fits."""
        box = link.box
        count = box.take(length, whole, self.origin)
        if not count:
            return False
        text = b"+CIPRECVDATA:%d," % count
        if self.origin:
            text += b'"%s",%d,' % (box.sender() or (link.ip, link.port))
        await self.lend(box, text, len(text), count, messages.OK)
        # What is still there, or has come since, is news again. The others are the first to take the place.
        link.noticed = True
        try:
            self._go_on(link.number)
            if link.open:
                link.noticed = False
                self._notice(link, True)
        except MemoryError:  # it waits
            link.noticed = False
            self._waiting |= 1 << link.number
        return True

    def _go_on(self, number=0):
        """There may be a place again for what had none; the link with this number is the last to get it."""
        for _ in range(LINKS):
            number = (number + 1) % LINKS
            link = self._links.get(number)
            # What has ended, and can be read, waits for that alone.
            if link and link.box and not link.listening() and not (link.box.ended and link.box.next()):
                self._keep(link)

    async def lend(self, box, head, size, count, tail):
        """Writes head[:size], `count` bytes of a box and `tail` with nothing in between; the bytes leave the box.

        Nothing else goes out meanwhile, not even `busy p...`: a line of the host waits in the port."""
        port = self._port
        port.deaf = True
        self._lent = box
        try:
            await port.sent()
            port.copy(head, 0, size)
            while count:
                buffer, start, end = box.piece(count)
                port.send(buffer, start, end)
                await port.sent()
                box.drop(end - start)
                count -= end - start
        finally:
            port.deaf = False
            self._lent = None
        port.write(tail)

    def set_passive(self, number):
        """Starts the passive mode of a link."""
        link = self._links.get(number)
        if link and link.box is None:
            self._make_box(link)
            self._waiting &= ~(1 << number)
            link.resume()

    async def set_active(self, number):
        """Ends the passive mode of a link: what waits in its box comes as +IPD."""
        link = self._links.get(number)
        box = link and link.box
        if box is None:
            return
        self.need_buffer(link)
        while link.open and box.next():
            # A datagram stays whole, a stream comes in pieces as ever.
            count = box.next() if link.datagrams else min(box.next(), self._size)
            source = self._source(*(box.sender() or (link.ip, link.port)))
            size = 0 if self.raw else self._header(link, count, source)
            await self.lend(box, self._head, size, count, b"")
        if link.open:
            link.box = None
            link.noticed = False
            if box.ended:
                self._links.end(link)
            else:
                link.resume()
        self._go_on(number)


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
