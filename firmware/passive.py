"""The part of the reports for links in passive receive mode, loaded with the first of them: what comes waits in the
link's box (see net/box) until the host reads it with CIPRECVDATA."""

from micropython import const

from firmware.at import messages
from firmware.loop import Timer
from firmware.net import box as boxes
from firmware.net.links import LINKS

# A link that has found no place or no memory is looked at again after so long, and when the host reads.
_AGAIN_MS = const(1000)


def begin(at, link):
    """Starts the passive mode of a link that is open."""
    if link.box is None:
        make_box(at, link)
        at.reports.waiting &= ~(1 << link.number)
        link.resume()


def make_box(at, link):
    """What a link needs in passive mode."""
    if not at.reports.again:
        at.reports.again = Timer(at.loop, at.reports.look_again)
    link.box = boxes.DatagramBox() if link.datagrams else boxes.StreamBox()


def keep(at, link):
    """Takes what has come into the link's box, and tells the host once that something waits."""
    box = link.box
    if box is not at.reports.lent and not box.ended and box.fill(link, _room(at, link)):
        if not link.listening():
            link.resume()
    else:
        link.pause()
        if box.waiting() < at.reports.window:
            at.reports.again.start(_AGAIN_MS)
    if link.datagrams:
        at.reports.count(link)
    notice(at, link)


def _room(at, link):
    """How many bytes more the link's box may take: up to its share always, as half of `windows` is shared out, and of
    the rest what the others have left."""
    share = at.reports.windows // (2 * LINKS)
    room = at.reports.windows
    for other in at.links.table:
        if other and other.box and other is not link:
            room -= max(other.box.waiting(), share)
    return max(min(room, at.reports.window), share) - link.box.waiting()


def notice(at, link, first=False):
    """Tells the host that something waits, or that the link has ended with nothing left to read. `first` is behind an
    answer, in front of all else that waits to be reported."""
    box = link.box
    bit = 1 << link.number
    if box.next():
        if link.noticed:
            return
        at.reports.waiting |= bit
        if ((at.reports.held or at.reports.queue or at.port.begun()) and not first) or not at.port.has_room():
            return
        # +IPD,0,100 and not a colon: the data wait for CIPRECVDATA.
        name = b"%d," % link.number if at.links.multiple else b""
        text = messages.IPD + name + b"%d\r\n" % box.next()
        if at.reports.filter:
            text = at.reports.filter(text)
        link.noticed = True  # first: this may need memory, and what is written cannot be taken back
        if text:
            at.port.write(text)
    elif box.ended:
        at.links.end(link)
    at.reports.waiting &= ~bit


async def read(at, link, length, whole):
    """Answers AT+CIPRECVDATA with up to `length` bytes of the link's box; False when there is nothing that fits."""
    box = link.box
    count = box.take(length, whole, at.reports.origin)
    if not count:
        return False
    text = b"+CIPRECVDATA:%d," % count
    if at.reports.origin:
        text += b'"%s",%d,' % (box.sender() or (link.ip, link.port))
    await at.reports.lend(box, text, len(text), count, messages.OK)
    # What is still there, or has come since, is news again. The others are the first to take the place.
    link.noticed = True
    try:
        go_on(at, link.number)
        if link.open:
            link.noticed = False
            notice(at, link, True)
    except MemoryError:  # it waits
        link.noticed = False
        at.reports.waiting |= 1 << link.number
    return True


def go_on(at, number=0):
    """There may be a place again for what had none; the link with this number is the last to get it."""
    for _ in range(LINKS):
        number = (number + 1) % LINKS
        link = at.links.get(number)
        # What has ended, and can be read, waits for that alone.
        if link and link.box and not link.listening() and not (link.box.ended and link.box.next()):
            keep(at, link)


async def end(at, link):
    """Ends the passive mode of a link: what waits in its box comes as +IPD."""
    box = link.box
    if box is None:
        return
    at.reports.need_buffer(link)
    while link.open and box.next():
        # A datagram stays whole, a stream comes in pieces as ever.
        count = box.next() if link.datagrams else min(box.next(), at.reports.size)
        source = at.reports.source(*(box.sender() or (link.ip, link.port)))
        size = 0 if at.reports.raw else at.reports.header(link, count, source)
        await at.reports.lend(box, at.reports.head, size, count, b"")
    if link.open:
        link.box = None
        link.noticed = False
        if box.ended:
            at.links.end(link)
        else:
            link.resume()
    go_on(at, link.number)
