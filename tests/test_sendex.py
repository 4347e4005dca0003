"""AT+CIPSENDEX: backslashes in the data, and what ends them. In these texts \\x5c is a backslash."""

import time

import pytest
from module import PAUSE
from peers import Peer, UDPPeer
from test_send import connect


@pytest.fixture
def peer(online):
    """The server at the other end of the one link that is open."""
    peer = Peer()
    connect(online, peer)
    yield peer
    peer.close()


def prompt(module, count):
    module.send(f"AT+CIPSENDEX={count}")
    module.expect("⏎OK⏎⏎>")


# What the host writes, what reaches the peer, and how many bytes were asked for.
TEXTS = [
    (rb"hello\0", b"hello", 100),
    (rb"hello", b"hello", 5),
    (rb"a\\0b\0", rb"a\0b", 100),
    (rb"a\\\0", b"a\\", 100),
    (rb"\\\\\0", rb"\\", 100),
    (rb"\a\b\"\,\0", b'ab",', 100),
    (rb"\r\n\0", b"rn", 100),
    (b"\\\r\\\n\\\0\\0", b"\r\n\0", 100),
    # The length counts what is sent.
    (rb"\a\b\c", b"abc", 3),
    (rb"ab\\", b"ab\\", 3),
    (rb"\\0", rb"\0", 2),
    (bytes(range(0x5C)) + bytes(range(0x5D, 256)) + rb"\0", bytes(range(0x5C)) + bytes(range(0x5D, 256)), 256),
    (rb"+++\0", b"+++", 100),
    (rb"\+++x\0", b"+++x", 100),
]


@pytest.mark.parametrize("written, sent, count", TEXTS)
def test_escapes(online, peer, written, sent, count):
    for pieces in ([written], [written[i : i + 1] for i in range(len(written))]):
        prompt(online, count)
        for piece in pieces:
            online.write(piece)
        online.expect(f"⏎Recv {len(sent)} bytes⏎⏎SEND OK⏎")
        assert peer.get(len(sent)) == sent
    online.settled()


def test_split_at_the_backslash(online, peer):
    """However late the second half comes."""
    prompt(online, 100)
    for piece in (b"a\\", b"\\b\\", b"xc\\", b"0"):
        time.sleep(PAUSE)
        online.write(piece)
    online.expect("⏎Recv 5 bytes⏎⏎SEND OK⏎")
    assert peer.get(5) == b"a\\bxc"


def test_nothing_at_all(online, peer):
    """Nothing to send over TCP; over UDP that is a datagram without data."""
    prompt(online, 100)
    online.write(b"\\0")
    online.expect("⏎Recv 0 bytes⏎⏎SEND OK⏎")
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    peer.ended()
    other = UDPPeer()
    online.send(f'AT+CIPSTART="UDP","127.0.0.1",{other.port}')
    online.expect("CONNECT⏎⏎OK⏎")
    prompt(online, 100)
    online.write(b"\\0")
    online.expect("⏎Recv 0 bytes⏎⏎SEND OK⏎")
    assert other.get() == b""
    other.close()


def test_all_that_it_can_take(online, peer):
    data = bytes(range(256)) * 32
    prompt(online, 8192)
    online.write(data.replace(b"\\", b"\\\\"))
    online.expect("⏎Recv 8192 bytes⏎⏎SEND OK⏎")
    assert peer.get(8192) == data
    for wrong in (0, 8193, "", '"5"', "1,2,3,4"):
        online.send(f"AT+CIPSENDEX={wrong}")
        online.expect("⏎ERROR⏎")


def test_line_end_and_more_behind_the_end(online, peer):
    """Each LF is answered `busy p...`, the rest dropped; then lines are lines again."""
    prompt(online, 100)
    online.write(b"data\\0\r\n")
    online.expect("⏎Recv 4 bytes⏎⏎busy p...⏎⏎SEND OK⏎")
    online.settled()
    prompt(online, 100)
    online.write(b"data\\0more\r\n")
    online.expect("⏎Recv 4 bytes⏎⏎busy p...⏎⏎SEND OK⏎")
    online.settled()
    assert peer.get(8) == b"datadata"


def test_cancel(online, peer):
    prompt(online, 100)
    online.write(b"some \\")
    time.sleep(PAUSE)
    online.write(b"+++")
    online.expect("⏎SEND Canceled⏎")
    online.settled()
    # The backslash of the data that were canceled belongs to nothing.
    prompt(online, 100)
    online.write(b"0\\0")
    online.expect("⏎Recv 1 bytes⏎⏎SEND OK⏎")
    assert peer.get(1) == b"0"


def test_with_several_links(play_online):
    play_online(
        """
        peer a
        > AT+CIPMUX=1
        < ⏎OK⏎
        link a 2
        > AT+CIPSENDEX=1,9
        < ⏎ERROR⏎
        > AT+CIPSENDEX=9
        < ⏎ERROR⏎
        > AT+CIPSENDEX=2,9
        < ⏎OK⏎⏎>
        a sends between
        >> some
        >> \\x5c0
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        < ⏎+IPD,2,7:between
        a gets some
        """
    )
