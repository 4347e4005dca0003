"""Much data through passthrough, both ways at once, while peers break off and the network goes: what arrives, arrives
once and in its order, and what the module had to drop is what it has counted."""

import hashlib
import os
import select
import selectors
import socket

import pytest
from module import LIMIT
from peers import Peer
from traffic import noise

MEGABYTE = 1 << 20
PARTS = 8
AHEAD = 1000  # bytes that the host sends while there is no link, fewer than the module keeps
PIECE = 65536
BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


def enter(module, peer):
    """Joins, connects and enters passthrough."""
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    module.command("AT+CIPMODE=1")
    module.send("AT+CIPSEND")
    module.expect("⏎OK⏎⏎>")


def dropped(module):
    """How many bytes of the host the module has dropped."""
    module.send("AT+MPYDROPPED?")
    return int(module.match(r"\+MPYDROPPED:0,0,(\d+)\r\n\r\nOK\r\n")[1])


class Exchange:
    """Moves `up` from the host to the peer and `down` the other way, both at once; `at_peer` and `at_host` arrive."""

    def __init__(self, module, peer, up, down):
        self.module, self.peer = module, peer
        self.up, self.down = memoryview(up), memoryview(down)
        self.at_peer, self.at_host = bytearray(), bytearray()

    def run(self, done):
        """Moves data until `done()`, or until the link has ended; returns which of them it was."""
        self.peer.sock.setblocking(False)
        ended = not self._drive(self.peer.sock, self._peer, done)
        self.peer.sock.settimeout(LIMIT)
        return not ended

    def accept(self):
        """Goes on with the next link; the host is busy meanwhile, as what the last link brought comes first."""
        self._drive(self.peer.listener, lambda mask: None, lambda: False)
        self.peer.accept()

    def _drive(self, sock, callback, done):
        with selectors.DefaultSelector() as selector:
            selector.register(self.module.fd, 3, self._host)
            selector.register(sock, 3, callback)
            while not done():
                events = selector.select(LIMIT)
                assert events, f"stuck: {len(self.at_peer)} bytes at the peer, {len(self.at_host)} at the host"
                for key, mask in events:
                    wanted = key.data(mask)
                    if wanted is None:
                        return False
                    if wanted != key.events:
                        selector.modify(key.fileobj, wanted, key.data)
        return True

    def _host(self, mask):
        if mask & selectors.EVENT_READ:
            self.at_host += os.read(self.module.fd, PIECE)
        if mask & selectors.EVENT_WRITE and self.up:
            self.up = self.up[os.write(self.module.fd, self.up[:PIECE]) :]
        return 3 if self.up else selectors.EVENT_READ

    def _peer(self, mask):
        sock = self.peer.sock
        try:
            if mask & selectors.EVENT_READ:
                data = sock.recv(PIECE)
                if not data:
                    return None
                self.at_peer += data
            if mask & selectors.EVENT_WRITE and self.down:
                self.down = self.down[sock.send(self.down[:PIECE]) :]
        except ConnectionError:
            return None
        return 3 if self.down else selectors.EVENT_READ


@BOARDS
def test_both_ways_with_breaks_between(start, peer, board):
    """20 MB each way in eight parts. Between them the peer breaks off five times and the network goes twice. What was
    sent while there was a link has arrived, so all of it arrives, with what the host sends before the next link."""
    module = start("--board", board)
    enter(module, peer)
    up, down = noise(20 * MEGABYTE, 1), noise(20 * MEGABYTE, 2)
    size = len(up) // PARTS
    at_peer, at_host = hashlib.sha256(), hashlib.sha256()
    early = 0
    for number in range(PARTS):
        end = (number + 1) * size
        part = Exchange(module, peer, up[number * size + early : end], down[number * size : end])
        wanted = size - early
        assert part.run(lambda part=part, wanted=wanted: len(part.at_peer) == wanted and len(part.at_host) == size)
        at_peer.update(part.at_peer)
        at_host.update(part.at_host)
        if end == len(up):
            break
        if number % 3 == 2:
            assert module.control("ap down mpy-at") == "ok"
            peer.ended()
            peer.sock.close()
        else:
            peer.reset()
        early = AHEAD
        module.write(up[end : end + early])
        if number % 3 == 2:
            assert module.control("ap up mpy-at") == "ok"
        peer.accept()
        at_peer.update(peer.get(early))
    assert at_peer.digest() == hashlib.sha256(up).digest()
    assert at_host.digest() == hashlib.sha256(down).digest()
    module.leave()
    assert dropped(module) == 0
    module.settled()


def gaps(whole, got):
    """What is missing in `got`: the sizes of the gaps. AssertionError if anything came twice or in another order."""
    sizes = []
    at = seen = 0
    while seen < len(got):
        found = whole.find(got[seen : seen + 32], at)
        assert found >= 0, f"what came at {seen} is not what follows {at}"
        if found > at:
            sizes.append(found - at)
        at, count = found, PIECE
        while count and seen < len(got):
            if whole[at : at + count] == got[seen : seen + count] and at + count <= len(whole):
                at += count
                seen += count
            else:
                count //= 2
    assert at == len(whole), "the end is missing"
    return sizes


def test_gaps():
    whole = noise(1000000, 0)
    assert gaps(whole, whole) == []
    assert gaps(whole, whole[:70000] + whole[70100:300000] + whole[300001:]) == [100, 1]
    with pytest.raises(AssertionError):
        gaps(whole, whole[:5000] + whole[4999:])
    with pytest.raises(AssertionError):
        gaps(whole, whole[:-1])


@BOARDS
def test_both_ways_with_breaks_in_full_flow(start, peer, board):
    """The link ends seven times with data on their way. Those that were in the sockets are lost, as with any TCP
    connection, and with no flow control what the host sends while there is no link; everything else arrives once and
    in its order."""
    flow = board == "esp32"
    module = start("--board", board, "--pace")
    module.command(f"AT+UART_CUR=3000000,8,1,0,{3 if flow else 0}")
    for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):  # else megabytes are on their way at each break
        peer.listener.setsockopt(socket.SOL_SOCKET, option, PIECE)
    enter(module, peer)
    size = 3 * MEGABYTE
    up, down = noise(size, 3), noise(size, 4)
    part = Exchange(module, peer, up, down)
    for number in range(7):
        mark = len(part.at_peer) + size // 32
        assert part.run(lambda mark=mark: len(part.at_peer) >= mark)
        if number % 3 == 2:
            assert module.control("ap down mpy-at") == "ok"
            assert not part.run(lambda: False)
            peer.sock.close()
            assert module.control("ap up mpy-at") == "ok"
        else:
            peer.reset()
        part.accept()
    assert part.up and part.down, "the breaks came too late"
    assert part.run(lambda: part.at_peer.endswith(up[-64:]) and part.at_host.endswith(down[-64:]))
    missing_up, missing_down = gaps(up, bytes(part.at_peer)), gaps(down, bytes(part.at_host))
    assert len(missing_up) <= 7 and len(missing_down) <= 7
    module.leave()
    count = dropped(module)
    assert count == 0 if flow else 0 < count <= sum(missing_up)
    module.settled()


@BOARDS
def test_what_has_no_place_is_counted(start, peer, board):
    """Without flow control: while there is no link, the first bytes are kept, and the others counted."""
    module = start("--board", board)
    enter(module, peer)
    data = noise(50000, 5)
    module.control("ap down mpy-at")
    peer.ended()
    module.write(data)
    module.control("ap up mpy-at")
    peer.accept()
    # Whatever has come until here is kept or dropped; the link takes what follows.
    kept = peer.get(1400)
    module.write(b"the end")
    while not kept.endswith(b"the end"):
        kept += peer.sock.recv(PIECE)
    [missing] = gaps(data + b"the end", kept)
    module.leave()
    assert dropped(module) == missing
    module.settled()


def test_what_has_no_place_is_held_back(start, peer):
    """With flow control nothing is dropped, however long there is no link."""
    module = start()
    module.command("AT+UART_CUR=115200,8,1,0,1")
    enter(module, peer)
    data = noise(MEGABYTE, 6)
    module.control("ap down mpy-at")
    peer.ended()
    rest = memoryview(data)
    while select.select([], [module.fd], [], 0.1)[1]:
        rest = rest[os.write(module.fd, rest[:PIECE]) :]
    assert rest, "nothing has held the host back"
    module.control("ap up mpy-at")
    peer.accept()
    part = Exchange(module, peer, rest, b"")
    assert part.run(lambda: len(part.at_peer) >= len(data))
    assert part.at_peer == data
    module.leave()
    assert dropped(module) == 0


def test_at_three_megabaud(start, peer):
    """The fastest line, paced, with flow control: nothing is lost either way."""
    module = start("--pace")
    module.command("AT+UART_CUR=3000000,8,1,0,3")
    enter(module, peer)
    up, down = noise(MEGABYTE, 7), noise(MEGABYTE, 8)
    part = Exchange(module, peer, up, down)
    assert part.run(lambda: len(part.at_peer) == len(up) and len(part.at_host) == len(down))
    assert part.at_peer == up and part.at_host == down
    module.leave()
    assert dropped(module) == 0
    module.settled()
