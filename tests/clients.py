"""The clients of the module's server on loopback, and the ports that the server may take."""

import contextlib
import socket

from module import LIMIT
from peers import Peer


class Client(Peer):
    """Connects to a port of the module, from this address if there is one; `port` is the client's own."""

    def __init__(self, port, host="127.0.0.1", address=None):
        self.sock = socket.create_connection((host, int(port)), LIMIT, address and (address, 0))
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


def serving(module):
    """The port of a server that runs on the module."""
    port = Door().port
    module.command("AT+CIPMUX=1")
    module.command(f"AT+CIPSERVER=1,{port}")
    return port


def enter(module, port, number):
    """A client that the module has told of."""
    client = Client(port)
    module.expect(f"{number},CONNECT⏎")
    return client


@contextlib.contextmanager
def full_listener():
    """A port where connections neither succeed nor fail."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
