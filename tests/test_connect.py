"""How links are opened: the parameters of AT+CIPSTART one by one, and what goes wrong on the way.
Names are in test_names.py."""

import contextlib
import pathlib
import socket
import time

import pytest
from module import LIMIT
from peers import Peer


@pytest.mark.parametrize("seconds, timer", [(0, (0, 0)), (1, (1, 100)), (7200, (700000, 720000))])
def test_keep_alive(online, seconds, timer):
    """The kernel's own list of connections shows the timer, in hundredths of a second."""
    peer = Peer()
    online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port},{seconds}')
    online.expect("CONNECT⏎⏎OK⏎")
    peer.accept()
    local = f"0100007F:{peer.address[1]:04X}"
    [row] = [row.split() for row in pathlib.Path("/proc/net/tcp").read_text().splitlines() if local in row[:20]]
    kind, when = row[5].split(":")
    assert int(kind) == (2 if seconds else 0)
    assert timer[0] <= int(when, 16) <= timer[1]
    peer.close()
    online.expect("CLOSED⏎")


def test_local_address(online):
    peer = Peer()
    online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port},,"127.0.0.2"')
    online.expect("CONNECT⏎⏎OK⏎")
    peer.accept()
    assert peer.address[0] == "127.0.0.2"
    peer.close()
    online.expect("CLOSED⏎")
    # One that is not the module's, and others that are none: those must not be asked of a name server.
    for wrong in ("192.0.2.1", "nonsense.example", "127.0.0.2.3"):
        online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port},,"{wrong}"')
        online.expect("⏎ERROR⏎")
    online.send("AT+CIPSTATE?")
    online.expect("⏎OK⏎")


def test_refused(online):
    """A port that nobody listens at: it is taken, so that nobody else can."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        for _ in range(6):
            online.send(f'AT+CIPSTART="TCP","127.0.0.1",{port}')
            online.expect("⏎ERROR⏎")
    online.settled()


@contextlib.contextmanager
def blackhole():
    """The port of a server whose queue is full: it answers no further SYN."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def test_timeout(online):
    peer = Peer()
    online.command("AT+CIPMUX=1")
    connect(online, peer, 1)
    with blackhole() as port:
        began = time.monotonic()
        online.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{port},0,,1000')
        # Meanwhile the port answers, and links move.
        online.send("AT")
        online.expect("⏎busy p...⏎")
        peer.sock.sendall(b"meanwhile")
        online.expect("⏎+IPD,1,9:meanwhile⏎ERROR⏎")
        assert 1 <= time.monotonic() - began < LIMIT / 2
    # The id is free again, and can be used.
    online.send("AT+CIPCLOSE=0")
    online.expect("⏎ERROR⏎")
    other = Peer()
    connect(online, other, 0)
    other.close()
    online.expect("0,CLOSED⏎")
    online.settled()
    peer.close()


def test_restart_while_connecting(online):
    """AT+RST runs at once, whatever else does."""
    with blackhole() as port:
        online.send(f'AT+CIPSTART="TCP","127.0.0.1",{port}')
        online.send("AT+RST")
        online.expect("⏎OK⏎⏎ready⏎")


def test_network_lost_while_connecting(online):
    """The command ends with ERROR, and what it had begun is gone."""
    with blackhole() as port:
        online.send(f'AT+CIPSTART="TCP","127.0.0.1",{port}')
        assert online.control("ap down mpy-at") == "ok"
        online.expect("WIFI DISCONNECT⏎⏎ERROR⏎")
    online.command("AT+CIPSTATE?")
    online.command("AT+CIPMUX=1")


def test_a_peer_that_speaks_or_goes_at_once(online):
    """The host hears of the link before it hears from it."""
    peer = Peer()
    for _ in range(20):
        online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
        peer.accept().sendall(b"welcome")
        peer.sock.close()
        online.expect("CONNECT⏎⏎OK⏎⏎+IPD,7:welcomeCLOSED⏎")
    for _ in range(20):
        online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
        peer.accept()
        peer.reset()
        online.match(r"\r\nERROR\r\n|CONNECT\r\n\r\nOK\r\nCLOSED\r\n")
    online.settled()
    peer.close()


def connect(module, peer, number):
    """Opens link `number` to `peer`."""
    module.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
    module.expect(f"{number},CONNECT⏎⏎OK⏎")
    peer.accept()
