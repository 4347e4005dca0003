"""AT+CIPTCPOPT: the options of links as the host and the kernel see them, and what they do."""

import contextlib
import ctypes
import os
import pathlib
import socket
import time

import pytest
from module import LIMIT
from peers import Peer
from test_send import connect

# The number of the system call, the same on all that Linux runs on.
_PIDFD_GETFD = 438


@pytest.fixture
def peer(online):
    """The server at the other end of the one link that is open."""
    peer = Peer()
    connect(online, peer)
    yield peer
    peer.close()


def row(peer):
    """What the kernel lists about the module's end of the connection."""
    local = f"0100007F:{peer.address[1]:04X}"
    [row] = [row.split() for row in pathlib.Path("/proc/net/tcp").read_text().splitlines() if local in row[:20]]
    return row


def keep_alive(peer):
    """The seconds until the kernel looks for the module's silent peer, None when it does not."""
    kind, when = row(peer)[5].split(":")
    return int(when, 16) / 100 if int(kind) == 2 else None


def no_delay(peer):
    """Whether the module's socket has TCP_NODELAY, asked of a duplicate that the kernel lends to who may debug it."""
    link = f"socket:[{row(peer)[9]}]"
    for path in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.readlink(path) == link:
                pidfd = os.pidfd_open(int(path.parts[2]))
                fd = ctypes.CDLL(None).syscall(_PIDFD_GETFD, pidfd, int(path.name), 0)
                os.close(pidfd)
                if fd < 0:
                    pytest.skip("the kernel does not lend sockets here")
                with socket.socket(fileno=fd) as sock:
                    return bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
    raise AssertionError(f"nobody has {link}")


def about(seconds):
    """What keep_alive() gives soon after it was set to so many seconds."""
    return pytest.approx(seconds, abs=LIMIT)


def test_query(play):
    play(
        """
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,-1,0,0,0⏎⏎OK⏎
        > AT+CIPTCPOPT=0,1,5000,60
        < ⏎OK⏎
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,0,1,5000,60⏎⏎OK⏎
        # What is left out stays.
        > AT+CIPTCPOPT=-1,,
        < ⏎OK⏎
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,-1,1,5000,60⏎⏎OK⏎
        > AT+CIPTCPOPT=,0
        < ⏎OK⏎
        > AT+CIPTCPOPT=,,0,0
        < ⏎OK⏎
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,-1,0,0,0⏎⏎OK⏎
        > AT+CIPTCPOPT=-2
        < ⏎ERROR⏎
        > AT+CIPTCPOPT=,2
        < ⏎ERROR⏎
        > AT+CIPTCPOPT=,,-1
        < ⏎ERROR⏎
        > AT+CIPTCPOPT=,,,7201
        < ⏎ERROR⏎
        > AT+CIPTCPOPT=0,1,5000,60,0
        < ⏎ERROR⏎
        """
    )


def test_per_link_and_for_all(play):
    play(
        """
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPTCPOPT=3,0,,250
        < ⏎OK⏎
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,-1,0,0,0⏎+CIPTCPOPT:1,-1,0,0,0⏎+CIPTCPOPT:2,-1,0,0,0⏎
        < +CIPTCPOPT:3,0,0,250,0⏎+CIPTCPOPT:4,-1,0,0,0⏎⏎OK⏎
        > AT+CIPTCPOPT=5,,1,,9
        < ⏎OK⏎
        > AT+CIPTCPOPT?
        < +CIPTCPOPT:0,-1,1,0,9⏎+CIPTCPOPT:1,-1,1,0,9⏎+CIPTCPOPT:2,-1,1,0,9⏎
        < +CIPTCPOPT:3,0,1,250,9⏎+CIPTCPOPT:4,-1,1,0,9⏎⏎OK⏎
        > AT+CIPTCPOPT=6,0
        < ⏎ERROR⏎
        > AT+CIPTCPOPT=,0
        < ⏎ERROR⏎
        """
    )


def test_saved(start):
    module = start()
    for options in ("0,1,100,7", "0,1,200,7", "0,1,300,8"):
        # Each change counts, also the first one after a start.
        module.command(f"AT+CIPTCPOPT={options}")
        reset(module)
        module.send("AT+CIPTCPOPT?")
        module.expect(f"+CIPTCPOPT:0,{options}⏎⏎OK⏎")
    module.command("AT+SYSSTORE=0")
    module.command("AT+CIPTCPOPT=-1,0,0,0")
    module.send("AT+CIPTCPOPT?")
    module.expect("+CIPTCPOPT:0,-1,0,0,0⏎⏎OK⏎")
    reset(module)
    module.send("AT+CIPTCPOPT?")
    module.expect("+CIPTCPOPT:0,0,1,300,8⏎⏎OK⏎")


def reset(module):
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")


def test_saved_options_hold_for_links(start):
    module = start()
    module.command("AT+CIPTCPOPT=0,0,0,500")
    reset(module)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    peer = Peer()
    connect(module, peer)
    assert keep_alive(peer) == about(500)
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")
    with pytest.raises(ConnectionResetError):
        peer.get(1)
    peer.close()


def test_linger(online):
    """0: closing resets the connection. Otherwise the peer sees its end, and closing does not wait."""
    for linger in (-1, 0, 60, 0, -1):
        online.command(f"AT+CIPTCPOPT={linger}")
        peer = Peer()
        connect(online, peer)
        online.send("AT+CIPCLOSE")
        online.expect("CLOSED⏎⏎OK⏎")
        if linger:
            peer.ended()
        else:
            with pytest.raises(ConnectionResetError):
                peer.get(1)
        peer.close()


def test_linger_of_an_open_link(online, peer):
    online.command("AT+CIPTCPOPT=0")
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    with pytest.raises(ConnectionResetError):
        peer.get(1)


def test_keep_alive_is_shared_with_the_opening(online):
    """The value that was set last holds, whichever command set it."""
    peer = Peer()

    def connected(more, seconds):
        online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}{more}')
        online.expect("CONNECT⏎⏎OK⏎")
        peer.accept()
        assert keep_alive(peer) == (about(seconds) if seconds else None)
        online.send("AT+CIPTCPOPT?")
        online.expect(f"+CIPTCPOPT:0,-1,0,0,{seconds}⏎⏎OK⏎")
        online.send("AT+CIPCLOSE")
        online.expect("CLOSED⏎⏎OK⏎")
        peer.sock.close()

    connected("", 0)
    connected(",7000", 7000)
    connected("", 7000)
    connected(",", 7000)
    online.command("AT+CIPTCPOPT=,,,3000")
    connected("", 3000)
    connected(",500", 500)
    connected(",0", 0)
    connected("", 0)
    peer.close()


def test_keep_alive_of_an_open_link(online, peer):
    assert keep_alive(peer) is None
    online.command("AT+CIPTCPOPT=,,,100")
    assert keep_alive(peer) == about(100)
    online.command("AT+CIPTCPOPT=0")
    assert keep_alive(peer) == about(100)
    online.command("AT+CIPTCPOPT=,,,0")
    assert keep_alive(peer) is None


def test_keep_alive_of_one_link_only(online):
    peers = [Peer(), Peer()]
    online.command("AT+CIPMUX=1")
    for number, peer in enumerate(peers):
        online.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
        online.expect(f"{number},CONNECT⏎⏎OK⏎")
        peer.accept()
    online.command("AT+CIPTCPOPT=1,,,,100")
    assert [keep_alive(peer) for peer in peers] == [None, about(100)]
    online.command("AT+CIPTCPOPT=5,,,,700")
    assert [keep_alive(peer) for peer in peers] == [about(700), about(700)]
    for peer in peers:
        peer.close()


def test_no_delay(online, peer):
    assert not no_delay(peer)
    online.command("AT+CIPTCPOPT=,1")
    assert no_delay(peer)
    online.command("AT+CIPTCPOPT=,,100")
    assert no_delay(peer)
    online.command("AT+CIPTCPOPT=,0")
    assert not no_delay(peer)
    online.command("AT+CIPTCPOPT=,1")
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    connect(online, peer)
    assert no_delay(peer)


def test_send_timeout(online):
    """CIPSEND fails in time when the peer does not read, and the link stays."""
    peer = Peer()
    online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept(receive_buffer=4096)
    online.expect("CONNECT⏎⏎OK⏎")
    online.command("AT+CIPTCPOPT=,,500")
    while True:
        online.send("AT+CIPSEND=8192")
        online.expect("⏎OK⏎⏎>")
        online.write(bytes(8192))
        online.expect("⏎Recv 8192 bytes⏎")
        began = time.monotonic()
        if online.match(r"\r\nSEND (OK|FAIL)\r\n")[1] == b"FAIL":
            break
    assert 0.45 <= time.monotonic() - began < LIMIT / 2
    online.send("AT+CIPSTATE?")
    online.match(r'\+CIPSTATE:0,"TCP".*\r\n\r\nOK\r\n')
    peer.send(b"still here")
    online.expect("⏎+IPD,10:still here")
    peer.close()
    online.expect("CLOSED⏎")


def test_links_of_the_server(online):
    """Options hold for the links that it accepts as well."""
    online.command("AT+CIPMUX=1")
    online.command("AT+CIPTCPOPT=0,0,,,400")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    online.command(f"AT+CIPSERVER=1,{port}")
    with socket.create_connection(("127.0.0.1", port), LIMIT) as client:
        online.expect("0,CONNECT⏎")
        online.send("AT+CIPCLOSE=0")
        online.expect("0,CLOSED⏎⏎OK⏎")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
