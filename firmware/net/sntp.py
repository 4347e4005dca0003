"""The time from a server: a client for SNTP (RFC 4330) that never blocks.
Asks each server in turn until one answers, then again after the interval; reports through a callback."""

import select
import socket
import sys
from os import urandom
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Signal
from firmware.net import address

_WAIT_MS = const(3000)
_NAME_MS = const(8000)
# RFC 4330 forbids to ask more often than every 15 seconds; each failure doubles the pause, up to 16 times.
_RETRY_S = const(15)
_RETRY_MAX_S = const(240)
# ticks_ms() runs over after days, so a longer pause is counted in pieces.
_PIECE_MS = const(3600000)

_TO_1970 = const(2208988800)  # from 1900, in seconds
_END = const(4102444800)  # the start of 2100, where the chips' calendars end
_SIZE = const(48)
_CLIENT = const(0x23)  # no warning, version 4, mode 3
_SERVER_MODE = const(4)


class Sntp:
    """`port` is 123 except on a bench (see board). `online()` says whether there is a network, `set_time(seconds,
    milliseconds)` takes the time since 1970, `updated()` hears of the first time after each start()."""

    def __init__(self, loop, resolve, port, online, set_time, updated):
        self._loop = loop
        self._resolve = resolve
        self._port = port
        self._online = online
        self._set_time = set_time
        self._updated = updated
        self._wake = Signal(loop)
        self._task = None
        self._good = self._due = False
        self._refused = set()
        self.servers = ()
        self.interval = 3600  # seconds

    def start(self, servers):
        """Asks these servers, names or addresses, from now on; () stops."""
        if self._task:
            self._task.cancel()
            self._task = None
        self._refused.clear()
        self.servers = servers
        self._first = True
        self._begin()

    def _begin(self):
        try:
            if self.servers:
                self._task = self._loop.start(self._run(), self._ended)
        except MemoryError as error:
            self._ended(None, error)

    def network_up(self):
        """Says that a network is there: a client that has no time yet need not wait any longer."""
        self._due = not self._good
        self._wake.set()

    def set_interval(self, seconds):
        """Changes the time between two questions, also the one that passes right now."""
        self.interval = seconds
        self._wake.set()

    def _ended(self, result, error):
        # The task has no end of its own, so this is a fault of the firmware; it costs the time and nothing else. Only
        # where it has found no memory to wait it begins anew.
        if isinstance(error, MemoryError):
            self._loop.soon(self._begin)
        else:
            sys.print_exception(error)

    async def _run(self):
        retry = _RETRY_S
        while True:
            self._due = False
            self._good = await self._attempt()
            if self._good:
                retry = _RETRY_S
                if self._first:
                    self._first = False
                    self._updated()
            await self._pause(retry)
            if not self._good:
                retry = min(retry * 2, _RETRY_MAX_S)

    async def _pause(self, retry):
        waited = 0
        while not self._due:
            left = (self.interval if self._good else retry) * 1000 - waited
            if left <= 0:
                break
            began = ticks_ms()
            await self._wake.wait(min(left, _PIECE_MS))
            waited += ticks_diff(ticks_ms(), began)

    async def _attempt(self):
        """A round, and where that finds no memory another one, without idle commands; whether it has told the time."""
        for _ in range(2):
            try:
                return await self._round()
            except MemoryError:
                self._loop.lacking()
        return False

    async def _round(self):
        """Asks the servers in turn; True as soon as one has told the time."""
        for server in self.servers:
            if not self._online():
                break
            if server in self._refused:
                continue
            try:
                ip = await self._resolve(server, _NAME_MS)
                if await self._ask(server, ip):
                    return True
            except OSError:  # no such name, no route, a closed port: the next one may be better
                pass
        return False

    async def _ask(self, server, ip):
        """One question to one server: whether it has told the time."""
        arrived = Signal(self._loop)
        request = bytearray(_SIZE)
        request[0] = _CLIENT
        # A server sends this field back, so random bytes in it are what keeps others from answering.
        request[40:] = urandom(8)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            # A connected socket gets nothing from any other address.
            sock.connect(address.resolved(ip, self._port, socket.SOCK_DGRAM))
            began = ticks_ms()
            deadline = ticks_add(began, _WAIT_MS)
            sock.send(request)
            self._loop.watch(sock, select.POLLIN, lambda _: arrived.set())
            while True:
                left = ticks_diff(deadline, ticks_ms())
                if left <= 0 or not await arrived.wait(left):
                    return False
                reply = sock.recv(_SIZE)
                if len(reply) == _SIZE and reply[24:32] == request[40:] and reply[0] & 7 == _SERVER_MODE:
                    return self._take(server, reply, ticks_diff(ticks_ms(), began) // 2)
        finally:
            self._loop.forget(sock)
            sock.close()

    def _take(self, server, reply, delay_ms):
        """Sets the time that a reply tells and that was right `delay_ms` ago; False if it tells none."""
        if not reply[1] and reply[12:16] in (b"DENY", b"RSTR"):
            self._refused.add(server)
        # Stratum 0 is a refusal ("kiss of death"), above 15 and leap 3 are servers that have no time themselves.
        if not 0 < reply[1] < 16 or reply[0] >> 6 == 3:
            return False
        seconds = int.from_bytes(reply[40:44], "big")
        if not seconds & 0x80000000:  # the 32 bits run over in 2036: before 1968 stands for after that
            seconds += 0x100000000
        milliseconds = ((reply[44] << 8 | reply[45]) * 1000 >> 16) + delay_ms
        seconds += milliseconds // 1000 - _TO_1970
        if not 0 <= seconds < _END:
            return False
        self._set_time(seconds, milliseconds % 1000)
        return True
