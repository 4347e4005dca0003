"""What the tests of passive receive mode share: what is in the module, and a peer that sends more than it takes."""

import contextlib
import select
import time

from module import LIMIT
from peers import Peer

EVERY_BYTE = bytes(range(256))
# Bytes that a link keeps.
WINDOWS = {"esp32": 5760, "esp8266": 2560}


@contextlib.contextmanager
def linked(module):
    """The server at the other end of the one link, which is passive."""
    module.command("AT+CIPRECVMODE=1")
    peer = Peer()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    yield peer
    peer.close()


def lengths(module):
    module.send("AT+CIPRECVLEN?")
    found = module.match(r"\+CIPRECVLEN:([-\d,]+)\r\n\r\nOK\r\n")[1]
    return [int(number) for number in found.split(b",")]


def wait(ask, wanted):
    """Asks until the answer is the one that is wanted."""
    deadline = time.monotonic() + LIMIT
    answer = None
    while answer != wanted:
        assert time.monotonic() < deadline, f"{answer} instead of {wanted}"
        answer = ask()


def kept(module, count, number=0):
    """Waits until so many bytes are in the module."""
    wait(lambda: lengths(module)[number], count)


def take(module, most):
    """What AT+CIPRECVDATA gives; a notice may come before it."""
    module.send(f"AT+CIPRECVDATA={most}")
    data = module.take(int(module.match(r"(\r\n\+IPD,\d+\r\n)?\+CIPRECVDATA:(\d+),")[2]))
    module.expect("⏎OK⏎")
    return data


def flood(peer, data, patience=0.3):
    """Sends until the connection takes nothing more while the module keeps what it has; returns what is left."""
    peer.sock.setblocking(False)
    data = memoryview(data)
    while data and select.select([], [peer.sock], [], patience)[1]:
        data = data[peer.sock.send(data[:65536]) :]
    return data
