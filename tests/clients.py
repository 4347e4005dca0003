"""The clients of the module's server on loopback, and the ports that the server may take."""

import socket

from module import LIMIT
from peers import Peer


class Client(Peer):
    """Connects to a port of the module; `port` is the client's own."""

    def __init__(self, port, host="127.0.0.1"):
        self.sock = socket.create_connection((host, int(port)), LIMIT)
        self.port = self.sock.getsockname()[1]

    def send(self, data):
        self.sock.sendall(data)

    def close(self):
        self.sock.close()


class Door:
    """The number of a TCP port that nobody has at this moment, for the module's server."""

    def __init__(self):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            self.port = sock.getsockname()[1]

    def close(self):
        pass
