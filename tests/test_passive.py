"""Passive receive mode: data wait in the module until the host reads them. Each case runs on both boards, of which the
ESP8266 keeps less."""

import os
import select
import time

import pytest
from module import LIMIT
from peers import FreePort, Peer, UDPPeer
from traffic import Host, digest, noise
from transcript import play

EVERY_BYTE = bytes(range(256))
# Bytes that a link keeps.
WINDOWS = {"esp32": 5760, "esp8266": 2920}


@pytest.fixture(params=WINDOWS)
def board(request):
    return request.param


@pytest.fixture
def module(start, board):
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module


@pytest.fixture
def read(module):
    """Plays a transcript on a module that has joined."""
    return lambda text: play(module, text)


@pytest.fixture
def peer(module):
    """The server at the other end of the one link, which is passive."""
    module.command("AT+CIPRECVMODE=1")
    peer = Peer()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    yield peer
    peer.close()


@pytest.fixture
def sender(module):
    """Who sends datagrams to the one link, which is passive."""
    module.command("AT+CIPRECVMODE=1")
    sender, here = UDPPeer(), FreePort()
    sender.face(here.port)
    module.send(f'AT+CIPSTART="UDP","127.0.0.1",{sender.port},{here.port}')
    module.expect("CONNECT⏎⏎OK⏎")
    yield sender
    sender.close()


def lengths(module):
    module.send("AT+CIPRECVLEN?")
    found = module.match(r"\+CIPRECVLEN:([-\d,]+)\r\n\r\nOK\r\n")[1]
    return [int(number) for number in found.split(b",")]


def wait(ask, wanted):
    """Asks until the answer is the one that is wanted."""
    deadline = time.monotonic() + LIMIT
    answer = None
    while answer != wanted:
        assert time.monotonic() < deadline, f"{answer} instead of {wanted}"
        answer = ask()


def kept(module, count, number=0):
    """Waits until so many bytes are in the module."""
    wait(lambda: lengths(module)[number], count)


def dropped(module):
    """Reports and datagrams."""
    module.send("AT+MPYDROPPED?")
    found = module.match(r"\+MPYDROPPED:(\d+),(\d+),0\r\n\r\nOK\r\n")
    return int(found[1]), int(found[2])


def take(module, most):
    """What AT+CIPRECVDATA gives; a notice may come before it."""
    module.send(f"AT+CIPRECVDATA={most}")
    data = module.take(int(module.match(r"(\r\n\+IPD,\d+\r\n)?\+CIPRECVDATA:(\d+),")[2]))
    module.expect("⏎OK⏎")
    return data


def test_the_mode(read):
    read(
        """
        > AT+CIPRECVMODE?
        < +CIPRECVMODE:0⏎⏎OK⏎
        > AT+CIPRECVMODE=2
        < ⏎ERROR⏎
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        > AT+CIPRECVMODE?
        < +CIPRECVMODE:1⏎⏎OK⏎
        > AT+CIPRECVTYPE?
        < +CIPRECVTYPE:0,1⏎⏎OK⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVTYPE?
        < +CIPRECVTYPE:0,1⏎+CIPRECVTYPE:1,1⏎+CIPRECVTYPE:2,1⏎+CIPRECVTYPE:3,1⏎+CIPRECVTYPE:4,1⏎⏎OK⏎
        > AT+CIPRECVTYPE=2,0
        < ⏎OK⏎
        > AT+CIPRECVTYPE?
        < +CIPRECVTYPE:0,1⏎+CIPRECVTYPE:1,1⏎+CIPRECVTYPE:2,0⏎+CIPRECVTYPE:3,1⏎+CIPRECVTYPE:4,1⏎⏎OK⏎
        > AT+CIPRECVTYPE=5,0
        < ⏎OK⏎
        > AT+CIPRECVTYPE?
        < +CIPRECVTYPE:0,0⏎+CIPRECVTYPE:1,0⏎+CIPRECVTYPE:2,0⏎+CIPRECVTYPE:3,0⏎+CIPRECVTYPE:4,0⏎⏎OK⏎
        > AT+CIPRECVTYPE=6,0
        < ⏎ERROR⏎
        > AT+CIPRECVTYPE=0,2
        < ⏎ERROR⏎
        > AT+CIPRECVTYPE=0,1,2
        < ⏎ERROR⏎
        > AT+CIPRECVTYPE=0
        < ⏎ERROR⏎
        """
    )


def test_one_notice_until_all_is_read(read):
    read(
        """
        peer web
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        link web
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:0,-1,-1,-1,-1⏎⏎OK⏎
        > AT+CIPRECVDATA=10
        < ⏎ERROR⏎
        web sends good day
        < ⏎+IPD,8⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:8,-1,-1,-1,-1⏎⏎OK⏎
        > AT+CIPRECVDATA=4
        < +CIPRECVDATA:4,good⏎OK⏎
        web sends  to you
        > AT+CIPRECVDATA=4
        < +CIPRECVDATA:4, day⏎OK⏎
        ~ (⏎\\+IPD,7⏎)?
        > AT+CIPRECVDATA=2147483647
        < +CIPRECVDATA:7, to you⏎OK⏎
        > AT+CIPRECVDATA=1
        < ⏎ERROR⏎
        web sends more
        < ⏎+IPD,4⏎
        > AT+CIPRECVDATA=0
        < ⏎ERROR⏎
        > AT+CIPRECVDATA=2147483648
        < ⏎ERROR⏎
        > AT+CIPRECVDATA
        < ⏎ERROR⏎
        > AT+CIPRECVDATA=0,4
        < +CIPRECVDATA:4,more⏎OK⏎
        > AT+CIPSEND=2
        < ⏎OK⏎⏎>
        >> ok
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        web gets ok
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:-1,-1,-1,-1,-1⏎⏎OK⏎
        > AT+CIPRECVDATA=1
        < ⏎ERROR⏎
        """.replace(" AT+CIPRECVDATA=0,4", " AT+CIPRECVDATA=4")
    )


def test_more_behind_a_notice(module, peer):
    """What comes while something is unread is not noticed, and is there when the host reads on."""
    peer.send(b"a" * 100)
    module.expect("⏎+IPD,100⏎")
    peer.send(b"b" * 50)
    kept(module, 150)
    assert take(module, 100) == b"a" * 100
    assert lengths(module)[0] == 50
    assert take(module, 100) == b"b" * 50
    peer.send(b"c")
    module.expect("⏎+IPD,1⏎")
    module.settled()


def test_a_link_of_its_own_mode(read):
    read(
        """
        peer a
        peer b
        door d
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVTYPE=1,1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        link a 0
        client c {d}
        < 1,CONNECT⏎
        a sends active
        < ⏎+IPD,0,6:active
        c sends passive
        < ⏎+IPD,1,7⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:0,7,-1,-1,-1⏎⏎OK⏎
        # Nothing can be read from a link in active mode, and an id is needed.
        > AT+CIPRECVDATA=0,10
        < ⏎ERROR⏎
        > AT+CIPRECVDATA=7
        < ⏎ERROR⏎
        > AT+CIPRECVDATA=5,7
        < ⏎ERROR⏎
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPRECVDATA=1,3
        < +CIPRECVDATA:3,"127.0.0.1",{c},pas⏎OK⏎
        > AT+CIPDINFO=0
        < ⏎OK⏎
        > AT+CIPRECVDATA=1,10
        < +CIPRECVDATA:4,sive⏎OK⏎
        # The mode stays with the id.
        c closes
        < 1,CLOSED⏎
        link b 1
        b sends also passive
        < ⏎+IPD,1,12⏎
        > AT+CIPCLOSE=1
        < 1,CLOSED⏎⏎OK⏎
        """
    )


def test_closed_comes_behind_the_data(read):
    read(
        """
        peer web
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        link web 2
        web sends last words
        web closes
        < ⏎+IPD,2,10⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:-1,-1,10,-1,-1⏎⏎OK⏎
        > AT+CIPRECVDATA=2,5
        < +CIPRECVDATA:5,last ⏎OK⏎
        > AT+CIPRECVDATA=2,5
        < +CIPRECVDATA:5,words⏎OK⏎2,CLOSED⏎
        > AT+CIPRECVDATA=2,5
        < ⏎ERROR⏎
        # With nothing unread it comes at once, with CIPCLOSE also before all was read.
        link web 2
        web closes
        < 2,CLOSED⏎
        link web 2
        web sends unread
        < ⏎+IPD,2,6⏎
        web resets
        > AT+CIPSTART=2,"TCP","127.0.0.1",{web}
        < ALREADY CONNECTED⏎⏎ERROR⏎
        > AT+CIPCLOSE=2
        < 2,CLOSED⏎⏎OK⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:-1,-1,-1,-1,-1⏎⏎OK⏎
        """
    )


def test_server_deleted_with_data_unread(read):
    read(
        """
        door d
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client c {d}
        < 0,CONNECT⏎
        c sends unread
        c closes
        < ⏎+IPD,0,6⏎
        > AT+CIPSERVER=0,1
        < 0,CLOSED⏎⏎OK⏎
        """
    )


def test_the_network_goes_the_data_stay(read):
    read(
        """
        peer web
        peer b
        udp a
        free here
        a faces {here}
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        link web 0
        > AT+CIPSTART=1,"UDP","127.0.0.1",{a},{here}
        < 1,CONNECT⏎⏎OK⏎
        link b 2
        b sends unread
        < ⏎+IPD,2,6⏎
        a sends datagram
        < ⏎+IPD,1,8⏎
        # Those with nothing to read end as ever.
        ! ap down mpy-at
        < 0,CLOSED⏎WIFI DISCONNECT⏎
        web ended
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:-1,8,6,-1,-1⏎⏎OK⏎
        > AT+CIPSEND=2,1
        < ⏎OK⏎⏎>
        >> x
        < ⏎Recv 1 bytes⏎⏎SEND FAIL⏎
        > AT+CIPTCPOPT=2,,1
        < ⏎OK⏎
        ! ap up mpy-at
        < WIFI CONNECTED⏎WIFI GOT IP⏎
        > AT+CIPRECVDATA=2,6
        < +CIPRECVDATA:6,unread⏎OK⏎2,CLOSED⏎
        > AT+CIPRECVDATA=1,100
        < +CIPRECVDATA:8,datagram⏎OK⏎1,CLOSED⏎
        """
    )


def test_a_silent_client_with_data_unread(read):
    read(
        """
        door d
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        > AT+CIPSTO=1
        < ⏎OK⏎
        client c {d}
        < 0,CONNECT⏎
        c sends unread
        < ⏎+IPD,0,6⏎
        c ended
        > AT+CIPRECVDATA=0,100
        < +CIPRECVDATA:6,unread⏎OK⏎0,CLOSED⏎
        """
    )


def test_every_byte(module, peer):
    peer.send(EVERY_BYTE)
    module.expect("⏎+IPD,256⏎")
    assert take(module, 256) == EVERY_BYTE
    peer.send(EVERY_BYTE)
    module.expect("⏎+IPD,256⏎")
    assert b"".join(take(module, 7) for _ in range(37)) == EVERY_BYTE
    module.settled()


def flood(peer, data, patience=0.3):
    """Sends until the connection takes nothing more while the module keeps what it has; returns what is left."""
    peer.sock.setblocking(False)
    data = memoryview(data)
    while data and select.select([], [peer.sock], [], patience)[1]:
        data = data[peer.sock.send(data[:65536]) :]
    return data


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


def test_to_active_behind_the_end(read):
    read(
        """
        peer web
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        link web
        web sends last words
        web closes
        < ⏎+IPD,10⏎
        > AT+CIPRECVMODE=0
        < ⏎+IPD,10:last wordsCLOSED⏎⏎OK⏎
        """
    )


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
        module.expect("⏎OK⏎")
    data = noise(8 << 20, 4)
    assert digest(host.data[0]) == digest(data[: len(host.data[0])])
    peers[0].reset()
    host.until(r"0,CLOSED\r\n")
    assert len(rest) < len(data)
    module.settled()


# Datagrams


def test_datagrams_one_by_one(module, sender):
    """The length of a notice is that of the next datagram, CIPRECVLEN counts all; one that is whole is never cut."""
    sender.send(b"first")
    module.expect("⏎+IPD,5⏎")
    sender.send(b"the second")
    kept(module, 15)
    for most in (1, 4):
        module.send(f"AT+CIPRECVDATA={most},1")
        module.expect("⏎ERROR⏎")
    module.send("AT+CIPRECVDATA=100,1")
    module.expect("+CIPRECVDATA:5,first⏎OK⏎")
    assert lengths(module)[0] == 10
    module.send("AT+CIPRECVDATA=10,1")
    module.expect("+CIPRECVDATA:10,the second⏎OK⏎")
    module.send("AT+CIPRECVDATA=10,1")
    module.expect("⏎ERROR⏎")
    sender.send(b"third")
    module.expect("⏎+IPD,5⏎")
    module.settled()


def test_datagrams_run_together(module, sender):
    """Without the flag for whole datagrams as much is read as fits."""
    sender.send(b"first")
    module.expect("⏎+IPD,5⏎")
    sender.send(b"second")
    kept(module, 11)
    assert take(module, 3) == b"fir"
    assert take(module, 4) == b"stse"
    assert take(module, 100) == b"cond"
    module.settled()


def test_datagrams_with_their_senders(module, sender):
    """With CIPDINFO=1 one answer has data of one datagram only, as there is one sender in it."""
    other = UDPPeer()
    other.face(sender.other[1])
    module.command("AT+CIPDINFO=1")
    sender.send(b"first")
    module.expect("⏎+IPD,5⏎")
    other.send(b"second")
    kept(module, 11)
    module.send("AT+CIPRECVDATA=3")
    module.expect(f'+CIPRECVDATA:3,"127.0.0.1",{sender.port},fir⏎OK⏎')
    module.send("AT+CIPRECVDATA=100")
    module.expect(f'+CIPRECVDATA:2,"127.0.0.1",{sender.port},st⏎OK⏎')
    module.send("AT+CIPRECVDATA=100")
    module.expect(f'+CIPRECVDATA:6,"127.0.0.1",{other.port},second⏎OK⏎')
    other.close()


def test_length_of_the_next_datagram(read):
    """With the length mode of CIPRECVTYPE CIPRECVLEN, too, tells the next datagram; a stream has none."""
    read(
        """
        peer web
        udp a
        free here
        a faces {here}
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVTYPE=5,1,1
        < ⏎OK⏎
        link web 0
        > AT+CIPSTART=4,"UDP","127.0.0.1",{a},{here}
        < 4,CONNECT⏎⏎OK⏎
        a sends first
        < ⏎+IPD,4,5⏎
        a sends the second
        web sends stream
        < ⏎+IPD,0,6⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:6,-1,-1,-1,5⏎⏎OK⏎
        > AT+CIPRECVDATA=4,5
        < +CIPRECVDATA:5,first⏎OK⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:6,-1,-1,-1,10⏎⏎OK⏎
        > AT+CIPRECVTYPE=4,1
        < ⏎OK⏎
        a sends third
        > AT+CIPRECVDATA=4,10
        < +CIPRECVDATA:10,the second⏎OK⏎
        > AT+CIPRECVDATA=4,10
        < +CIPRECVDATA:5,third⏎OK⏎
        """
    )


@pytest.mark.roomy(reason="a PC's recvfrom() needs memory twice, and loses a datagram that does not fit")
def test_datagrams_beyond_the_window(module, sender, board):
    """They are dropped, each as a whole, and counted."""
    fit = WINDOWS[board] // 1000
    for number in range(fit + 3):
        sender.send(bytes([number]) * 1000)
    module.expect("⏎+IPD,1000⏎")
    wait(lambda: dropped(module), (0, 3))
    assert lengths(module)[0] == fit * 1000
    assert take(module, 10000) == b"".join(bytes([number]) * 1000 for number in range(fit))
    sender.send(b"there is room again")
    module.expect("⏎+IPD,19⏎")
    assert dropped(module) == (0, 3)
    module.settled()


def test_a_flood_of_small_datagrams(module, sender):
    """Their number is limited, too, so that they cannot fill the heap."""
    for number in range(100):
        sender.send(bytes([number]))
    module.expect("⏎+IPD,1⏎")
    wait(lambda: dropped(module), (0, 68))
    assert take(module, 1000) == bytes(range(32))
    module.settled()


@pytest.mark.roomy(reason="a PC's recvfrom() needs memory twice, and loses a datagram that does not fit")
def test_datagrams_to_active(module, sender):
    """Switched to active mode, each comes whole and with its sender; without data it is no news in passive mode."""
    other = UDPPeer()
    other.face(sender.other[1])
    sender.send(b"")
    data = os.urandom(1400)
    sender.send(data)
    module.expect("⏎+IPD,1400⏎")
    other.send(b"of another")
    kept(module, 1410)
    module.command("AT+CIPDINFO=1")
    module.send("AT+CIPRECVMODE=0")
    module.expect(f'⏎+IPD,1400,"127.0.0.1",{sender.port}:')
    assert module.take(1400) == data
    module.expect(f'⏎+IPD,10,"127.0.0.1",{other.port}:of another⏎OK⏎')
    sender.send(b"")
    module.expect(f'⏎+IPD,0,"127.0.0.1",{sender.port}:')
    sender.send(b"active")
    module.expect(f'⏎+IPD,6,"127.0.0.1",{sender.port}:active')
    other.close()
