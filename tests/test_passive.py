"""Passive receive mode: data wait in the module until the host reads them. Each case runs on both boards, of which the
ESP8266 keeps less."""

import pytest
from passive import EVERY_BYTE, kept, lengths, linked, take


@pytest.fixture
def module(joined):
    return joined


@pytest.fixture
def peer(module):
    with linked(module) as peer:
        yield peer


def test_the_mode(play):
    play(
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


def test_a_notice_for_each_amount(play):
    """One until the host has read something, then another one with what is still there."""
    play(
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
        < +CIPRECVDATA:4,good⏎OK⏎⏎+IPD,4⏎
        > AT+CIPRECVDATA=1
        < +CIPRECVDATA:1, ⏎OK⏎⏎+IPD,3⏎
        > AT+CIPRECVDATA=3
        < +CIPRECVDATA:3,day⏎OK⏎
        web sends  to you
        < ⏎+IPD,7⏎
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
    """What comes while something is unread is noticed when the host has read: also behind all that it knew of."""
    peer.send(b"a" * 100)
    module.expect("⏎+IPD,100⏎")
    peer.send(b"b" * 50)
    kept(module, 150)
    assert take(module, 100) == b"a" * 100
    module.expect("⏎+IPD,50⏎")
    assert lengths(module)[0] == 50
    assert take(module, 100) == b"b" * 50
    peer.send(b"c")
    module.expect("⏎+IPD,1⏎")
    module.settled()


def test_much_behind_a_small_read(module, peer):
    """All that waits is announced behind the OK, as far as the module keeps it."""
    peer.send(b"x" * 203)
    module.expect("⏎+IPD,203⏎")
    peer.send(b"x" * 2297)
    kept(module, 2500)
    module.send("AT+CIPRECVDATA=100")
    module.expect("+CIPRECVDATA:100," + "x" * 100 + "⏎OK⏎⏎+IPD,2400⏎")
    module.settled()


def test_no_notice_behind_a_failed_read(module, peer):
    """Only a read that gave something has another notice behind it."""
    peer.send(b"abc")
    module.expect("⏎+IPD,3⏎")
    module.send("AT+CIPRECVDATA=0")
    module.expect("⏎ERROR⏎")
    module.send("AT+CIPRECVDATA=1,2,3")
    module.expect("⏎ERROR⏎")
    module.settled()
    module.send("AT+CIPRECVDATA=2")
    module.expect("+CIPRECVDATA:2,ab⏎OK⏎⏎+IPD,1⏎")


def test_a_notice_waits_for_a_block_to_be_sent(play):
    """It tells what is there when it can be told, not when the first of it came."""
    play(
        """
        peer a
        peer b
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPRECVMODE=1
        < ⏎OK⏎
        link a 0
        link b 1
        > AT+CIPSEND=0,4
        < ⏎OK⏎⏎>
        b sends one
        a sends two
        >> abcd
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets abcd
        ~ (⏎\\+IPD,1,3⏎⏎\\+IPD,0,3⏎|⏎\\+IPD,0,3⏎⏎\\+IPD,1,3⏎)
        > AT+CIPRECVDATA=1,10
        < +CIPRECVDATA:3,one⏎OK⏎
        > AT+CIPRECVDATA=0,2
        < +CIPRECVDATA:2,tw⏎OK⏎⏎+IPD,0,1⏎
        """
    )


def test_a_link_of_its_own_mode(play):
    play(
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
        < +CIPRECVDATA:3,"127.0.0.1",{c},pas⏎OK⏎⏎+IPD,1,4⏎
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


def test_closed_comes_behind_the_data(play):
    play(
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
        < +CIPRECVDATA:5,last ⏎OK⏎⏎+IPD,2,5⏎
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
        ~ (ALREADY CONNECTED⏎)?⏎ERROR⏎
        > AT+CIPCLOSE=2
        < 2,CLOSED⏎⏎OK⏎
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:-1,-1,-1,-1,-1⏎⏎OK⏎
        """
    )


def test_server_deleted_with_data_unread(play):
    play(
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


def test_the_network_goes_the_data_stay(play):
    play(
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


def test_a_silent_client_with_data_unread(play):
    play(
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
    got = b""
    while len(got) < 256:
        got += take(module, 7)
        if len(got) < 256:
            module.expect(f"⏎+IPD,{256 - len(got)}⏎")
    assert got == EVERY_BYTE
    module.settled()


def test_to_active_behind_the_end(play):
    play(
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
