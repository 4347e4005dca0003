"""Much data in passive receive mode: a link keeps no more than its window, and the peer waits. On both boards, of which
the ESP8266 keeps less."""

import pytest
from passive import EVERY_BYTE, WINDOWS, flood, kept, linked, take, wait
from peers import Peer
from traffic import Host, digest, noise


@pytest.fixture
def module(joined):
    return joined


@pytest.fixture
def peer(module):
    with linked(module) as peer:
        yield peer


def test_the_window(module, peer, board):
    """The module keeps no more than its window; the peer is held back, and nothing is lost."""
    data = noise(12 << 20, 1)
    rest = flood(peer, data)
    assert rest, "the peer was never held back"
    module.match(r"\r\n\+IPD,\d+\r\n")
    kept(module, WINDOWS[board])
    got = bytearray()
    while len(got) < 100 * WINDOWS[board]:
        got += take(module, 3000)
    assert digest(got) == digest(data[: len(got)])
    peer.reset()


def test_much_through_the_window(module, peer):
    """A host that reads at each notice gets everything, and then the end."""
    data = noise(300000, 2)
    rest = flood(peer, data)
    assert not rest
    peer.sock.close()
    got = bytearray()
    while len(got) < len(data):
        size = int(module.match(r"\r\n\+IPD,(\d+)\r\n")[1])
        part = take(module, 1 << 20)
        assert len(part) >= size
        got += part
    assert digest(got) == digest(data)
    module.expect("CLOSED⏎")
    module.settled()


def test_a_host_that_reads_later(module, peer, board):
    """What it has asked for waits for it, more than the terminal keeps, and the answer is whole."""
    data = noise(WINDOWS[board], 3)
    peer.sock.sendall(data)
    module.match(r"\r\n\+IPD,\d+\r\n")
    kept(module, len(data))
    module.send(f"AT+CIPRECVDATA={len(data)}")
    wait(lambda: module.waiting() >= min(4000, len(data)), True)
    module.expect(f"+CIPRECVDATA:{len(data)},")
    assert digest(module.take(len(data))) == digest(data)
    module.expect("⏎OK⏎")
    module.settled()


def test_to_passive_with_data_waiting(module):
    """What waited in active mode because of CIPSEND is kept when the mode changes."""
    peer = Peer()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    data = noise(8 << 20, 3)
    rest = flood(peer, data)
    module.send("AT+CIPRECVMODE=1")
    host = Host(module)
    host.until(r"\r\nOK\r\n")
    module.match(r"\r\n\+IPD,\d+\r\n")
    got = bytes(host.data[0])
    for _ in range(20):
        got += take(module, 5760)
    assert got == data[: len(got)]
    # And back: what waits comes as +IPD, and then the rest.
    module.send("AT+CIPRECVMODE=0")
    host.data[0][:] = got
    host.until(r"\r\n\+IPD,\d+\r\n")
    host.until(r"\r\nOK\r\n")
    while rest:
        host.next()
        rest = flood(peer, rest, 0)
    peer.sock.close()
    host.until(r"CLOSED\r\n")
    assert digest(host.data[0]) == digest(data)
    module.settled()


def test_reading_does_not_starve(module):
    """A passive link can be read while another fills the port with data."""
    module.command("AT+CIPMUX=1")
    module.command("AT+CIPRECVTYPE=1,1")
    peers = [Peer(), Peer()]
    for number, peer in enumerate(peers):
        module.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
        peer.accept()
        module.expect(f"{number},CONNECT⏎⏎OK⏎")
    rest = flood(peers[0], noise(8 << 20, 4))
    peers[1].send(EVERY_BYTE)
    host = Host(module)
    host.until(r"\r\n\+IPD,1,256\r\n")
    for i in range(64):
        module.send("AT+CIPRECVDATA=1,4")
        host.until(r"\+CIPRECVDATA:4,")
        assert module.take(4) == EVERY_BYTE[4 * i : 4 * i + 4]
        module.expect("⏎OK⏎" + (f"⏎+IPD,1,{252 - 4 * i}⏎" if i < 63 else ""))
    data = noise(8 << 20, 4)
    assert digest(host.data[0]) == digest(data[: len(host.data[0])])
    peers[0].reset()
    host.until(r"0,CLOSED\r\n")
    assert len(rest) < len(data)
    module.settled()


def test_a_full_window_and_four_more_links(module, board):
    """What one link has kept while it was alone can be read whatever opens then, and so can what the others keep."""
    module.command("AT+CIPMUX=1")
    module.command("AT+CIPRECVMODE=1")
    peers = [Peer() for _ in range(5)]
    sent = []
    for number, peer in enumerate(peers):
        module.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
        peer.accept()
        module.expect(f"{number},CONNECT⏎⏎OK⏎")
        sent.append(noise(200 if number else WINDOWS[board], number))
        peer.send(sent[-1])
        module.match(rf"(\r\n\+IPD,{number},\d+\r\n)+")
        kept(module, len(sent[-1]), number)
    for number, peer in enumerate(peers):
        got = b""
        while len(got) < len(sent[number]):
            module.send(f"AT+CIPRECVDATA={number},1000")
            got += module.take(int(module.match(r"\+CIPRECVDATA:(\d+),")[1]))
            module.match(rf"\r\nOK\r\n(\r\n\+IPD,{number},\d+\r\n)?")
        assert got == sent[number]
        peer.close()
        module.expect(f"{number},CLOSED⏎")
