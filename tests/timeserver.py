"""An SNTP server on loopback that a test drives: it takes a question, then answers what the test says.
Its port goes into the file of access points, as an ordinary user cannot have port 123."""

import datetime
import socket
import struct

from module import LIMIT

_FROM_1900 = 2208988800


def seconds(*date):
    """Year, month, day, hour, minute, second (UTC) as seconds since 1970."""
    return int(datetime.datetime(*date, tzinfo=datetime.timezone.utc).timestamp())


class TimeServer:
    """`ip` is any address of 127.0.0.0/8; servers that share a port differ in it."""

    def __init__(self, ip="127.0.0.1", port=0):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((ip, port))
        self.sock.settimeout(LIMIT)
        self.ip, self.port = self.sock.getsockname()
        self.question = self.client = None

    def access_points(self, folder, more=""):
        """Writes a file for --wifi with the default network, which names this server's port."""
        path = folder / "wifi.toml"
        path.write_text(f'[[ap]]\nssid = "mpy-at"\npassword = "12345678"\nntp_port = {self.port}\n{more}')
        return path

    def asked(self):
        """Takes the next question, which must be a client's and random where a server copies it."""
        previous = self.question
        self.question, self.client = self.sock.recvfrom(512)
        assert len(self.question) == 48
        assert self.question[:40] == b"\x23" + bytes(39), self.question
        assert self.question[40:] not in (bytes(8), previous and previous[40:])

    def answer(self, moment, *, origin=None, mode=4, leap=0, stratum=2, reference=b"\x7f\0\0\1", fraction=0):
        """Answers the question that was taken last; `moment` is in seconds since 1970, of any era,
        `fraction` a part of one."""
        head = bytes((leap << 6 | 4 << 3 | mode, stratum, 6, 0xEC)) + bytes(8) + reference
        stamp = struct.pack(">II", (moment + _FROM_1900) % 2**32, int(fraction * 2**32))
        origin = self.question[40:] if origin is None else origin
        self.send(head + stamp + origin + stamp + stamp)

    def send(self, packet):
        self.sock.sendto(packet, self.client)

    def idle(self):
        """Whether nobody has asked since the last question; does not wait for one."""
        self.sock.setblocking(False)
        try:
            self.sock.recv(512)
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(LIMIT)
        return False

    def close(self):
        self.sock.close()
