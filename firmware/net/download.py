"""One file from a web server, in pieces: HTTP/1.1 over TCP or TLS, with ranges to go on after a connection was lost.
The file must stay the same meanwhile, which the server's ETag or date tells.

It does without the links of net/tcp, as their modules would take too much of an ESP8266's memory."""

import errno
import gc
import select
import socket
from time import ticks_diff, ticks_ms

from micropython import const

from firmware import commands
from firmware.loop import Signal
from firmware.net import address
from firmware.net.numbers import number
from firmware.net.url import cut, join, parse

# Limits (ms) for a connection, for a server that says nothing, and for the pause before the next attempt.
_CONNECT_MS = const(20000)
_STALL_MS = const(10000)
_PAUSE_MS = const(100)
_PAUSE_MAX_MS = const(6400)
# Bytes of the longest line of a file, and of all headers of an answer. Of a long header only the begin is looked at.
_LINE = const(640)
_HEADERS = const(16384)
# No file is longer, nor any chunk of it: what counts bytes stays a small integer.
_FILE = const(0x3FFFFFFF)
# Bytes of the heap with which it will do.
_NEEDED = const(8192)
_REQUEST = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: mpy-at\r\nAccept-Encoding: identity\r\nConnection: close\r\n"
_NONSENSE = "an answer that makes no sense"
_WANTED = (b"content-length", b"content-range", b"transfer-encoding", b"location", b"etag", b"last-modified")


class Changed(ValueError):
    """The file on the server is not the one that it was: what has come of it is of no use."""

    def __init__(self):
        super().__init__("the file on the server has changed meanwhile")


class Download:
    """What is at `url`. The bytes that came are buffer[start:start + count]: await `piece()` for the count, 0 at the
    end, and say with `took()` how many of them are done with; or await `line()`.

    `at` are the firmware's parts, `deadline` the ticks when it has to be over, `encrypt(links, name)` makes a link of
    TLS. `reached(state)` is called with 1 when the name is known, with 2 when it is connected. Raises ValueError, with
    a text, for what will not get better, OSError for what may, and Changed.

    To a link of TLS it is the table of links, and the listener."""

    def __init__(self, at, buffer, url, deadline, encrypt, reached):
        parse(url)
        self._url = url
        self._at = at
        self.loop = at.loop
        self._deadline = deadline
        self._encrypt = encrypt
        self._reached = reached
        self.buffer = buffer
        self.start = self._end = 0
        self._sock = self._link = None  # of these there is one, or none
        self._arrived = Signal(at.loop)
        self.position = 0  # bytes of the file that were taken
        self.total = None  # bytes of the whole file, if the server says that
        self._tag = None  # its header that tells whether the file is the same
        self._left = self._skip = 0  # bytes of the body or chunk that are to come; that were taken before
        self._chunked = 0  # 1 before the first chunk, 2 behind one
        self._pause = _PAUSE_MS
        self._again = False  # whether the server sends all of it again, and nothing new so far
        self._answered = False  # whether the server has ever said something sensible

    def readable(self, link):
        if link:
            link.pause()
        self._arrived.set()

    def close(self):
        if self._link:
            self._link.close()
        if self._sock:
            self._sock.close()
        self._sock = self._link = None

    async def piece(self):
        while True:
            try:
                if not self._sock and not self._link:
                    await self._open()
                    self._answered = True
                count = await self._more()
                if not self._skip or not count:
                    return count
                count = min(count, self._skip)
                self._skip -= count
                self._move(count)
            except OSError:
                self.close()
                # What never answers does so for a reason; what was there comes back.
                patience = _PAUSE_MAX_MS if self._answered else _PAUSE_MS * 4
                if ticks_diff(self._deadline, ticks_ms()) <= self._pause:
                    raise OSError(errno.ETIMEDOUT, "the time is over")
                if self._pause > patience:
                    raise
                await self.loop.sleep(self._pause)
                self._pause *= 2
                if self._answered:
                    self._pause = min(self._pause, _PAUSE_MAX_MS)

    def took(self, count):
        self.position += count
        self._pause = _PAUSE_MS
        self._again = False
        self._move(count)

    def _move(self, count):
        self.start += count
        if self._left is not None:
            self._left -= count

    async def line(self):
        """The next line of the file with its end. ValueError if it is too long, or if there is none."""
        line = b""
        while line[-1:] != b"\n":
            count = await self.piece()
            if not count:
                raise ValueError("cut off")
            stop = self.buffer.find(b"\n", self.start, self.start + count) + 1
            piece = self.buffer[self.start : stop or self.start + count]
            self.took(len(piece))
            line += piece
            if len(line) > _LINE:
                raise ValueError("a line is too long")
        return line

    # One connection

    async def _wait(self, events, ms):
        """Waits for the connection; OSError if it takes longer than that, or until the deadline."""
        ms = min(ms, ticks_diff(self._deadline, ticks_ms()))
        if self._link:
            self._link.resume()
        else:
            self.loop.watch(self._sock, events, lambda _: self.readable(None))
        try:
            if ms <= 0 or not await self._arrived.wait(ms):
                raise OSError(errno.ETIMEDOUT, "no answer")
        finally:
            if self._sock:
                self.loop.forget(self._sock)

    async def _fill(self):
        """How many bytes are in the buffer: at least one, or none at the end of the connection."""
        if self.start < self._end:
            return self._end - self.start
        await self.loop.sleep(0)  # everything else has its turn, however fast the data come
        self.start = self._end = 0
        while True:
            self._arrived.clear()
            count = (self._link or self._sock).readinto(self.buffer, len(self.buffer))
            if count is not None:
                self._end = max(count, 0)
                return self._end
            await self._wait(select.POLLIN, _STALL_MS)

    async def _header(self):
        """A line of the answer, without its end and without what is too long. OSError if the connection ends in it."""
        line = b""
        while line[-1:] != b"\n":
            count = await self._fill()
            if not count:
                self._ended()
            stop = self.buffer.find(b"\n", self.start, self._end) + 1 or self._end
            if len(line) < 2 * len(self.buffer) or stop < self._end:
                line += self.buffer[self.start : stop]
            self._size += stop - self.start
            self.start = stop
            if self._size > _HEADERS:
                raise ValueError("too many headers")
        return line.strip()

    def _ended(self):
        """The connection has ended before its time: OSError, or ValueError where that was all that the server has."""
        if self._again and not self._skip:
            raise ValueError("cut off")
        raise OSError(errno.ECONNRESET)

    async def _more(self):
        """How many bytes of the body are there, 0 at its end."""
        if not self._left and self._chunked:
            self._size = 0
            if self._chunked > 1 and await self._header():  # the end of the chunk before
                raise ValueError(_NONSENSE)
            self._chunked = 2
            size = cut(await self._header(), b";")[0].strip()
            try:
                self._left = number(size, _FILE, 16)
            except ValueError:
                raise ValueError(_NONSENSE)
            if not self._left:
                while await self._header():
                    pass
                self._chunked = 0
        if self._left == 0:
            return 0
        count = await self._fill()
        if self._left is None:
            return count
        if not count:
            self._ended()
        return min(count, self._left)

    async def _open(self):
        """Asks for the file from where it is, following one redirection, up to where its bytes begin."""
        status, found = await self._ask(self._url)
        if status in (301, 302, 303, 307, 308):
            self.close()
            status, found = await self._ask(self._redirected(found.get(b"location", b"").decode()))
        if status >= 500 or status == 429:
            raise OSError(errno.EAGAIN, "HTTP status %d" % status)
        if status == 416 and self.position:
            raise Changed
        if status not in (200, 206):
            raise ValueError("HTTP status %d" % status)
        self._begin(status, found)
        gc.collect()

    def _redirected(self, location):
        """The URL that a redirection names. From TLS there is no way back."""
        if not location:
            raise ValueError("redirected to nowhere")
        url = join(self._url, location)
        if parse(self._url)[0] and not parse(url)[0]:
            raise ValueError("redirected from https to http")
        return url

    async def _ask(self, url):
        """Status and headers of the answer, these in small letters."""
        secure, host, name, port, path = parse(url)
        ip = name
        if not address.ipv4(name):
            ip = await self._at.resolver.resolve(name, _CONNECT_MS)
        self._reached(1)
        # What stays from here on should not be scattered among what is thrown away; the resolver, too, can go.
        gc.collect()
        if gc.mem_free() < _NEEDED:
            commands.drop()
        request = _REQUEST % (path, host)
        if self.position:
            request += "Range: bytes=%d-\r\n" % self.position
            if self._tag:
                request += "If-Range: %s\r\n" % self._tag.decode()
        request = (request + "\r\n").encode()
        await self._connect(secure, name, ip, port, request)
        self._reached(2)
        self._size = status = 0
        self.start = self._end = 0
        self._again = False
        while status < 200:
            found = {}
            line = await self._header()
            words = line.split(None, 2)
            try:
                if words[0][:7] != b"HTTP/1.":
                    raise ValueError
                status = number(words[1], 999)
            except (IndexError, ValueError):
                raise ValueError("no HTTP server")
            while line:
                line = await self._header()
                key, value = cut(line, b":")
                key, value = key.lower(), value.strip()
                if key in _WANTED:
                    if found.get(key, value) != value:  # it says two things
                        raise ValueError(_NONSENSE)
                    found[key] = value
        return status, found

    async def _connect(self, secure, name, ip, port, request):
        """Opens the connection and sends the request."""
        self._arrived.clear()
        if secure:
            self.listener = self
            self.spare = self._at.links.spare
            self.used = False
            self.table = [None]
            self.options = ((-1, 0, _STALL_MS, 0),)
            self._link = self._encrypt(self, name)
            await self._link.connect(ip, port, None, min(_CONNECT_MS, ticks_diff(self._deadline, ticks_ms())))
            await self._link.write((request,), len(request))
            return
        self._sock = sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
        sock.setblocking(False)
        try:
            sock.connect(address.resolved(ip, port))
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        await self._wait(select.POLLOUT, _CONNECT_MS)
        while request:  # a connection that has failed says so here
            request = request[sock.write(request) or 0 :]
            if request:
                await self._wait(select.POLLOUT, _STALL_MS)

    def _begin(self, status, found):
        """Takes from the headers how the body ends, and whether it is what it was."""
        tag = found.get(b"etag", b"")
        if tag[:1] != b'"':  # a weak one is not for bytes
            tag = found.get(b"last-modified")
        self._chunked = 0
        self._left = total = None
        try:
            if b"transfer-encoding" in found:
                if found[b"transfer-encoding"].lower() != b"chunked":
                    raise ValueError
                self._chunked, self._left = 1, 0
            elif b"content-length" in found:
                total = self._left = number(found[b"content-length"], _FILE)
            self._skip = self.position
            if status == 206:
                self._skip = 0
                total = self._span(found.get(b"content-range", b""))
        except ValueError:
            raise ValueError(_NONSENSE)
        if self.position and (tag != self._tag or (total and self.total and total != self.total)):
            raise Changed
        self._again = self._skip > 0
        self._tag = tag
        self.total = total or self.total

    def _span(self, text):
        """The size of the file, if `bytes FIRST-LAST/SIZE` says it, where that is all from here to the end."""
        span, size = cut(text, b"/")
        first, last = cut(span, b"-")
        last = number(last, _FILE)
        count = last + 1 - self.position
        if first != b"bytes %d" % self.position or count < 1:
            raise ValueError
        if not self._chunked:
            if self._left not in (None, count):
                raise ValueError
            self._left = count
        if size == b"*":
            return None
        if number(size, _FILE) != last + 1:
            raise ValueError
        return last + 1
