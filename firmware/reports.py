"""What the host is told without having asked: +IPD, CONNECT, CLOSED, the state of Wi-Fi.
Turns what the links say into bytes for the AT port; never cuts into the data that the host is sending."""

from micropython import const

from firmware.at import messages
from firmware.loop import Timer
from firmware.net.links import LINKS

# Reports wait for SEND OK, but at most so long once the data have been taken.
_HOLD_MS = const(1000)
# Why reports are held: the host is sending data, it sleeps, or the buffer is lent to a command.
_DATA, _SLEEP, _LENT = const(1), const(2), const(4)
_QUEUE = const(24)
# Room for `⏎+IPD,4,1460,"...",65535:` with the longest IPv6 address.
_HEAD = const(80)


class Reports:
    """The listener of the links. `buffer()` makes the one for the bytes of a stream, of which one +IPD carries up to
    `size`; `window` is what a link keeps in passive mode, `windows` what all of them keep together."""

    def __init__(self, at, loop, port, links, buffer, size, window, windows):
        self._at = at  # what has all the parts, for those that are loaded when they are needed
        self.port = port
        self.links = links
        self.window = window
        self.windows = windows
        self._make_buffer = buffer
        self.size = size
        self.buffer = None
        self.head = bytearray(_HEAD)
        self.head[: len(messages.IPD)] = messages.IPD
        self._mark = self._stop = -1  # for which link and size _head was made, and how long it is
        self.waiting = 0  # a bit for each link that has data, or in passive mode a notice, and was not served
        self._last = 0
        self.queue = []
        self.held = 0  # _DATA, _SLEEP, _LENT
        self.lent = None  # the box that the port is sending from
        self.again = None  # the timer for passive links that wait for a place
        self._timer = Timer(loop, self._time_out)
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
        self.held |= _DATA

    def taken(self):
        """The data of the host are here: from now on the hold ends by itself."""
        self._timer.start(_HOLD_MS)

    async def borrow(self):
        """Waits until the buffer for what links bring is free, and returns it: until release() nothing is read."""
        if not self.buffer:
            self._make()
        self.held |= _LENT
        await self.port.sent()
        return self.buffer

    def release(self):
        """The command that held the reports, or has borrowed the buffer, is at its end."""
        self._time_out()
        self.held &= ~_LENT

    def _time_out(self):
        self._timer.stop()
        self.held &= ~_DATA

    def sleeps(self, asleep):
        """The host sleeps, and has to be woken before something is reported, or does not."""
        self.held = self.held & ~_SLEEP | (_SLEEP if asleep else 0)

    def text(self, text):
        """Reports a line, now or as soon as reports may go out again; in passthrough only if the host wants that."""
        if self.tunnel and self.silent:
            return
        if self.filter:
            text = self.filter(text)
            if not text:
                return
        if self.held or self.queue or self.port.begun() or not self.port.has_room():
            if len(self.queue) < _QUEUE:
                self.queue.append(text)
            else:
                self.dropped += 1
        else:
            self.port.write(text)

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
        if not self.links.multiple:
            return text
        try:
            return b"%d,%s" % (link.number, text)
        except MemoryError:
            self.links.spare(True)
            return b"%d,%s" % (link.number, text)

    def clear(self):
        """Whether nothing waits to be reported."""
        return not (self.held or self.queue or self.waiting)

    # The listener of the links

    def prepare(self, link):
        """Makes what a new link needs in its mode, before the host hears of it."""
        if self.passive[link.number] & 1 and not self.tunnel:
            from firmware import passive

            passive.make_box(self._at, link)
        else:
            self.need_buffer(link)

    def need_buffer(self, link):
        """Makes the buffer for what a stream brings, if it is not there."""
        if not (self.buffer or link.datagrams):
            self._make()

    def _make(self):
        self.buffer = self._make_buffer()
        self.size = min(self.size, len(self.buffer))

    def closed(self, link):
        # First the text: if there is no memory for it, the link is still there, and all this is done again.
        self.text(self.ended(link))
        self.waiting &= ~(1 << link.number)
        link.close()
        if self.tunnel:
            self.tunnel.lost()

    def readable(self, link):
        """Takes what has come, or sees to it that it is taken later. Returns True if all of it has gone to the host."""
        if link.box is not None:
            from firmware import passive

            passive.keep(self._at, link)
        elif self.held or self.queue or self.waiting or not self._ready():
            link.pause()
            self.waiting |= 1 << link.number
        else:
            return self._serve(link) and not self.waker

    # Active mode

    def _ready(self):
        port = self.port
        return (port.rests or (port.data is None and port.has_room())) and not port.begun()

    def turn(self):
        """Lets out what had to wait: the texts in their order, then a block of each link in turn."""
        if self.held:
            if self.held == _SLEEP and (self.queue or self.waiting):
                self.waker.due()
            return
        begun = self.port.begun()
        if begun:
            if self.queue or self.waiting:
                self._timer.start(begun)  # a line that never ends is no event
            return
        while self.queue and self.port.has_room():
            self.port.write(self.queue.pop(0))
        while self.waiting and not self.queue and self._ready():
            number = self._last
            while True:
                number = (number + 1) % LINKS
                if self.waiting & 1 << number:
                    break
            self._last = number
            self.waiting &= ~(1 << number)
            link = self.links.get(number)
            if link and link.box is not None:
                from firmware import passive

                passive.notice(self._at, link)
            elif link:
                link.resume()
                self._serve(link)
        if self.waker and not (self.queue or self.waiting):
            self.waker.quiet()

    def _serve(self, link):
        """Passes on one block of a link's data, or its end; returns whether all of it has gone to the host."""
        if link.datagrams:
            datagram = link.receive()
            if datagram:
                data, ip, port = datagram
                try:
                    self._pass(link, data, len(data), self.source(ip, port))
                except MemoryError:
                    link.dropped += 1
            self.count(link)
            return False
        source = self.source(link.ip, link.port)  # what was read would be lost if there were no memory for this
        count = link.readinto(self.buffer, len(self.buffer) if self.raw else self.size)
        if count is not None:
            if count >= 0:
                return self._pass(link, self.buffer, count, source)
            self.links.end(link)
        return False

    def count(self, link):
        """Adds the datagrams that a link has dropped."""
        self.lost += link.dropped
        link.dropped = 0

    def source(self, ip, port):
        """With CIPDINFO the part of +IPD that says who has sent the data, `,"1.2.3.4",80`."""
        return b',"%s",%d' % (ip, port) if self.origin else b""

    def _pass(self, link, data, count, source):
        size = 0 if self.raw else self.header(link, count, source)
        return self.port.block(self.head, size, data, count)

    def header(self, link, count, source):
        """Writes `⏎+IPD,0,1460:` (with CIPDINFO `⏎+IPD,0,1460,"1.2.3.4",80:`) to `head`, without any memory; returns
        its length."""
        # Mostly it is the same as before.
        mark = count << 4 | link.number << 1 | self.links.multiple
        if mark == self._mark and not source:
            return self._stop
        head = self.head
        at = len(messages.IPD)
        if self.links.multiple:
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

    def look_again(self):
        """Passive links that have found no place try again."""
        from firmware import passive

        passive.go_on(self._at)

    async def lend(self, box, head, size, count, tail):
        """Writes head[:size], `count` bytes of a box and `tail` with nothing in between; the bytes leave the box.

        Nothing else goes out meanwhile, not even `busy p...`: a line of the host waits in the port."""
        port = self.port
        port.deaf = True
        self.lent = box
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
            self.lent = None
        port.write(tail)


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
