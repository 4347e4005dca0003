"""Datagrams in passive receive mode: each is kept whole, or dropped and counted. On both boards, of which the ESP8266
keeps less."""

import os

import pytest
from passive import WINDOWS, kept, lengths, take, wait
from peers import FreePort, UDPPeer


@pytest.fixture
def module(joined):
    return joined


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


def dropped(module):
    """Reports and datagrams."""
    module.send("AT+MPYDROPPED?")
    found = module.match(r"\+MPYDROPPED:(\d+),(\d+),0\r\n\r\nOK\r\n")
    return int(found[1]), int(found[2])


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
    module.expect("+CIPRECVDATA:5,first⏎OK⏎⏎+IPD,10⏎")
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
    module.expect("⏎+IPD,2⏎")
    assert take(module, 4) == b"stse"
    module.expect("⏎+IPD,4⏎")
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
    module.expect(f'+CIPRECVDATA:3,"127.0.0.1",{sender.port},fir⏎OK⏎⏎+IPD,2⏎')
    module.send("AT+CIPRECVDATA=100")
    module.expect(f'+CIPRECVDATA:2,"127.0.0.1",{sender.port},st⏎OK⏎⏎+IPD,6⏎')
    module.send("AT+CIPRECVDATA=100")
    module.expect(f'+CIPRECVDATA:6,"127.0.0.1",{other.port},second⏎OK⏎')
    other.close()


def test_length_of_the_next_datagram(play):
    """With the length mode of CIPRECVTYPE CIPRECVLEN, too, tells the next datagram; a stream has none."""
    play(
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
        < +CIPRECVDATA:5,first⏎OK⏎⏎+IPD,4,10⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:6,-1,-1,-1,10⏎⏎OK⏎
        > AT+CIPRECVTYPE=4,1
        < ⏎OK⏎
        > AT+CIPRECVDATA=4,10
        < +CIPRECVDATA:10,the second⏎OK⏎
        a sends third
        < ⏎+IPD,4,5⏎
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
