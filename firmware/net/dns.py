"""Names to IPv4 addresses, without ever blocking: the port's own getaddrinfo would stop every link meanwhile.
One question at a time over UDP, sent again to each server in turn."""

import select
import socket
from os import urandom
from time import ticks_add, ticks_diff, ticks_ms

from firmware.loop import Signal
from firmware.net import address

_TRIES = 2
_WAIT_MS = 2000
_NO_SUCH_NAME = 3
_HOST_NOT_FOUND = -2  # lwIP's EAI_NONAME is 200, Linux's -2; only shown in the error log


class Resolver:
    """`servers()` gives the addresses to ask, best first; `port` is 53 except on a bench (see board)."""

    def __init__(self, loop, servers, port):
        self._loop = loop
        self._servers = servers
        self._port = port

    async def resolve(self, name, patience_ms=None):
        """The IPv4 address of a host as text; OSError when there is none within `patience_ms`."""
        if address.is_ipv4(name):
            return name
        if name.lower() == "localhost":  # RFC 6761: never asked for
            return "127.0.0.1"
        question = _question(name)
        wait = _WAIT_MS
        if patience_ms:
            wait = min(wait, max(patience_ms // _TRIES, 1))
        for _ in range(_TRIES):
            for server in self._servers():
                found = await self._ask(server, question, wait)
                if found:
                    return found
                if found == "":
                    raise OSError(_HOST_NOT_FOUND)
        raise OSError(_HOST_NOT_FOUND)

    async def _ask(self, server, question, wait):
        """One question to one server: the address, "" if the name has none, None if the server did not help."""
        arrived = Signal(self._loop)
        deadline = ticks_add(ticks_ms(), wait)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
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


def _question(name):
    """A query for the A record: id 0, recursion desired, one question."""
    packet = bytearray(b"\0\0\1\0\0\1\0\0\0\0\0\0")
    for label in name.split("."):
        label = label.encode()
        if not 0 < len(label) < 64:
            raise OSError(_HOST_NOT_FOUND)
        packet.append(len(label))
        packet += label
    packet += b"\0\0\1\0\1"
    return packet


def _skip(packet, at):
    """The place behind the name at `at`: labels, ended by 0 or by a pointer of two bytes."""
    while packet[at]:
        if packet[at] & 0xC0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def _answer(packet, question):
    """The first A record among the answers. A server follows aliases itself, so the last name needs no check.

    "" when the name has none, None when this is no answer to the question; OSError when the server failed."""
    asked = len(question)
    if packet[:2] != question[:2] or packet[12:asked].lower() != question[12:].lower() or not packet[2] & 0x80:
        return None
    if packet[3] & 15 not in (0, _NO_SUCH_NAME):
        raise OSError(_HOST_NOT_FOUND)
    try:
        at = asked
        for _ in range(packet[6] << 8 | packet[7]):
            at = _skip(packet, at)
            size = packet[at + 8] << 8 | packet[at + 9]
            if at + 10 + size > len(packet):
                return None
            if packet[at : at + 4] == b"\0\1\0\1" and size == 4:
                return "%d.%d.%d.%d" % tuple(packet[at + 10 : at + 14])
            at += 10 + size
    except IndexError:  # cut off in the middle of a name or of the numbers behind it
        return None
    return ""
