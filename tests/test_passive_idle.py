"""Passive receive mode with several links: each has a share of what the module keeps, an end is seen although nobody
reads, and what waits for the host costs no time. On both boards, of which the ESP8266 keeps less."""

import resource
import socket
import time

import pytest
from clients import Client, enter, serving
from idle import assert_idle, chip
from module import LIMIT
from passive import flood, lengths
from peers import FreePort, Peer, UDPPeer
from traffic import digest, noise


@pytest.fixture
def module(joined):
    return joined


@pytest.fixture
def door(module):
    """The port of the module's server, whose clients are passive."""
    port = serving(module)
    module.command("AT+CIPRECVMODE=1")
    return port


def read(module, number, most=5760):
    """What AT+CIPRECVDATA gives of a link; what is left, and its notices, stay to be taken."""
    module.send(f"AT+CIPRECVDATA={number},{most}")
    data = module.take(int(module.match(r"\+CIPRECVDATA:(\d+),")[1]))
    module.expect("⏎OK⏎")
    return data


def fill(module, client, number):
    """Has a client fill what the module keeps for it; returns what it has sent so far."""
    data = noise(8 << 20, number)
    left = flood(client, data)
    assert left, "the peer was never held back"
    module.match(rf"\r\n\+IPD,{number},\d+\r\n")
    return data


def test_an_unread_link_leaves_the_others_their_share(module, door):
    """Five bytes of another link come although the first one is full and nobody reads it; so does its end."""
    first, second = enter(module, door, 0), enter(module, door, 1)
    data = fill(module, first, 0)
    waiting = lengths(module)[0]
    second.send(b"hello")
    module.expect("⏎+IPD,1,5⏎")
    assert read(module, 1) == b"hello"
    second.send(b"bye")
    module.expect("⏎+IPD,1,3⏎")
    second.close()
    assert read(module, 1) == b"bye"
    module.expect("1,CLOSED⏎")
    third = enter(module, door, 1)
    third.close()
    module.expect("1,CLOSED⏎")
    assert lengths(module)[0] >= waiting
    assert_idle(module)
    got = read(module, 0)
    assert got == data[: len(got)]
    first.reset()


def test_two_streams_share_the_window(module, door):
    """Whichever is read, the other one gets on, too: each notice is read once, and both streams are whole."""
    clients = [enter(module, door, number) for number in range(2)]
    sent = [fill(module, client, number) for number, client in enumerate(clients)]
    got = [bytearray(), bytearray()]
    for turn in range(40):
        number = turn % 2
        before = len(got[number])
        got[number] += read(module, number)
        assert len(got[number]) > before
        module.match(rf"\r\n\+IPD,{number},\d+\r\n")
    for number in range(2):
        assert digest(got[number]) == digest(sent[number][: len(got[number])])
        clients[number].reset()


def test_all_ends_are_told_once_all_is_read(module, door):
    """A full server in all states that a link can be left in: full, with a little, reset, closed, and a datagram's.
    Nobody reads: that costs no time. Then the host reads, and hears of each end."""
    clients = [enter(module, door, number) for number in range(4)]
    here = FreePort()
    other = UDPPeer()
    other.face(here.port)
    module.send(f'AT+CIPSTART=4,"UDP","127.0.0.1",{other.port},{here.port}')
    module.expect("4,CONNECT⏎⏎OK⏎")
    data = fill(module, clients[0], 0)
    for number in (1, 2):
        clients[number].send(b"abc")
        module.expect(f"⏎+IPD,{number},3⏎")
    for size in (100, 200, 300):
        other.send(b"u" * size)
    module.expect("⏎+IPD,4,100⏎")
    clients[1].close()
    clients[2].reset()
    clients[3].close()
    module.expect("3,CLOSED⏎")
    clients[3] = enter(module, door, 3)
    refused = Client(door)
    module.expect("Have 5 Connections⏎")
    refused.ended()
    assert_idle(module)
    clients[3].send(b"xyz")
    module.expect("⏎+IPD,3,3⏎")
    clients[3].reset()
    clients[0].sock.shutdown(socket.SHUT_WR)
    assert_idle(module)
    for number, text in ((1, b"abc"), (2, b"abc"), (3, b"xyz")):
        assert read(module, number) == text
        module.expect(f"{number},CLOSED⏎")
    got = read(module, 0)
    module.match(r"\r\n\+IPD,0,\d+\r\n")
    assert_idle(module)
    clients[0].reset()
    assert digest(got) == digest(data[: len(got)])


def test_a_reset_while_nobody_reads(module, door):
    """poll() tells of it although nobody asks for anything on that link."""
    client = enter(module, door, 0)
    data = fill(module, client, 0)
    client.reset()
    assert_idle(module)
    got = b""
    while True:
        got += read(module, 0)
        if not module.match(r"(\r\n\+IPD,0,\d+\r\n)|0,CLOSED\r\n")[1]:
            break
    assert got == data[: len(got)]
    assert lengths(module)[0] == -1


def test_a_client_that_cannot_be_accepted(module, door):
    """While no socket is free it waits, and the module does not spin; when one is free, it is accepted."""
    pid = int(chip(module).name)
    taken = {int(path.name) for path in (chip(module) / "fd").iterdir()}
    free = min(set(range(len(taken) + 1)) - taken)
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, most))
    client = Client(door)
    assert_idle(module)
    assert not module.said()
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    module.expect("0,CONNECT⏎")
    client.send(b"here")
    module.expect("⏎+IPD,0,4⏎")
    client.close()


@pytest.mark.parametrize("mode", [0, 1])
def test_no_datagram_is_lost_uncounted(module, mode):
    """With streams that are full a datagram finds a place, or is counted as lost. None of those that are small is,
    however full the other links are."""
    module.command("AT+CIPMUX=1")
    module.command(f"AT+CIPRECVMODE={mode}")
    peers = [Peer() for _ in range(2 if mode else 4)]
    for number, peer in enumerate(peers):
        module.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
        peer.accept()
        module.expect(f"{number},CONNECT⏎⏎OK⏎")
        if mode:
            assert flood(peer, noise(8 << 20, number))
            module.match(rf"\r\n\+IPD,{number},\d+\r\n")
    here, sender = FreePort(), UDPPeer()
    sender.face(here.port)
    module.send(f'AT+CIPSTART=4,"UDP","127.0.0.1",{sender.port},{here.port}')
    module.expect("4,CONNECT⏎⏎OK⏎")
    lost = 0
    for size in (64, 256, 300, 600, 900, 1200, 1472, 64):
        for count in range(3):
            data = bytes([size & 255, count]) * (size // 2)
            sender.send(data)
            before = lost
            deadline = time.monotonic() + LIMIT
            while True:
                assert time.monotonic() < deadline, f"one of {size} bytes neither came nor was counted"
                # Whichever comes first: the datagram, or that it is counted.
                module.send("AT+MPYDROPPED?")
                found = module.match(rf"(\r\n\+IPD,4,{size}(:|\r\n))|\+MPYDROPPED:0,(\d+),0\r\n\r\nOK\r\n")
                if found[1]:
                    if not mode:
                        assert module.take(size) == data
                    module.match(r"\+MPYDROPPED:0,\d+,0\r\n\r\nOK\r\n")
                    if mode:
                        assert read(module, 4) == data
                    break
                lost = int(found[3])
                assert lost <= before + 1
                if lost > before:
                    assert size > 300
                    break
    for peer in peers:
        peer.reset()
