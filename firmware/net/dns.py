"""Names to addresses, without ever blocking: the port's own getaddrinfo would stop every link meanwhile.
One question at a time over UDP, sent again to each server in turn; A, AAAA, and aliases that a server leaves to us.
An answer that was cut off, and has no address before the cut, is asked for over TCP."""

import select
import socket
from os import urandom
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Signal
from firmware.net import address

# Which addresses are wanted, as AT+CIPDOMAIN numbers it.
PREFER_IPV4, IPV4_ONLY, IPV6_ONLY = 1, 2, 3

_A = const(1)
_CNAME = const(5)
_AAAA = const(28)
_TRIES = const(2)
_WAIT_MS = const(2000)
_ALIASES = const(4)
_ALIASES_AT_ONCE = const(8)
_NO_SUCH_NAME = const(3)
# In the third byte: this is an answer, to a query; and what did not fit was left out.
_RESPONSE = const(0xF8)
_IS_RESPONSE = const(0x80)
_TRUNCATED = const(2)
# Where the name of the question is, in the question and in its answer.
_ASKED = const(12)
_LABELS = const(128)
_JUMPS = const(16)
_CUT_OFF = ()
_HOST_NOT_FOUND = const(-2)  # lwIP's EAI_NONAME is 200, Linux's -2; only shown in the error log


class Resolver:
    """`servers()` gives the addresses to ask, best first; `port` is 53 except on a bench (see board)."""

    def __init__(self, loop, servers, port, ipv6):
        self._loop = loop
        self._servers = servers
        self._port = port
        self.ipv6 = ipv6  # AT+CIPV6

    async def resolve(self, name, patience_ms=0, wanted=PREFER_IPV4):
        """The first address of a host as text; OSError when there is none. `patience_ms` of 0: as long as it takes."""
        return (await self.every(name, patience_ms, wanted))[0]

    async def every(self, name, patience_ms=0, wanted=PREFER_IPV4):
        """All addresses of a host, as `resolve`. IPv6 addresses only while AT+CIPV6=1."""
        kinds = [] if wanted == IPV6_ONLY else [_A]
        if self.ipv6 and wanted != IPV4_ONLY:
            kinds.append(_AAAA)
        known = _known(name, kinds)
        if known is None:
            deadline = ticks_add(ticks_ms(), patience_ms) if patience_ms else None
            servers = [server for server in self._servers() if self.ipv6 or ":" not in server]
            wire = _wire(name)
            for kind in kinds:
                known = await self._find(servers, wire, kind, deadline)
                if known:
                    break
        if not known:
            raise OSError(_HOST_NOT_FOUND)
        return known

    async def _find(self, servers, name, kind, deadline):
        """The addresses of one kind, an empty list if there are none."""
        for _ in range(_ALIASES):
            found = await self._ask_all(servers, _question(name, kind), deadline)
            if isinstance(found, list):
                return found
            name = found
        return []

    async def _ask_all(self, servers, question, deadline):
        tries = _TRIES * len(servers)
        for i in range(tries):
            wait = _WAIT_MS
            if deadline is not None:
                # What is left is for all who have still to be asked.
                wait = min(wait, ticks_diff(deadline, ticks_ms()) // (tries - i))
                if wait <= 0:
                    break
            found = await self._ask(servers[i % len(servers)], question, wait)
            if found is not None:
                return found
        return []

    async def _ask(self, server, question, wait):
        """One question to one server: as _answer(), but None if the server did not help within `wait` ms."""
        arrived = Signal(self._loop)
        deadline = ticks_add(ticks_ms(), wait)
        family = socket.AF_INET6 if ":" in server else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            # A random id and a random local port are what keeps others from answering.
            question[:2] = urandom(2)
            sock.connect(address.resolved(server, self._port, socket.SOCK_DGRAM))
            sock.send(question)
            self._loop.watch(sock, select.POLLIN, lambda _: arrived.set())
            while True:
                # What is no answer does not make the wait any longer.
                left = ticks_diff(deadline, ticks_ms())
                if left <= 0 or not await arrived.wait(left):
                    return None
                found = _answer(sock.recv(512), question)
                if found is _CUT_OFF:
                    from firmware.net import dns_stream

                    packet = await dns_stream.ask(self._loop, server, self._port, question, deadline)
                    found = _answer(packet, question)
                    return None if found is _CUT_OFF else found
                if found is not None:
                    return found
        except OSError:  # no route, a closed port, a server that cannot: the next one may be better
            return None
        finally:
            self._loop.forget(sock)
            sock.close()


def _known(name, kinds):
    """The addresses that need no question: the name is one itself, or is localhost (RFC 6761). None for others."""
    ip = address.ipv4(name)
    if ip:
        return [ip] if _A in kinds else []
    if address.is_ipv6(name):
        return [name] if _AAAA in kinds else []
    if name.lower() in ("localhost", "localhost."):
        return ["127.0.0.1" if kind == _A else "::1" for kind in kinds]
    return None


def _wire(name):
    """A name as it is in packets: each label behind its length, and one without any at the end."""
    wire = b""
    for label in (name[:-1] if name.endswith(".") else name).split("."):
        label = label.encode()
        if not 0 < len(label) < 64:
            raise OSError(_HOST_NOT_FOUND)
        wire += bytes((len(label),)) + label
    return wire + b"\0"


def _question(name, kind):
    """A query: id 0, recursion desired, one question of class IN."""
    return bytearray(b"\0\0\1\0\0\1\0\0\0\0\0\0" + name + bytes((0, kind, 0, 1)))


# In an answer a name is labels, ended by 0 or by a pointer of two bytes to where the rest of it stands.


def _skip(packet, at):
    """The place behind the name at `at`."""
    while packet[at]:
        if packet[at] & 0xC0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def _label(packet, at):
    """Where the label at `at` is, once the pointers are followed; IndexError when there is none."""
    for _ in range(_JUMPS):
        size = packet[at]
        if not size & 0xC0:
            if at + size >= len(packet):
                break
            return at
        at = (size & 0x3F) << 8 | packet[at + 1]
    raise IndexError


def _name(packet, at):
    """The name at `at`, written out; IndexError when it does not end."""
    wire = b""
    while len(wire) < 2 * _LABELS:
        at = _label(packet, at)
        size = packet[at] + 1
        wire += packet[at : at + size]
        if size == 1:
            return wire
        at += size
    raise IndexError


def _same(packet, one, other):
    """Whether two names in a packet are the same, in whatever case."""
    for _ in range(_LABELS):
        one, other = _label(packet, one), _label(packet, other)
        if one == other:
            return True
        size = packet[one] + 1  # the length of a label is below the codes of the letters
        if packet[one : one + size].lower() != packet[other : other + size].lower():
            return False
        if size == 1:
            return True
        one += size
        other += size
    raise IndexError


def _records(packet, at):
    """Yields where the name of each answer is, where its type is, and the size of its data, which are ten bytes behind
    that. IndexError when they are not all there, unless the packet says so itself."""
    try:
        for _ in range(packet[6] << 8 | packet[7]):
            owner = at
            at = _skip(packet, at)
            size = packet[at + 8] << 8 | packet[at + 9]
            if at + 10 + size > len(packet):
                raise IndexError
            yield owner, at, size
            at += 10 + size
    except IndexError:
        if not packet[2] & _TRUNCATED:
            raise


def _answer(packet, question):
    """The addresses among the answers as a list, or as bytes the alias to ask for in the name's place.

    An empty list when the name has none, _CUT_OFF when the server could not say it all here, None when this is no
    answer to the question; OSError when the server failed. Only what belongs to the name, or to an alias of it, counts;
    a server may give those in any order."""
    asked = len(question)
    if packet[:2] != question[:2] or packet[_ASKED:asked].lower() != question[_ASKED:].lower():
        return None
    if packet[2] & _RESPONSE != _IS_RESPONSE or packet[4:6] != question[4:6]:
        return None
    code = packet[3] & 15
    if code:
        if code == _NO_SUCH_NAME:
            return []
        raise OSError(_HOST_NOT_FOUND)
    kind = question[-3]
    found = []
    name = _ASKED
    try:
        for _ in range(_ALIASES_AT_ONCE):
            alias = 0
            for owner, at, size in _records(packet, asked):
                if not _same(packet, owner, name):
                    continue
                if packet[at : at + 4] == bytes((0, _CNAME, 0, 1)):
                    alias = at + 10
                elif packet[at : at + 4] == bytes((0, kind, 0, 1)) and size == (4 if kind == _A else 16):
                    found.append(address.text(packet[at + 10 : at + 10 + size]))
            if found or not alias:
                break
            name = alias
        if not found and name != _ASKED:
            return _name(packet, name)
    except IndexError:  # cut off in the middle, or a name that is none
        return None
    return _CUT_OFF if not found and packet[2] & _TRUNCATED else found
