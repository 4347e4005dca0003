"""Questions to the other mDNS responders of the network: which services there are, where they are, what they tell.
Asked from a port of our own, so that the answers come to us alone, and port 5353 can be anybody's."""

import select
import socket
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Signal
from firmware.net import address
from firmware.net.mdns_packet import GROUP, PORT, Writer, items, labels, name, receive

_A = const(1)
_PTR = const(12)
_TXT = const(16)
_AAAA = const(28)
_SRV = const(33)
_INTERNET = const(1)
_QUESTION = const(0)
# The records that each type of search is for.
_KINDS = ((_PTR, _SRV, _TXT, _A, _AAAA), (_TXT,), (_SRV,), (_TXT, _SRV), (_A,), (_AAAA,), (_A, _AAAA))
_SERVICES = const(0)
_FIRST_HOST = const(4)

# A question is sent again after this time, then after twice the time, and so on.
_AGAIN_MS = const(1000)


class Result:
    """What was found: `instance` (a name, or None), `host` (a name, or None), `port`, `txt` (the strings of the
    record as bytes, or None), `addresses` (pairs of type and text)."""

    def __init__(self, instance=None, host=None):
        self.instance = instance
        self.host = host
        self.port = 0
        self.txt = None
        self.addresses = []

    def any(self, kinds):
        """Whether anything of `kinds` is known."""
        return (self.txt is not None and _TXT in kinds) or (self.host and _SRV in kinds) or self.addresses

    def open(self, kinds):
        """The questions (name, type) that are left of those for `kinds`."""
        left = []
        if _SRV in kinds and not self.host:
            left.append((self.instance, _SRV))
        if _TXT in kinds and self.txt is None:
            left.append((self.instance, _TXT))
        if self.host and not self.addresses:
            left += [(self.host, kind) for kind in (_A, _AAAA) if kind in kinds]
        return left


class Search:
    """Asks for what belongs to the name that the labels are: for services (type 0), what they tell (1: TXT, 2: SRV,
    3: both), or for a host's addresses (4: A, 5: AAAA, 6: both). ValueError if it can be no name."""

    def __init__(self, kind, *parts):
        self._name = name(*parts, "local")
        self._kinds = _KINDS[kind]
        self.results = []
        if kind >= _FIRST_HOST:
            self.results.append(Result(None, self._name))
        elif kind != _SERVICES:
            self.results.append(Result(self._name))

    async def run(self, loop, interface, patience_ms, wanted):
        """Asks on the interface with this address until `wanted` results are complete or the time is up."""
        arrived = Signal(loop)
        began = ticks_ms()
        again, pause = began, _AGAIN_MS
        asked = []
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            from firmware.net import groups

            groups.groups_on(sock, False, interface)
            groups.join_group(sock, GROUP, interface)
            group = address.resolved(GROUP, PORT, socket.SOCK_DGRAM)
            loop.watch(sock, select.POLLIN, lambda _: arrived.set())
            while self._complete() < wanted:
                now = ticks_ms()
                left = patience_ms - ticks_diff(now, began)
                if left <= 0:
                    break
                if ticks_diff(again, now) <= 0:
                    asked = []
                    again = ticks_add(now, pause)
                    pause *= 2
                questions = [question for question in self._open(wanted) if question not in asked]
                if questions:
                    asked += questions
                    sock.sendto(_packet(questions), group)
                if await arrived.wait(min(left, ticks_diff(again, now))):
                    self._read(sock, wanted)
        finally:
            loop.forget(sock)
            sock.close()
        self.results = [result for result in self.results if _PTR in self._kinds or result.any(self._kinds)]

    def lines(self, result):
        """Yields what a result says, as lines of +MDNS in bytes. It is of the station (IF=1), by way of IPv4 (IP=0)."""
        yield b"IF=1"
        yield b"IP=0"
        if _PTR in self._kinds:
            yield b"PTR=" + labels(result.instance)[0]
        if result.host and _SRV in self._kinds:
            yield b"SRV=%s:%d" % (b".".join(labels(result.host)), result.port)
        if _TXT in self._kinds:
            for text in result.txt or ():
                yield b"TXT=" + text
        for kind, text in sorted(result.addresses):
            yield (b"A=" if kind == _A else b"AAAA=") + text.encode()

    def _complete(self):
        return sum(not result.open(self._kinds) for result in self.results)

    def _open(self, wanted):
        questions = []
        if _PTR in self._kinds and len(self.results) < wanted:
            questions.append((self._name, _PTR))
        for result in self.results:
            questions += result.open(self._kinds)
        return questions

    def _read(self, sock, wanted):
        try:
            packet = receive(sock)[0]
            if packet[2] & 0x80:
                # The records of one packet stand in any order, but each builds on those of the kind before it.
                for kinds in ((_PTR,), (_SRV, _TXT), (_A, _AAAA)):
                    for section, owner, kind, _, ttl, data in items(packet):
                        if section != _QUESTION and kind in kinds and ttl:
                            self._learn(owner.lower(), kind, data, wanted)
        except (OSError, IndexError, ValueError):  # no DNS; what stood before the damage is used
            pass

    def _learn(self, owner, kind, data, wanted):
        if kind == _PTR:
            is_new = not any(same(result.instance, data.lower()) for result in self.results)
            # A service has a name, which is more than the end of one.
            if _PTR in self._kinds and same(self._name, owner) and is_new and len(self.results) < wanted and data[0]:
                self.results.append(Result(data))
            return
        for result in self.results:
            if kind == _SRV and same(result.instance, owner):
                result.port = data[4] << 8 | data[5]
                result.host = data[6:]
            elif kind == _TXT and same(result.instance, owner):
                result.txt = _strings(data)
            elif kind in self._kinds and same(result.host, owner) and len(data) == (4 if kind == _A else 16):
                pair = kind, _text(kind, data)
                if pair not in result.addresses:
                    result.addresses.append(pair)


def _strings(data):
    """The strings of a TXT record, each behind its length; empty ones tell nothing, wherever they stand."""
    found = []
    at = 0
    while at < len(data):
        if data[at]:
            found.append(data[at + 1 : at + 1 + data[at]])
        at += data[at] + 1
    return found


def same(wire, lower):
    """Whether a name, or None, is this one in lower case."""
    return wire is not None and wire.lower() == lower


def _packet(questions):
    packet = Writer(False)
    for owner, kind in questions:
        packet.question(owner, kind, _INTERNET)
    return packet.data


def _text(kind, data):
    if kind == _A:
        return "%d.%d.%d.%d" % tuple(data)
    return ":".join("%02x%02x" % (data[i], data[i + 1]) for i in range(0, 16, 2))
