"""Names to IPv4 addresses, without ever blocking: the port's own getaddrinfo would stop every link meanwhile.
One question at a time over UDP, sent again to each server in turn."""

import select
import socket
from os import urandom

from firmware.loop import Signal
from firmware.net import address

_TRIES = 2
_WAIT_MS = 2000
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
        """One question to one server: the address, "" if the name has none, None if no answer came in time."""
        arrived = Signal(self._loop)
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            # A random id and a random local port are what keeps others from answering.
            question[:2] = urandom(2)
            sock.connect(address.resolved(server, self._port, socket.SOCK_DGRAM))
            sock.send(question)
            self._loop.watch(sock, select.POLLIN, lambda _: arrived.set())
            while await arrived.wait(wait):
                answer = sock.recv(512)
                if answer[:2] == question[:2]:
                    found = _answer(answer, question)
                    if found is not None:
                        return found
        except OSError:  # no route, or the port is closed: the next server may be better
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

    "" when the server says that the name does not exist, None when this is no answer to the question."""
    asked = len(question)
    if len(packet) < asked or not packet[2] & 0x80 or packet[12:asked].lower() != question[12:].lower():
        return None
    if packet[3] & 15 == 3:
        return ""
    try:
        at = asked
        for _ in range(packet[6] << 8 | packet[7]):
            at = _skip(packet, at)
            size = packet[at + 8] << 8 | packet[at + 9]
            if packet[at : at + 4] == b"\0\1\0\1" and size == 4:
                return "%d.%d.%d.%d" % tuple(packet[at + 10 : at + 14])
            at += 10 + size
    except (IndexError, TypeError):  # cut off in the middle, or lying about its lengths
        pass
    return None
