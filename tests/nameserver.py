"""A DNS server on loopback that a test drives: it takes a question, then answers what the test says.
Its port goes into the file of access points, as an ordinary user cannot have port 53."""

import socket
import struct
import threading

from datagrams import DatagramServer, network
from module import LIMIT

NO_SUCH_NAME = 3
TRUNCATED = 0x8380  # flags of an answer that was cut off
SERVER_FAILED = 2
A, CNAME, AAAA = 1, 5, 28


class NameServer(DatagramServer):
    """Records are (name or None for the name that was asked for, type, data as bytes).

    `ip` is an address of 127.0.0.0/8 or ::1; servers that share a port differ in it."""

    _listener = None

    def access_points(self, folder, more=""):
        """Writes a file for --wifi with the default network, which names this server."""
        return network(folder, f'dns = "{self.ip}:{self.port}"', more)

    def asked(self, kind=A):
        """Takes the next question, which must be for records of this type; returns its name."""
        self.question, self.client = self.sock.recvfrom(512)
        return self.parsed(kind)

    def parsed(self, kind):
        """The name in the question that was taken last; AssertionError if anything in it is not as it should be."""
        assert self.question[2:12] == b"\1\0\0\1\0\0\0\0\0\0", self.question
        assert self.question[-4:] == bytes((0, kind, 0, 1)), self.question
        labels, at = [], 12
        while self.question[at]:
            labels.append(self.question[at + 1 : at + 1 + self.question[at]].decode())
            at += 1 + self.question[at]
        assert at + 5 == len(self.question), self.question
        return ".".join(labels)

    def answer(self, *records, **changes):
        """Answers the question that was taken last; see packet()."""
        self.send(self.packet(*records, **changes))

    def packet(self, *records, code=0, flags=0x8180, identity=None, question=None, questions=1):
        """An answer to the question that was taken last, with what else its header shall say."""
        header = struct.pack(">HHHHH", flags | code, questions, len(records), 0, 0)
        packet = (identity or self.question[:2]) + header + (question or self.question[12:])
        for name, kind, data in records:
            packet += encoded(name) if name else b"\xc0\x0c"  # a pointer to the question
            packet += struct.pack(">HHIH", kind, 1, 60, len(data)) + data
        return packet

    def listen(self):
        """Takes questions over TCP, too, at the same port."""
        self._listener = socket.create_server((self.ip, self.port))
        self._listener.settimeout(LIMIT)

    def asked_by_tcp(self, kind=A):
        """Takes the next question over TCP; returns its name, and the connection for the answer."""
        sock = self._listener.accept()[0]
        sock.settimeout(LIMIT)
        file = sock.makefile("rb")
        self.question = file.read(int.from_bytes(file.read(2), "big"))
        return self.parsed(kind), sock

    def close(self):
        if self._listener:
            self._listener.close()
        super().close()


class Responder(NameServer):
    """A name server that answers by itself: `hosts` maps a name to its addresses, any other name does not exist."""

    def __init__(self, hosts):
        super().__init__()
        self._hosts = hosts
        self._thread = threading.Thread(target=self._run)
        self.sock.settimeout(None)
        self._thread.start()

    def _run(self):
        while True:
            self.question, self.client = self.sock.recvfrom(512)
            if not self.question:
                return
            kind = self.question[-3]
            addresses = self._hosts.get(self.parsed(kind))
            records = [(None, AAAA if ":" in text else A, address(text)) for text in addresses or ()]
            self.answer(*[r for r in records if r[1] == kind], code=NO_SUCH_NAME if addresses is None else 0)

    def close(self):
        self.sock.sendto(b"", (self.ip, self.port))
        self._thread.join()
        super().close()


def address(text):
    """The bytes of an IPv4 or IPv6 address."""
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def encoded(name):
    """A name as labels."""
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"
