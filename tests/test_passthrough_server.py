"""Passthrough as a server, to one client after another, and passthrough of links that are passive otherwise. Each case
runs on both boards."""

import time

import pytest
from clients import Client, Door
from module import encode
from peers import Peer, UDPPeer
from transcript import play

EVERY_BYTE = bytes(range(256))
PASSIVE = [
    ("AT+CIPRECVMODE=1", "AT+CIPMODE=1"),
    ("AT+CIPMODE=1", "AT+CIPRECVMODE=1"),
]


@pytest.fixture
def module(joined):
    return joined


@pytest.fixture
def port(module):
    """The port of a module that serves one client, with CIPMODE=1."""
    port = Door().port
    for line in ("CIPMUX=1", "CIPSERVERMAXCONN=1", f"CIPSERVER=1,{port}", "CIPMODE=1"):
        module.command("AT+" + line)
    return port


def enter(module):
    module.send("AT+CIPSEND")
    module.expect("⏎OK⏎⏎>")


def both_ways(module, client):
    module.write(EVERY_BYTE)
    assert client.get(256) == EVERY_BYTE
    client.send(EVERY_BYTE)
    assert module.take(256) == EVERY_BYTE


def test_the_client_is_there(module, port):
    client = Client(port)
    module.expect("0,CONNECT⏎")
    client.send(b"as they come")
    module.expect("as they come")
    enter(module)
    both_ways(module, client)
    module.leave()
    module.command("AT+CIPMODE=0")
    client.send(b"ipd")
    module.expect("⏎+IPD,0,3:ipd")
    module.settled()


def test_the_client_comes_later(module, port):
    enter(module)
    module.write(b"early")
    client = Client(port)
    assert client.get(5) == b"early"
    both_ways(module, client)
    # One at a time; of the others the host hears nothing.
    Client(port).ended()
    client.close()
    module.write(b"for the next")
    client = Client(port)
    assert client.get(12) == b"for the next"
    both_ways(module, client)
    module.leave()
    module.send("AT+CIPSTATE?")
    module.expect(f'+CIPSTATE:0,"TCP","127.0.0.1",{client.port},{port},1⏎⏎OK⏎')
    module.send("AT+CIPMODE?")
    module.expect("+CIPMODE:1⏎⏎OK⏎")
    client.close()
    module.expect("0,CLOSED⏎")
    enter(module)
    client = Client(port)
    both_ways(module, client)
    module.leave()
    module.send("AT+CIPSERVER=0,1")
    module.expect("0,CLOSED⏎⏎OK⏎")
    module.send("AT+CIPSEND")
    module.expect("⏎ERROR⏎")
    client.ended()
    module.settled()


def test_with_news_of_the_clients(module, port):
    module.command("AT+SYSMSG=5")
    enter(module)
    client = Client(port)
    module.expect("0,CONNECT⏎")
    client.close()
    module.expect("0,CLOSED⏎")
    module.leave()
    module.expect("⏎+QUITT⏎")
    module.settled()


def test_silence_counts_from_what_either_side_sends(module, port):
    module.command("AT+CIPSTO=2")
    client = Client(port)
    module.expect("0,CONNECT⏎")
    enter(module)
    began = last = time.monotonic()
    while last < began + 3:
        time.sleep(0.2)
        last = time.monotonic()
        module.write(b"up")
        assert client.get(2) == b"up"
    client.ended()
    assert time.monotonic() > last + 1.9
    module.leave()
    module.settled()


def test_what_it_needs(module):
    play(
        module,
        """
        door d
        door e
        peer web
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPMODE=1
        < ⏎ERROR⏎
        > AT+CIPSERVERMAXCONN=2
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        > AT+CIPMODE=1
        < ⏎ERROR⏎
        client ann {d}
        < 0,CONNECT⏎
        client bob {d}
        < 1,CONNECT⏎
        > AT+CIPSERVER=0
        < ⏎OK⏎
        > AT+CIPSERVERMAXCONN=1
        < ⏎OK⏎
        # There are still two.
        > AT+CIPMODE=1
        < ⏎ERROR⏎
        bob closes
        < 1,CLOSED⏎
        link web 3
        > AT+CIPMODE=1
        < ⏎ERROR⏎
        > AT+CIPCLOSE=3
        < 3,CLOSED⏎⏎OK⏎
        > AT+CIPMODE=1
        < ⏎OK⏎
        # While it is so, the client stays alone.
        > AT+CIPSTART=3,"TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        > AT+CIPSERVERMAXCONN=2
        < ⏎ERROR⏎
        > AT+CIPMUX=0
        < ⏎ERROR⏎
        > AT+CIPSERVER=1,{e}
        < ⏎OK⏎
        ann closes
        < 0,CLOSED⏎
        client cid {e}
        < 0,CONNECT⏎
        > AT+CIPSEND
        < ⏎OK⏎⏎>
        >> hello
        cid gets hello
        """,
        settled=False,
    )


@pytest.mark.parametrize("lines", PASSIVE)
def test_a_passive_stream(module, lines):
    """What the host has not read comes first in passthrough; after it the link is passive again."""
    peer = Peer()
    for line in lines:
        module.command(line)
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    peer.send(b"0123456789")
    module.expect("⏎+IPD,10⏎")
    module.send("AT+CIPRECVDATA=4")
    module.expect("+CIPRECVDATA:4,0123⏎OK⏎")
    if module.said():  # the rest is announced anew
        module.expect("⏎+IPD,6⏎")
    enter(module)
    module.expect("456789")
    both_ways(module, peer)
    # Another connection in passthrough is no different.
    peer.sock.close()
    peer.accept()
    both_ways(module, peer)
    module.leave()
    peer.send(b"later")
    module.expect("⏎+IPD,5⏎")
    module.send("AT+CIPRECVDATA=9")
    module.expect("+CIPRECVDATA:5,later⏎OK⏎")
    enter(module)
    both_ways(module, peer)
    module.leave()
    module.command("AT+CIPMODE=0")
    module.command("AT+CIPRECVMODE=0")
    peer.send(b"ipd")
    module.expect("⏎+IPD,3:ipd")
    peer.close()
    module.expect("CLOSED⏎")
    module.settled()


def test_a_passive_stream_that_has_ended(module):
    peer = Peer()
    module.command("AT+CIPRECVMODE=1")
    module.command("AT+CIPMODE=1")
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    peer.send(b"last words")
    peer.sock.close()
    module.expect("⏎+IPD,10⏎")
    enter(module)
    module.expect("last words")
    peer.accept()
    both_ways(module, peer)
    peer.close()


def test_passive_datagrams(module):
    peer = UDPPeer()
    module.command("AT+CIPRECVMODE=1")
    module.command("AT+CIPMODE=1")
    module.send(f'AT+CIPSTART="UDP","127.0.0.1",{peer.port}')
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPSEND=2")
    module.expect("⏎OK⏎⏎>")
    module.write(b"hi")
    module.expect("⏎Recv 2 bytes⏎⏎SEND OK⏎")
    assert peer.get() == b"hi"
    peer.send(b"one")
    module.expect("⏎+IPD,3⏎")
    peer.send(b"two")
    enter(module)
    module.expect("onetwo")
    module.write(b"passed on")
    assert peer.get() == b"passed on"
    peer.send(b"back")
    module.expect("back")
    module.leave()
    peer.send(b"later")
    module.expect("⏎+IPD,5⏎")
    module.send("AT+CIPRECVDATA=9")
    module.expect("+CIPRECVDATA:5,later⏎OK⏎")
    module.settled()


def test_a_passive_client(module):
    module.command("AT+CIPRECVMODE=1")
    port = Door().port
    for line in ("CIPMUX=1", "CIPSERVERMAXCONN=1", f"CIPSERVER=1,{port}", "CIPMODE=1"):
        module.command("AT+" + line)
    client = Client(port)
    module.expect("0,CONNECT⏎")
    client.send(b"waits")
    module.expect("⏎+IPD,0,5⏎")
    enter(module)
    module.expect(encode("waits"))
    both_ways(module, client)
    module.leave()
    client.send(b"again")
    module.expect("⏎+IPD,0,5⏎")
    module.send("AT+CIPRECVDATA=0,5")
    module.expect("+CIPRECVDATA:5,again⏎OK⏎")
    client.close()
    module.expect("0,CLOSED⏎")
    module.settled()
