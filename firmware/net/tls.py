"""TLS links: TCP links whose bytes go through MicroPython's `tls`, which reads and writes the socket by way of a Wire.
Only the socket is polled, as not every port shows in a poll what TLS keeps of a record that was not read to its end."""

import errno
import gc
import io
import select
from time import ticks_diff, ticks_ms

import tls
from micropython import const

from firmware.loop import Timer
from firmware.net.links import SERVER
from firmware.net.tcp import TCPLink

# Kinds of records, and the length of a record's header.
_CHANGE_CIPHER = const(20)
_HANDSHAKE = const(22)
_DATA = const(23)
_HEADER = const(5)
# axTLS, which is the ESP8266's, has one buffer for both directions: what it sends destroys what of a record has come or
# was not read. A handshake takes these pieces of the heap, with a key of 2048 bits, and smaller ones, _NEED in all.
# It does not look whether it gets them, and without them the chip crashes. Behind the first ones, which it takes at
# once, the smallest come first here, as these leave the least room for the others.
_AXTLS = ()
if not hasattr(tls, "CERT_REQUIRED"):
    _AXTLS = (592, 592, 5312, 112, 128, 240, 240, 240, 240, 480, 480, 512, 768, 1008)
_NEED = const(14336)
# Plain bytes of one record that is sent: axTLS takes no more at a time, and neither does the ESP32's mbedTLS.
_RECORD = 1024 if _AXTLS else 4096
# How long (ms) sending waits for such a record, and how often it looks.
_RECORD_MS = const(1500)
_LOOK_MS = const(10)
# How a certificate that is refused is told: MBEDTLS_ERR_X509_CERT_VERIFY_FAILED.
_REFUSED = const(-0x2700)


class Wire(io.IOBase):
    """The socket as TLS sees it. It takes all that TLS writes, so that TLS never has a record half sent; the end of the
    connection is kept from TLS, which would forget with it what it has just read, and is told by `ended`.

    TLS gets one record, and another one only after `next` has been set again. So whoever reads sees what each of them
    was: the last one of a handshake, or the peer's close_notify, which TLS forgets when it has just read data. Where
    another record would begin, one byte of it is read ahead, to know whether it has come."""

    def __init__(self, sock):
        self._sock = sock
        self._head = bytearray(_HEADER)
        self._have = self._left = 0  # bytes of this record's header, bytes of its body that are still to come
        self._ahead = False  # whether the first byte of the header was read, but not by TLS
        self._before = self._kind = self._sent = 0  # the kinds of the last two records that came, of the last one sent
        self.next = False
        self.ready = False  # whether the handshake is over, and no kind of a record matters any more
        self.dry = True  # whether TLS has read all that the socket had
        self.shut = False  # whether TLS is to get nothing
        self.ended = False
        self.failed = False  # whether the socket takes nothing any more
        self.rest = b""  # what the socket has not taken yet

    def readinto(self, buffer):
        self.dry = True
        if self.shut:
            return None
        waits = not self._have and not self.next
        if self._ahead:
            self.dry = False
            if waits:
                return None
            self._ahead = False
            buffer[0] = self._head[0]
            count = 1
        else:
            try:
                count = self._sock.readinto(self._head, 1) if waits else self._sock.readinto(buffer)
            except OSError:
                count = 0
            if not count:
                self.ended = self.ended or count == 0
                return None
            self.dry = False
            if waits:
                self._ahead = True
                return None
        self.next = False
        self._follow(buffer, count)
        return count

    def _follow(self, buffer, count):
        """Looks at what TLS reads. It asks for headers and bodies one at a time."""
        head = self._head
        if self._have < _HEADER:
            for i in range(count):
                head[self._have + i] = buffer[i]
            self._have += count
            self._left = head[3] << 8 | head[4]
        else:
            self._left -= count
        if self._have == _HEADER and not self._left:
            self._have = 0
            if not self.ready:
                self._before, self._kind = self._kind, head[0]

    def finished(self):
        """Whether both have sent their Finished, as far as the kinds of records tell it. With TLS 1.2 the peer's
        follows its change of ciphers, and ours has been written; with TLS 1.3 both look like data. A client of TLS 1.3
        whose hello had to be sent again cannot be told from one of TLS 1.2; for a server that asks for certificates
        the peer's Finished may be yet to come."""
        kind = self._kind
        return kind == self._sent and (kind == _DATA or (kind == _HANDSHAKE and self._before == _CHANGE_CIPHER))

    def clear(self):
        """Whether TLS has no part of a record."""
        return self.dry and not self._ahead and not self._have and not self._left

    def write(self, buffer):
        size = len(buffer)
        if not self.ready:
            i = 0
            while i + _HEADER <= size:
                self._sent = buffer[i]
                i += _HEADER + (buffer[i + 3] << 8 | buffer[i + 4])
        try:
            if not self.flush():
                self.rest += buffer
            else:
                count = self._send(buffer)
                if count < size:
                    self.rest = bytes(buffer[count:])
        except MemoryError:  # the peer would see a gap, so this is the end
            self.ended = True
        return size

    def flush(self):
        """Sends what the socket has not taken; True when nothing of it is left."""
        if self.rest:
            self.rest = self.rest[self._send(self.rest) :]
        return not self.rest

    def _send(self, data):
        try:
            return self._sock.write(data) or 0
        except OSError:
            self.ended = self.failed = True
            return len(data)

    def ioctl(self, request, argument):
        # TLS closes what it writes to; the socket is closed by the link.
        return 0


class TLSLink(TCPLink):
    """A TLS connection. `context` is a tls.SSLContext; with `name` a client asks for that server, and checks its
    certificate for it if the context verifies certificates at all."""

    kind = "SSL"

    def __init__(self, links, number, role, context, name=None):
        super().__init__(links, number, role)
        self._context = context
        self._host = name
        self._tls = self._wire = None
        self._full = False  # whether TLS may have kept a part of the record that was read last
        self._owed = 0  # bytes that are in a record of which the socket has not taken all
        self._more = Timer(self._loop, self._again)

    def _up(self):
        """The socket is connected; the link is open when TLS is, too."""

    async def connect(self, ip, port, local_ip, patience_ms):
        began = ticks_ms()
        await super().connect(ip, port, local_ip, patience_ms)
        await self.shake(max(patience_ms - ticks_diff(ticks_ms(), began), 1))

    async def shake(self, patience_ms):
        """Makes TLS of the connection, or raises OSError, with the reason as a text if the port tells it."""
        began = ticks_ms()
        self._wire = wire = Wire(self._sock)
        one = bytearray(1)
        if _AXTLS:
            # What has found the way to the peer, such as the look-up of its name, is not needed any more.
            self.spare()
            self._check()
        try:
            self._tls = self._context.wrap_socket(
                wire, server_side=self.role == SERVER, server_hostname=self._host, do_handshake_on_connect=False
            )
            while not self._step(one):
                self._change(select.POLLIN | select.POLLOUT if wire.rest else select.POLLIN)
                left = patience_ms - ticks_diff(ticks_ms(), began)
                if left <= 0 or not await self._wait(left):
                    raise OSError(errno.ETIMEDOUT, "TLS handshake timed out")
                if not self._sock:
                    raise OSError(errno.ENOTCONN)
        except ValueError as error:
            raise OSError(_REFUSED, str(error))
        self._context = None
        super()._up()

    def _check(self):
        """MemoryError if axTLS would not get the memory for a handshake."""
        [bytearray(size) for size in _AXTLS].clear()
        gc.collect()
        # The stack may still hold a piece, and then axTLS would not get it.
        if gc.mem_free() < _NEED:
            raise MemoryError

    def _step(self, one):
        """Goes on with the handshake as far as it gets, record by record; True when it is over."""
        wire = self._wire
        wire.dry = False
        while not wire.ready and not wire.dry:
            wire.next = True
            self._tls.readinto(one)
            wire.ready = self._over()
        if wire.ended:
            raise OSError(errno.ECONNRESET, "TLS handshake: the peer has closed the connection")
        return wire.flush() and wire.ready

    def _over(self):
        """Whether the handshake is over, now that TLS waits for a record or has got nothing. No port tells that. Where
        the peer shows a certificate, TLS has it from then on, and it can be asked for it wherever there is TLS 1.3."""
        ask = getattr(self._tls, "getpeercert", None)
        context = self._context
        if ask and (context.verify_mode if self.role == SERVER else not getattr(context, "psk_key", None)):
            try:
                return ask(True) is not None
            except MemoryError:  # it is there, but there is no memory for a copy of it
                return True
        return self._wire.finished()

    def readinto(self, buffer, size):
        wire = self._wire
        if wire.shut:
            self.pause()  # or it would be found ready again and again until write() has gone on
            return None
        wire.next = not self._full
        try:
            count = self._tls.readinto(buffer, size)
        except OSError:  # a record that is none of the peer's, or its alert
            return -1
        self._full = count == size
        if count is None and wire.ended:
            return -1
        if self._full:
            self._more.start(0)
        return -1 if count == 0 else count

    def plain(self):
        # axTLS has to wait for the end of a record before it sends.
        return None if _AXTLS else super().plain()

    def _again(self):
        if self.open and self.listening():
            self._links.listener.readable(self)

    def resume(self):
        if self._wire.shut:
            return
        super().resume()
        if self._full:
            self._more.start(0)

    def _put(self, buffer, start, end):
        wire = self._wire
        if wire.flush() and (not _AXTLS or wire.shut or wire.clear()):
            if wire.failed:
                raise OSError(errno.ECONNRESET)
            if self._owed:
                count, self._owed = self._owed, 0
                return count
            count = self._tls.write(buffer, start, min(end - start, _RECORD))
            self.heard = ticks_ms()
            if wire.ended:
                raise OSError(errno.ECONNRESET)
            if not wire.rest:
                return count
            self._owed = count
        return None

    async def write(self, pieces, end, start=0, to=None):
        self._owed = self.taken = 0  # of a write() that was given up, and whose bytes nobody waits for
        self._writer = None
        wire = self._wire
        if _AXTLS:
            looks = _RECORD_MS // _LOOK_MS
            while not wire.clear():
                looks -= 1
                if not looks or not self._sock:
                    raise OSError(errno.ETIMEDOUT)
                await self._loop.sleep(_LOOK_MS)
            wire.shut = True
        try:
            await super().write(pieces, end, start)
        except OSError:
            if self._gives_up:
                self._drain()
            raise
        finally:
            self.taken += self._owed  # a record that has begun cannot be taken back
            if _AXTLS:
                wire.shut = False
                self.resume()
                self._more.start(0)

    def _drain(self):
        """Sends the rest of a record as soon as it can, as the link goes on."""
        if not self._wire.flush():
            self.when_writable(self._drain)

    def disconnect(self):
        self._more.stop()
        if self._tls and self._sock:
            self._tls.close()
        super().disconnect()
