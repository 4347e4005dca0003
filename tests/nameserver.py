"""A DNS server on loopback that a test drives: it takes a question, then answers what the test says.
Its port goes into the file of access points, as an ordinary user cannot have port 53."""

import socket
import struct

from module import LIMIT

NO_SUCH_NAME = 3
SERVER_FAILED = 2
A, CNAME = 1, 5


class NameServer:
    """Records are (name or None for the name that was asked for, type, data as bytes)."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(LIMIT)
        self.port = self.sock.getsockname()[1]
        self.question = self.client = None

    def access_points(self, folder):
        """Writes a file for --wifi with the default network, which names this server."""
        path = folder / "wifi.toml"
        path.write_text(f'[[ap]]\nssid = "mpy-at"\npassword = "12345678"\ndns = "127.0.0.1:{self.port}"\n')
        return path

    def asked(self):
        """Takes the next question; returns its name."""
        self.question, self.client = self.sock.recvfrom(512)
        assert self.question[2:12] == b"\1\0\0\1\0\0\0\0\0\0", self.question
        assert self.question[-4:] == b"\0\1\0\1", self.question
        labels, at = [], 12
        while self.question[at]:
            labels.append(self.question[at + 1 : at + 1 + self.question[at]].decode())
            at += 1 + self.question[at]
        assert at + 5 == len(self.question), self.question
        return ".".join(labels)

    def answer(self, *records, code=0, identity=None, question=None):
        """Answers the question that was taken last."""
        header = struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0)
        packet = (identity or self.question[:2]) + header + (question or self.question[12:])
        for name, kind, data in records:
            packet += encoded(name) if name else b"\xc0\x0c"
            packet += struct.pack(">HHIH", kind, 1, 60, len(data)) + data
        self.send(packet)

    def send(self, packet):
        self.sock.sendto(packet, self.client)

    def close(self):
        self.sock.close()


def address(text):
    return socket.inet_aton(text)


def encoded(name):
    """A name as labels."""
    return b"".join(bytes((len(label),)) + label.encode() for label in name.split(".")) + b"\0"
