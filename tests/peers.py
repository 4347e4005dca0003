"""Peers on loopback for the module's links: real sockets that a test drives step by step."""

import socket
import struct

from module import LIMIT


class Peer:
    """A TCP server on loopback with one connection at a time."""

    def __init__(self, address="127.0.0.1", port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.create_server((address, port), family=family)
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

    def send(self, data):
        self.sock.sendall(data)

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

    def broken(self):
        """Waits for the module to end the connection with RST."""
        try:
            rest = self.sock.recv(100)
        except ConnectionResetError:
            return
        raise AssertionError(f"no reset, but {rest!r}")

    def reset(self):
        """Closes the connection with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self):
        if self.sock:
            self.sock.close()
        self.listener.close()


class UDPPeer:
    """A UDP socket on loopback. It sends to who it heard from last, or to the port that it faces."""

    def __init__(self, address="127.0.0.1", port=0):
        self.sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(LIMIT)
        self.sock.bind((address, port))
        self.address = address
        self.port = self.sock.getsockname()[1]
        self.other = None

    def face(self, port, address=None):
        """The port of the module that it sends to from here on."""
        self.other = (address or self.address, port)

    def send(self, data):
        self.sock.sendto(data, self.other)

    def get(self, count=0):
        """The next datagram, whole, however many bytes were expected."""
        data, self.other = self.sock.recvfrom(65536)
        return data

    def close(self):
        self.sock.close()


class FreePort:
    """The number of a UDP port that nobody has, for the module to take."""

    def __init__(self):
        peer = UDPPeer()
        self.port = peer.port
        peer.close()

    def close(self):
        pass
