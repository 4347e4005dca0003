"""Peers on loopback for the module's links: real sockets that a test drives step by step."""

import socket
import struct

from module import LIMIT


class Peer:
    """A TCP server on 127.0.0.1 with one connection at a time."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(LIMIT)
        self.port = self.listener.getsockname()[1]
        self.sock = None

    def accept(self, receive_buffer=0):
        """Takes the next connection; a small `receive_buffer` makes a peer that soon holds the sender up."""
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock, self.address = self.listener.accept()
        self.sock.settimeout(LIMIT)
        return self.sock

    def get(self, count):
        """The next `count` bytes."""
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            assert more, f"the link ended after {data!r}"
            data += more
        return data

    def ended(self):
        """Waits for the end of the connection; there must be nothing before it."""
        rest = self.sock.recv(100)
        assert not rest, rest

    def reset(self):
        """Closes the connection with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        if self.sock:
            self.sock.close()
        self.listener.close()
