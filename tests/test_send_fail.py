"""SEND FAIL: a block that the peer does not take in time. Nothing of it is sent later, and a link of which the peer has
got a part of it is closed: no peer ever sees data behind a gap."""

import ssl
import threading

import pytest
from clients import enter, serving
from peers import Peer
from test_sendl import Slow, fill_up, prompt, reports
from tls_peers import TLSPeer
from tls_peers import serving as tls_serving
from traffic import noise

BLOCK = 2047  # both boards take so much at a time, and the kernel's buffers are no multiple of it
# Of a small one the peer's end gets soon what it does not read.
RECEIVE_BUFFER = 4096


class Reader(threading.Thread):
    """Reads to the end what the module has sent, as a peer does that had been busy."""

    def __init__(self, sock):
        super().__init__(daemon=True)
        self.sock = sock
        self.data = bytearray()
        self.start()

    def run(self):
        try:
            while more := self.sock.recv(65536):
                self.data += more
        except (ssl.SSLEOFError, ConnectionResetError):  # a record that was not sent whole
            pass

    def finish(self):
        self.join(30)
        assert not self.is_alive(), f"no end after {len(self.data)} bytes"
        return bytes(self.data)


@pytest.fixture
def joined(start, board, request):
    """A module of each board that has joined; TLS alone needs more than the heap of an ESP8266 here."""
    more = ("--heap", "64wK") if board == "esp8266" and "SSL" in request.node.name else ()
    return start("--board", board, *more).join()


def connect(module, kind, folder, authority):
    """A link 0 of each kind to a peer that does not read: as the module's client, its server, and with TLS."""
    if kind == "server":
        port = serving(module)
        return enter(module, port, 0)
    module.command("AT+CIPMUX=1")
    peer = TLSPeer(tls_serving(folder, authority.rsa_server, weak=True)) if kind == "SSL" else Peer()
    module.send(f'AT+CIPSTART=0,"{kind}","127.0.0.1",{peer.port}')
    peer.accept(RECEIVE_BUFFER)
    module.expect("0,CONNECT⏎⏎OK⏎")
    return peer


def send(module, command, data):
    """Sends a block by CIPSEND or CIPSENDEX; returns OK or FAIL."""
    module.send(f"AT+{command}=0,{len(data)}")
    module.expect("⏎OK⏎⏎>")
    module.write(data.replace(b"\\", b"\\\\") if command == "CIPSENDEX" else data)
    return module.match(rf"\r\nRecv {len(data)} bytes\r\n\r\nSEND (OK|FAIL)\r\n")[1].decode()


@pytest.mark.parametrize("kind", ["TCP", "server", "SSL"])
@pytest.mark.parametrize("command", ["CIPSEND", "CIPSENDEX"])
def test_a_part_of_it_is_the_end(joined, tmp_path, authority, command, kind):
    """CLOSED comes right behind SEND FAIL; the peer gets what went before, a part of the block, and the end."""
    peer = connect(joined, kind, tmp_path, authority)
    joined.command("AT+CIPTCPOPT=0,,,300")
    sent, got = bytearray(), b""
    while True:
        data = noise(BLOCK, len(sent))
        if send(joined, command, data) == "OK":
            sent += data
            continue
        joined.send("AT")
        if joined.match(r"(0,CLOSED\r\n)?\r\nOK\r\n")[1]:
            break
        # Nothing of it was taken, and the link goes on. Only where there is a little place a part of the next one is.
        got += peer.get(100_000)
    got += Reader(peer.sock).finish()
    # A record of TLS that has begun may still find its place when the link is closed.
    assert len(sent) <= len(got) < len(sent) + BLOCK + (kind == "SSL")
    assert got == (sent + data)[: len(got)]
    joined.send("AT+CIPSEND=0,1")
    joined.expect("⏎ERROR⏎")
    peer.close()
    joined.settled()


@pytest.mark.parametrize("kind", ["TCP", "SSL"])
def test_a_peer_that_resets_has_not_got_what_waited_for_it(joined, tmp_path, authority, kind):
    """Not even the last part, of which the connection had taken a little: it is no SEND OK."""
    peer = connect(joined, kind, tmp_path, authority)
    size = 1000  # one record, on both boards
    waits = False
    while not waits:
        joined.send(f"AT+CIPSEND=0,{size}")
        joined.expect("⏎OK⏎⏎>")
        joined.write(noise(size, 1))
        joined.expect(f"⏎Recv {size} bytes⏎")
        for _ in range(20):
            # What finds a place has its answer by the time of this one.
            joined.send("AT")
            waits = joined.match(r"\r\n(busy p...|SEND OK\r\n\r\nOK)\r\n")[1] == b"busy p..."
            if not waits:
                break
    peer.reset()
    joined.match(r"\r\nSEND FAIL\r\n0,CLOSED\r\n|0,CLOSED\r\n\r\nSEND FAIL\r\n")
    peer.close()
    joined.settled()


def test_nothing_of_it_leaves_the_link_as_it_was(online):
    """The peer sees what went before, and what comes after."""
    slow = Slow(online)
    count = slow.fill(online)
    online.command("AT+CIPTCPOPT=,,200")
    for size in (1, 8192):
        online.send(f"AT+CIPSEND={size}")
        online.expect("⏎OK⏎⏎>")
        online.write(b"x" * size)
        online.expect(f"⏎Recv {size} bytes⏎⏎SEND FAIL⏎")
    online.settled()
    slow.drain(b"end")
    online.command("AT+CIPTCPOPT=,,0")
    online.send("AT+CIPSEND=3")
    online.expect("⏎OK⏎⏎>")
    online.write(b"end")
    online.expect("⏎Recv 3 bytes⏎⏎SEND OK⏎")
    slow.drained()
    assert slow.total == count + 3
    slow.peer.close()


@pytest.mark.parametrize("kind", ["TCP", "SSL"])
def test_a_long_one(joined, tmp_path, authority, kind):
    """CIPSENDL tells how much the connection has taken, and takes the rest of the data from the host."""
    peer = connect(joined, kind, tmp_path, authority)
    joined.command("AT+CIPTCPOPT=0,,,300")
    data = noise(10_000_000, 1)
    prompt(joined, len(data), "0,")
    joined.write(data)
    pairs = reports(joined, r"\r\nSEND FAIL\r\n")
    joined.expect("0,CLOSED⏎")
    joined.settled()
    got = Reader(peer.sock).finish()
    assert got == data[: len(got)]
    # Of TLS the last record may not have come whole.
    assert len(got) == pairs[-1][0] if kind == "TCP" else pairs[-1][0] - 4096 < len(got) <= pairs[-1][0]
    peer.close()


@pytest.mark.parametrize("kind", ["TCP", "SSL"])
def test_canceled(joined, tmp_path, authority, kind):
    """After +++ the link goes on: what was told as sent is sent, and the next block follows it."""
    peer = connect(joined, kind, tmp_path, authority)
    joined.command("AT+CIPSENDLCFG=100,2000")
    block = noise(2000, 1)
    count = fill_up(joined, block, "0,")
    sent = (block * (count // 2000 + 1))[:count]
    reader = Reader(peer.sock)
    assert send(joined, "CIPSEND", b"end") == "OK"
    joined.send("AT+CIPCLOSE=0")
    joined.expect("0,CLOSED⏎⏎OK⏎")
    assert reader.finish() == sent + b"end"
    peer.close()


def test_its_time_without_a_limit_of_the_host(start, board):
    """Thirty seconds, then it fails, whatever the peer does."""
    module = start("--board", board, "--time").join()
    slow = Slow(module)
    slow.fill(module)
    module.send("AT+CIPSEND=5")
    module.expect("⏎OK⏎⏎>")
    module.write(b"hello")
    module.expect("⏎Recv 5 bytes⏎")
    assert module.control("time pass 20") == "ok"
    module.send("AT+CWMODE?")
    module.expect("⏎busy p...⏎")
    assert module.control("time pass 10") == "ok"
    module.expect("⏎SEND FAIL⏎")
    module.settled()
    slow.peer.close()
