"""UDP links that have one local port: each gets what its own peer sends. Each case runs on both boards."""

import pytest
from peers import FreePort, UDPPeer
from transcript import play


@pytest.fixture
def module(joined):
    joined.command("AT+CIPMUX=1")
    return joined


TWO = """
        udp a
        udp b
        free here
        a faces {here}
        b faces {here}
        > AT+CIPSTART=0,"UDP","127.0.0.1",{a},{here}
        < 0,CONNECT⏎⏎OK⏎
        > AT+CIPSTART=1,"UDP","127.0.0.1",{b},{here}
        < 1,CONNECT⏎⏎OK⏎
"""


def test_each_gets_what_its_peer_sends(module):
    play(
        module,
        TWO
        + """
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎+CIPSTATE:1,"UDP","127.0.0.1",{b},{here},0⏎⏎OK⏎
        b sends from b
        < ⏎+IPD,1,6:from b
        a sends from a
        < ⏎+IPD,0,6:from a
        > AT+CIPSEND=0,4
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        > AT+CIPSEND=1,4
        < ⏎OK⏎⏎>
        >> to b
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b gets to b
        # A third, to whom nobody has spoken yet, gets what comes from strangers.
        udp c
        udp d
        c faces {here}
        d faces {here}
        > AT+CIPSTART=3,"UDP","0",0,{here},2
        < 3,CONNECT⏎⏎OK⏎
        c sends from c
        < ⏎+IPD,3,6:from c
        d sends from d
        < ⏎+IPD,3,6:from d
        a sends a again
        < ⏎+IPD,0,7:a again
        b sends b again
        < ⏎+IPD,1,7:b again
        > AT+CIPSEND=3,4
        < ⏎OK⏎⏎>
        >> to d
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        d gets to d
        """,
    )


def test_one_goes_and_comes_back(module):
    play(
        module,
        TWO
        + """
        # The one that came first goes; the port stays that of the other.
        > AT+CIPCLOSE=0
        < 0,CLOSED⏎⏎OK⏎
        b sends from b
        < ⏎+IPD,1,6:from b
        # As without others, a link hears strangers, too.
        a sends from a
        < ⏎+IPD,1,6:from a
        > AT+CIPSTART=0,"UDP","127.0.0.1",{a},{here}
        < 0,CONNECT⏎⏎OK⏎
        a sends from a
        < ⏎+IPD,0,6:from a
        > AT+CIPCLOSE=5
        < 0,CLOSED⏎1,CLOSED⏎⏎OK⏎
        # Nothing holds the port any more.
        > AT+CIPSTART=4,"UDP","127.0.0.1",{a},{here}
        < 4,CONNECT⏎⏎OK⏎
        a sends again
        < ⏎+IPD,4,5:again
        """,
    )


def test_passive_mode_of_one(module):
    """What waits for a link that the host does not read, or what comes in any order, is in nobody's way."""
    play(
        module,
        TWO
        + """
        > AT+CIPRECVTYPE=0,1
        < ⏎OK⏎
        a sends one
        < ⏎+IPD,0,3⏎
        a sends two
        b sends from b
        < ⏎+IPD,1,6:from b
        > AT+CIPRECVLEN?
        < +CIPRECVLEN:6,0,-1,-1,-1⏎⏎OK⏎
        > AT+CIPRECVDATA=0,3
        < +CIPRECVDATA:3,one⏎OK⏎
        """,
        settled=False,
    )


def test_many_from_both_while_the_host_sends(module):
    """Those that come while reports wait are not lost, and each comes where it belongs."""
    here = FreePort().port
    peers = [UDPPeer(), UDPPeer()]
    for number, peer in enumerate(peers):
        peer.face(here)
        module.send(f'AT+CIPSTART={number},"UDP","127.0.0.1",{peer.port},{here}')
        module.expect(f"{number},CONNECT⏎⏎OK⏎")
    module.send("AT+CIPSEND=0,1")
    module.expect("⏎OK⏎⏎>")
    for i in range(20):
        for number in (1, 0, 0, 1):
            peers[number].send(b"%d of %d" % (i, number))
    module.write(b"x")
    module.expect("⏎Recv 1 bytes⏎⏎SEND OK⏎")
    found = {0: [], 1: []}
    for _ in range(80):
        number, size = map(int, module.match(r"\r\n\+IPD,(\d),(\d+):").groups())
        found[number].append(module.take(size))
    for number, datagrams in found.items():
        assert datagrams == [b"%d of %d" % (i, number) for i in range(20) for _ in range(2)]
    assert peers[0].get() == b"x"
    for peer in peers:
        peer.sock.close()
    module.settled()


@pytest.mark.roomy(reason="a PC's recvfrom() needs memory twice, and loses a datagram that does not fit")
def test_one_of_them_too_large(module):
    """It is dropped and counted, whoever has looked for the next one."""
    here = FreePort().port
    peers = [UDPPeer(), UDPPeer()]
    for number, peer in enumerate(peers):
        peer.face(here)
        module.send(f'AT+CIPSTART={number},"UDP","127.0.0.1",{peer.port},{here}')
        module.expect(f"{number},CONNECT⏎⏎OK⏎")
    for number in (1, 0):
        peers[number].send(bytes(5000))
        peers[number].send(b"fits")
        module.expect(f"⏎+IPD,{number},4:fits")
    module.send("AT+MPYDROPPED?")
    module.expect("+MPYDROPPED:0,2,0⏎⏎OK⏎")
    for peer in peers:
        peer.sock.close()


def test_the_port_of_another_program(module):
    with_it = UDPPeer("0.0.0.0")
    module.send(f'AT+CIPSTART=0,"UDP","127.0.0.1",9,{with_it.port}')
    module.expect("⏎ERROR⏎")
    with_it.sock.close()
    module.settled()
