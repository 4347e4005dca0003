"""Passthrough: entering and leaving, what goes through, a peer that breaks off, a link that is saved.
Both directions carry all bytes; `+++` leaves only between two silences."""

import random
import time

import pytest
from peers import Peer

EVERY_BYTE = bytes(range(256))
# More than the silence that must stand around `+++`; a host has no event to wait for here.
PAUSE = 0.06


@pytest.fixture
def peer(online):
    """The peer of a module in passthrough."""
    peer = Peer()
    online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    online.expect("CONNECT⏎⏎OK⏎")
    online.command("AT+CIPMODE=1")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    yield peer
    peer.close()


def leave(module):
    """`+++` as a host sends it; afterwards the module answers at once."""
    time.sleep(PAUSE)
    module.write(b"+++")
    time.sleep(PAUSE)


def test_every_byte_both_ways(online, peer):
    online.write(EVERY_BYTE)
    assert peer.get(256) == EVERY_BYTE
    peer.sock.sendall(EVERY_BYTE)
    assert online.take(256) == EVERY_BYTE


def test_leaving_and_coming_back(online, peer):
    leave(online)
    online.command("AT")
    online.send("AT+CIPMODE?")
    online.expect("+CIPMODE:1⏎⏎OK⏎")
    peer.sock.sendall(b"as it is")
    online.expect("as it is")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    online.write(b"again")
    assert peer.get(5) == b"again"
    leave(online)
    online.command("AT+CIPMODE=0")
    peer.sock.sendall(b"ipd")
    online.expect("⏎+IPD,3:ipd")
    online.settled()


@pytest.mark.parametrize("data", [b"+", b"++", b"++++", b"a+++", b"+++a", b"a+++b"])
def test_pluses_that_are_data(online, peer, data):
    online.write(b"before")
    assert peer.get(6) == b"before"
    time.sleep(PAUSE)
    online.write(data)
    assert peer.get(len(data)) == data


def test_quitting_is_told_if_wanted(online, peer):
    leave(online)
    online.command("AT+SYSMSG=1")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    leave(online)
    online.expect("⏎+QUITT⏎")
    online.settled()


def test_refusals(play_online):
    play_online("""
        > AT+CIPSEND
        < ⏎ERROR⏎
        > AT+CIPMODE=1
        < ⏎OK⏎
        > AT+CIPSEND
        < ⏎ERROR⏎
        > AT+CIPMUX=1
        < ⏎ERROR⏎
        > AT+CIPMODE=0
        < ⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPMODE=1
        < ⏎ERROR⏎
        > AT+CIPMUX=0
        < ⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",9,0,2
        < CONNECT⏎⏎OK⏎
        > AT+CIPMODE=1
        < ⏎OK⏎
        > AT+CIPSEND
        < ⏎ERROR⏎
        > AT+TRANSINTVL=1001
        < ⏎ERROR⏎
        > AT+TRANSINTVL=5
        < ⏎OK⏎
        > AT+TRANSINTVL?
        < +TRANSINTVL:5⏎⏎OK⏎
        > AT+CIPRECONNINTV=0
        < ⏎ERROR⏎
        > AT+CIPRECONNINTV?
        < +CIPRECONNINTV:1⏎⏎OK⏎
    """)


def test_the_peer_breaks_off(online, peer):
    """The link is made anew, and what the host sends meanwhile arrives."""
    for _ in range(3):
        peer.reset()
        peer.accept()
        online.write(b"still here")
        assert peer.get(10) == b"still here"
        peer.sock.sendall(b"so am I")
        online.expect("so am I")


def test_leaving_while_there_is_no_peer(online, peer):
    peer.listener.close()
    peer.sock.close()
    online.write(b"into the void")
    leave(online)
    online.command("AT")


def test_a_megabyte_each_way_with_resets(online, peer):
    """Random bytes in random pieces; nothing is lost between two connections that last."""
    dice = random.Random(4)
    data = dice.randbytes(1 << 20)
    sent = received = 0
    got_host, got_peer = bytearray(), bytearray()
    while sent < len(data):
        size = dice.randint(1, 5000)
        online.write(data[sent : sent + size])
        peer.sock.sendall(data[received : received + size])
        sent += size
        received += size
        got_peer += peer.get(min(size, len(data) - len(got_peer)))
        got_host += online.take(min(size, len(data) - len(got_host)))
    assert got_peer == data
    assert got_host == data


@pytest.fixture
def saved(start):
    """A function that starts a module with a link saved to a peer, restarted so that it holds."""

    def saved(peer):
        module = start()
        module.send('AT+CWJAP="mpy-at","12345678"')
        module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
        module.command(f'AT+SAVETRANSLINK=1,"127.0.0.1",{peer.port},"TCP"')
        module.send("AT+RST")
        module.expect("⏎OK⏎⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎")
        return module

    return saved


def test_a_saved_link(saved):
    peer = Peer()
    module = saved(peer)
    peer.accept()
    module.expect("⏎>")
    module.write(b"without a word")
    assert peer.get(14) == b"without a word"
    leave(module)
    module.send("AT+SAVETRANSLINK=0")
    module.expect("AT+SAVETRANSLINK=0⏎⏎OK⏎")
    module.send("AT+RST")
    module.expect("AT+RST⏎⏎OK⏎⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎")
    module.send("AT")
    module.expect("AT⏎⏎OK⏎")
    peer.close()


def test_a_saved_link_to_nobody(saved):
    peer = Peer()
    peer.listener.close()
    module = saved(peer)
    leave(module)
    module.send("AT")
    module.expect("AT⏎⏎OK⏎")
