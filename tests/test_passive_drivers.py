"""How two drivers in wide use read in passive mode: they wait for a notice, read, and wait for the next one.

Zephyr, drivers/wifi/esp_at (as of commit 672b30ad5a89): on_cmd_ipd() in esp.c submits one work item for each `+IPD` of
a link, and esp_recvdata_work() in esp_offload.c sends one `AT+CIPRECVDATA=<link>,2048` for it; a `+IPD` that comes
while the item is queued adds nothing. on_cmd_closed() ends the socket at once: what is read behind `CLOSED` is lost.
Rust, esp-at-nal (pegasus-aero/rt-esp-at-nal 0.1.3, src/stack.rs and src/wifi.rs; blocks are of RX_SIZE, 256 here): a
`+IPD` sets the number of bytes that are there, receive() reads blocks until it has come down to 0, and reads nothing
more until the next `+IPD`."""

import pytest
from module import LIMIT
from peers import Peer
from traffic import Mover, digest, noise

SIZE = 20000


@pytest.fixture
def module(joined):
    joined.command("AT+CIPMUX=1")
    joined.command("AT+CIPRECVMODE=1")
    return joined


class Reader:
    """What both drivers have: the links' data, and what the module has said of them outside of an answer."""

    def __init__(self, module):
        self.module = module
        self.data = [bytearray() for _ in range(5)]
        self.closed = set()

    def line(self, pattern=""):
        """Takes a notice or an end, or what matches the pattern; returns the match."""
        found = self.module.match(r"\r\n\+IPD,(?P<link>\d),(?P<size>\d+)\r\n|(?P<gone>\d),CLOSED\r\n" + pattern)
        if found["link"]:
            assert int(found["link"]) not in self.closed
            self.notice(int(found["link"]), int(found["size"]))
        elif found["gone"]:
            self.closed.add(int(found["gone"]))
        return found

    def receive(self, link, most):
        """One AT+CIPRECVDATA: notices may come in front of the answer. Returns the number of bytes."""
        assert link not in self.closed, "the driver would drop what it reads now"
        self.module.send(f"AT+CIPRECVDATA={link},{most}")
        while True:
            found = self.line(r"|\+CIPRECVDATA:(?P<count>\d+),")
            if found["count"]:
                break
        data = self.module.take(int(found["count"]))
        self.module.expect("⏎OK⏎")
        self.data[link] += data
        return len(data)


class Zephyr(Reader):
    """One read for each notice."""

    def __init__(self, module):
        super().__init__(module)
        self.queue = []

    def notice(self, link, size):
        if link not in self.queue:
            self.queue.append(link)

    def step(self):
        if self.queue:
            self.receive(self.queue.pop(0), 2048)
        else:
            self.line()


class Rust(Reader):
    """Blocks until all is read that the last notice told of."""

    def __init__(self, module):
        super().__init__(module)
        self.available = [0] * 5

    def notice(self, link, size):
        self.available[link] = size

    def step(self):
        for link in range(5):
            if self.available[link]:
                count = self.receive(link, 256)
                self.available[link] = max(self.available[link] - count, 0)
                return
        self.line()


@pytest.mark.parametrize("driver", [Zephyr, Rust])
@pytest.mark.parametrize("links", [1, 3])
def test_a_long_stream_is_whole(module, driver, links):
    """More than the module keeps, over several links at once, to the end of each, which comes behind the last byte."""
    host = driver(module)
    peers, movers = [], []
    for link in range(links):
        peer = Peer()
        module.send(f'AT+CIPSTART={link},"TCP","127.0.0.1",{peer.port}')
        peer.accept()
        module.expect(f"{link},CONNECT⏎⏎OK⏎")
        peers.append(peer)
    sent = [noise(SIZE + link, link) for link in range(links)]
    for peer, data in zip(peers, sent, strict=True):
        movers.append(Mover(peer, data, close=True))
    while len(host.closed) < links:
        host.step()
    for link in range(links):
        assert digest(host.data[link]) == digest(sent[link])
        movers[link].join(LIMIT)
        peers[link].listener.close()
    module.settled()


@pytest.mark.parametrize("driver", [Zephyr, Rust])
def test_an_answer_in_pieces(module, driver):
    """The peer sends on when the host has read: no piece is left without a notice."""
    host = driver(module)
    peer = Peer()
    module.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("0,CONNECT⏎⏎OK⏎")
    whole = b""
    for size in (1, 203, 256, 257, 2048, 2049, 1):
        piece = noise(size, size)
        whole += piece
        peer.send(piece)
        while len(host.data[0]) < len(whole):
            host.step()
        assert host.data[0] == whole
    module.settled()
    peer.close()
