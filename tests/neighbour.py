"""Another host on the simulator's network that takes part in mDNS, as a test drives it: sockets on loopback only.
Messages are made and read by the package zeroconf, so that nothing of the firmware judges itself."""

import os
import socket
import time

from module import LIMIT
from zeroconf import DNSAddress, DNSIncoming, DNSOutgoing, DNSQuestion

GROUP, PORT = "224.0.0.251", 5353
PTR, TXT, SRV, A, AAAA, NSEC, ANY = 12, 16, 33, 1, 28, 47, 255
QUERY, RESPONSE, MORE = 0, 0x8400, 0x200
INTERNET, TOP_BIT = 1, 0x8000
UNIQUE = INTERNET | TOP_BIT
SERVICES = "_services._dns-sd._udp.local."


class Neighbour:
    """`word` is in every message that is meant here: other tests have theirs in the same group at the same time.

    It has an address of its own, since all who share an address and port 5353 share what comes to it."""

    def __init__(self, word):
        self.word = word.encode()
        address = "127.{}.{}.2".format(*os.urandom(2))
        self.group = _socket(GROUP)
        self.group.setsockopt(
            socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
        )
        self.direct = _socket(address)
        self.other = _socket(address, 0)  # not at port 5353, as those that know DNS only

    def close(self):
        for sock in (self.group, self.direct, self.other):
            sock.close()

    def heard(self):
        """The next message to all."""
        return self._next(self.group)

    def told(self):
        """The next message to port 5353 of this host alone."""
        return self._next(self.direct)

    def answered(self):
        """The next message to the other port."""
        return self._next(self.other)

    def question(self):
        """The next question from a port that is not 5353, and where it came from."""
        while True:
            found, source = self._from(self.group)
            if source[1] != PORT:
                return found, source

    def _next(self, sock):
        return self._from(sock)[0]

    def _from(self, sock):
        # Those of other tests come here as well, so their messages are no reason to wait any longer.
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            data, source = sock.recvfrom(9000)
            if self.word in data and source[0] == "127.0.0.1":
                found = DNSIncoming(data)
                assert found.valid, data
                return found, source
        raise TimeoutError

    def probe(self):
        """The next probe of the module."""
        while True:
            message = self.heard()
            if message.is_query() and message.num_authorities:
                return message

    def announcement(self):
        """The next message to all in which the module says something."""
        while True:
            message = self.heard()
            if message.is_response():
                return message

    def settled(self):
        """Waits until the module's service is announced; returns the first announcement."""
        first = self.announcement()
        self.announcement()
        return first

    def ask(self, name, kind, known=(), sock=None, alone=False, authority=(), more=False):
        """Asks all, from port 5353 or from `sock`."""
        query = DNSOutgoing(QUERY | MORE * more, multicast=sock is None, id_=0x1234)
        query.add_question(DNSQuestion(name, kind, INTERNET | TOP_BIT * alone))
        for record in (*known, *authority):
            query.add_answer_at_time(record, 0)
        data = bytearray(query.packets()[0])
        if authority:  # zeroconf takes only pointers for that section, so the count moves there
            data[6:10] = bytes(2) + data[6:8]
        self.send(data, sock)

    def say(self, *records):
        """Tells all."""
        self.send(message(RESPONSE, *records))

    def send(self, data, sock=None):
        """Sends bytes to all."""
        (sock or self.direct).sendto(data, (GROUP, PORT))


def _socket(address, port=PORT):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    sock.bind((address, port))
    sock.settimeout(LIMIT)
    return sock


def kinds(records):
    """The types of records, in their order."""
    return [record.type for record in records]


def message(flags, *records):
    """The bytes of a message with these records as answers."""
    outgoing = DNSOutgoing(flags)
    for record in records:
        outgoing.add_answer_at_time(record, 0)
    return outgoing.packets()[0]


def names(word):
    """Service type, instance and host of a module's service."""
    return f"_{word}._tcp.local.", f"{word}._{word}._tcp.local.", f"{word}.local."


def address(name, text, ttl=120):
    """A record of a host's address."""
    return DNSAddress(name, A, UNIQUE, ttl, socket.inet_aton(text))
