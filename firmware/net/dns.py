"""Names to addresses, without ever blocking: the port's own getaddrinfo would stop every link meanwhile.
One question at a time over UDP, sent again to each server in turn; A, AAAA, and aliases that a server leaves to us."""

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
_NO_SUCH_NAME = const(3)
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
            for kind in kinds:
                known = await self._find(servers, name, kind, deadline) if servers else _ask_port(name, kind)
                if known:
                    break
        if not known:
            raise OSError(_HOST_NOT_FOUND)
        return known

    async def _find(self, servers, name, kind, deadline):
        """The addresses of one kind, an empty list if there are none."""
        for _ in range(_ALIASES):
            found = await self._ask_all(servers, _question(name, kind), deadline)
            if not isinstance(found, str):
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
                if found is not None:
                    return found
        except OSError:  # no route, a closed port, a server that cannot: the next one may be better
            return None
        finally:
            self._loop.forget(sock)
            sock.close()


def _ask_port(name, kind):
    """The addresses that the port's own resolver knows; it waits, but no name server is known that we could ask."""
    family = socket.AF_INET if kind == _A else socket.AF_INET6
    try:
        found = socket.getaddrinfo(name, 0, family, socket.SOCK_DGRAM)
    except OSError:
        return []
    return [address.parts(entry[-1])[0] for entry in found]


def _known(name, kinds):
    """The addresses that need no question: the name is one itself, or is localhost (RFC 6761). None for others."""
    if address.is_ipv4(name):
        return [name] if _A in kinds else []
    if address.is_ipv6(name):
        return [name] if _AAAA in kinds else []
    if name.lower() == "localhost":
        return ["127.0.0.1" if kind == _A else "::1" for kind in kinds]
    return None


def _question(name, kind):
    """A query: id 0, recursion desired, one question of class IN."""
    packet = bytearray(b"\0\0\1\0\0\1\0\0\0\0\0\0")
    for label in (name[:-1] if name.endswith(".") else name).split("."):
        label = label.encode()
        if not 0 < len(label) < 64:
            raise OSError(_HOST_NOT_FOUND)
        packet.append(len(label))
        packet += label
    packet += bytes((0, 0, kind, 0, 1))
    return packet


def _skip(packet, at):
    """The place behind the name at `at`: labels, ended by 0 or by a pointer of two bytes."""
    while packet[at]:
        if packet[at] & 0xC0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def _name(packet, at):
    """The name at `at` as text, its pointers followed; IndexError when it does not end."""
    labels = []
    for _ in range(64):
        size = packet[at]
        if not size:
            return ".".join(labels)
        if size & 0xC0:
            at = (size & 0x3F) << 8 | packet[at + 1]
        else:
            if at + size >= len(packet):
                raise IndexError
            labels.append(str(packet[at + 1 : at + 1 + size], "utf-8"))
            at += size + 1
    raise IndexError


def _answer(packet, question):
    """The addresses among the answers as a list, or the text of the alias to ask for in their place.

    An empty list when the name has none, None when this is no answer to the question; OSError when the server
    failed. A server that follows aliases sends the addresses of the last one, so their names need no check."""
    asked = len(question)
    if packet[:2] != question[:2] or packet[12:asked].lower() != question[12:].lower() or not packet[2] & 0x80:
        return None
    if packet[3] & 15 not in (0, _NO_SUCH_NAME):
        raise OSError(_HOST_NOT_FOUND)
    kind = question[-3]
    found = []
    alias = None
    try:
        at = asked
        for _ in range(packet[6] << 8 | packet[7]):
            at = _skip(packet, at)
            size = packet[at + 8] << 8 | packet[at + 9]
            if at + 10 + size > len(packet):
                return None
            if packet[at : at + 4] == bytes((0, _CNAME, 0, 1)):
                alias = _name(packet, at + 10)
            elif packet[at : at + 4] == bytes((0, kind, 0, 1)) and size == (4 if kind == _A else 16):
                found.append(address.text(packet[at + 10 : at + 10 + size]))
            at += 10 + size
    except (IndexError, UnicodeError):  # cut off in the middle, or a name that is none
        return None
    return found or alias or found
