"""An SNTP server on loopback that a test drives: it takes a question, then answers what the test says.
Its port goes into the file of access points, as an ordinary user cannot have port 123."""

import datetime
import struct

from datagrams import DatagramServer, network

_FROM_1900 = 2208988800


def seconds(*date):
    """Year, month, day, hour, minute, second (UTC) as seconds since 1970."""
    return int(datetime.datetime(*date, tzinfo=datetime.timezone.utc).timestamp())


class TimeServer(DatagramServer):
    """`ip` is any address of 127.0.0.0/8; servers that share a port differ in it."""

    def access_points(self, folder, more=""):
        """Writes a file for --wifi with the default network, which names this server's port."""
        return network(folder, f"ntp_port = {self.port}", more)

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
