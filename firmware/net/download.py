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

# Limits (ms) for a connection, for a server that says nothing, and for the pause before the next attempt.
_CONNECT_MS = const(20000)
_STALL_MS = const(10000)
_PAUSE_MS = const(100)
_PAUSE_MAX_MS = const(6400)
# Bytes of the longest line of a file, and of all headers of an answer. Of a long header only the begin is looked at.
_LINE = const(640)
_HEADERS = const(16384)
# Bytes of the heap with which it will do.
_NEEDED = const(8192)
_REQUEST = "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: mpy-at\r\nAccept-Encoding: identity\r\nConnection: close\r\n"
_WANTED = (b"content-length", b"content-range", b"transfer-encoding", b"location", b"etag", b"last-modified")


class Changed(Exception):
    """The file on the server is not the one that it was: what has come of it is of no use."""


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
                self.took(count)
                self.position -= count
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
        self.start += count
        self.position += count
        self._pause = _PAUSE_MS
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
                raise OSError(errno.ECONNRESET)
            stop = self.buffer.find(b"\n", self.start, self._end) + 1 or self._end
            if len(line) < 2 * len(self.buffer) or stop < self._end:
                line += self.buffer[self.start : stop]
            self._size += stop - self.start
            self.start = stop
            if self._size > _HEADERS:
                raise ValueError("too many headers")
        return line.strip()

    async def _more(self):
        """How many bytes of the body are there, 0 at its end."""
        if not self._left and self._chunked:
            self._size = 0
            if self._chunked > 1:  # the end of the chunk before
                await self._header()
            self._chunked = 2
            try:
                self._left = int((await self._header()).split(b";")[0], 16)
            except ValueError:
                raise OSError(errno.EIO)
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
            raise OSError(errno.ECONNRESET)
        return min(count, self._left)

    async def _open(self):
        """Asks for the file from where it is, following one redirection, up to where its bytes begin."""
        status, found = await self._ask(self._url)
        if status in (301, 302, 303, 307, 308):
            self.close()
            status, found = await self._ask(_joined(self._url, found.get(b"location", b"").decode()))
        if status >= 500 or status == 429:
            raise OSError(errno.EAGAIN, "HTTP status %d" % status)
        if status == 416 and self.position:
            raise Changed
        if status not in (200, 206):
            raise ValueError("HTTP status %d" % status)
        self._begin(status, found)
        gc.collect()

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
        while status < 200:
            found = {}
            line = await self._header()
            words = line.split(None, 2)
            if len(words) < 2 or words[0][:7] != b"HTTP/1." or not words[1].isdigit():
                raise ValueError("no HTTP server")
            status = int(words[1])
            while line:
                line = await self._header()
                key, value = _cut(line, b":")
                if key.lower() in _WANTED:
                    found[key.lower()] = value.strip()
        return status, found

    async def _connect(self, secure, name, ip, port, request):
        """Opens the connection and sends the request."""
        self._arrived.clear()
        if secure:
            self.listener = self
            self.used = False
            self.table = [None]
            self.options = ((-1, 0, _STALL_MS, 0),)
            self._link = self._encrypt(self, name)
            await self._link.connect(ip, port, None, min(_CONNECT_MS, ticks_diff(self._deadline, ticks_ms())))
            await self._link.write(request, len(request))
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
        self._chunked = int(b"chunked" in found.get(b"transfer-encoding", b"").lower())
        self._left = total = None
        try:
            if self._chunked:
                self._left = 0
            elif b"content-length" in found:
                total = self._left = int(found[b"content-length"])
            self._skip = self.position
            if status == 206:
                self._skip = 0
                span, whole = _cut(found.get(b"content-range", b""), b"/")
                if span.split(b"-")[0] != b"bytes %d" % self.position:
                    raise ValueError
                total = int(whole) if whole != b"*" else None
        except ValueError:
            raise ValueError("an answer that makes no sense")
        if self.position and (tag != self._tag or (total and self.total and total != self.total)):
            raise Changed
        self._tag = tag
        self.total = total or self.total


def parse(url):
    """Whether it is TLS, the host as in a request, name and port of it, and the path. ValueError if it is no URL."""
    scheme, rest = _cut(url, "://")
    host, path = _cut(rest, "/")
    secure = scheme.lower() == "https"
    name, port = host, "443" if secure else "80"
    if host.rfind(":") > host.rfind("]"):
        at = host.rfind(":")
        name, port = host[:at], host[at + 1 :]
    if name[:1] == "[" and name[-1] == "]":
        name = name[1:-1]
    wrong = not name or "@" in host or not port.isdigit() or not 0 < int(port) < 65536
    for letter in url:
        wrong = wrong or not "!" <= letter <= "~"
    if wrong or not (secure or scheme.lower() == "http"):
        raise ValueError("not a URL: http:// or https://, and a host")
    return secure, host, name, int(port), "/" + _cut(path, "#")[0]


def _joined(url, location):
    """The URL that a redirection names. From TLS there is no way back."""
    secure, host, _, _, path = parse(url)
    if not location:
        raise ValueError("redirected to nowhere")
    if "://" not in location:
        place = "http%s:" % ("s" if secure else "")
        if location[:2] != "//":
            place += "//" + host
            if location[:1] != "/":
                place += path[: path.rfind("/") + 1]
        location = place + location
    if secure and not parse(location)[0]:
        raise ValueError("redirected from https to http")
    return location


def _cut(text, mark):
    """What is before the mark and what is behind it, which is nothing if there is none."""
    at = text.find(mark)
    return (text, text[:0]) if at < 0 else (text[:at], text[at + len(mark) :])
