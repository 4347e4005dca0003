"""Links of all kinds at once, many clients one after another, peers that dribble and peers that vanish.
Nearly all of it runs with the heap of an ESP8266."""

import ctypes
import os
import socket
import struct

import pytest
from clients import Client, enter, serving
from idle import chip
from peers import FreePort, Peer, UDPPeer
from test_load import free
from traffic import Host, Mover, digest, noise

SO_ATTACH_FILTER = 26
BLOCK = 1024


@pytest.fixture
def module(start):
    return start("--board", "esp8266")


@pytest.fixture
def door(online):
    """The port of a server that runs."""
    return serving(online)


def open_links(module, door):
    """0 and 3 are clients of the server, 1 and 4 links to servers, 2 is UDP; returns the ends of the five."""
    ends = [None] * 5
    ends[0] = enter(module, door, 0)
    for number in (1, 4):
        ends[number] = Peer()
        module.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{ends[number].port}')
        ends[number].accept()
        module.expect(f"{number},CONNECT⏎⏎OK⏎")
    here = FreePort()
    ends[2] = UDPPeer()
    ends[2].face(here.port)
    module.send(f'AT+CIPSTART=2,"UDP","127.0.0.1",{ends[2].port},{here.port}')
    module.expect("2,CONNECT⏎⏎OK⏎")
    ends[3] = enter(module, door, 3)
    return ends


@pytest.mark.roomy(reason="a PC's recvfrom() needs memory twice, and loses a datagram that does not fit")
@pytest.mark.parametrize("board, size", [("esp32", 1400), ("esp8266", 500)])
def test_five_links_of_mixed_kinds(start, board, size):
    """Data move both ways on all of them at once; each byte arrives, and in its place.

    With all that this needs in its heap, the ESP8266 has no memory in one piece for the largest datagrams."""
    module = start("--board", board)
    module.join()
    ends = open_links(module, serving(module))
    host = Host(module)
    rounds = 60
    down = [noise(200000 + number, number) for number in range(5)]
    down[2] = noise(rounds * 2 * size, 2)
    up = [noise(rounds * BLOCK, 10 + number) for number in range(5)]
    streams = [number for number in range(5) if number != 2]
    movers = {number: Mover(ends[number], down[number], len(up[number])) for number in streams}
    datagrams = bytearray()
    for turn in range(rounds):
        # Datagrams have no flow control, so no more are under way than the PC's socket keeps.
        for part in (2 * turn, 2 * turn + 1):
            ends[2].send(down[2][part * size : (part + 1) * size])
        for number in range(5):
            host.send(number, up[number][turn * BLOCK : (turn + 1) * BLOCK])
        datagrams += ends[2].get()
        host.take(2, (turn + 1) * 2 * size)
    for number in range(5):
        host.take(number, len(down[number]))
        assert digest(host.data[number]) == digest(down[number])
    assert digest(datagrams) == digest(up[2])
    for number, mover in movers.items():
        assert digest(mover.finish()) == digest(up[number])
    module.settled()


def test_all_ids_taken(online, door):
    ends = open_links(online, door)
    for command in ('AT+CIPSTARTEX="TCP","127.0.0.1",9', 'AT+CIPSTARTEX="UDP","127.0.0.1",9'):
        online.send(command)
        online.expect("⏎ERROR⏎")
    refused = Client(door)
    online.expect("Have 5 Connections⏎")
    refused.ended()
    online.send("AT+CIPCLOSE=5")
    online.expect("".join(f"{number},CLOSED⏎" for number in range(5)) + "⏎OK⏎")
    for number in (0, 1, 3, 4):
        ends[number].ended()
    again = open_links(online, door)
    again[0].send(b"again")
    online.expect("⏎+IPD,0,5:again")
    online.settled()


@pytest.mark.parametrize("mode", ["active", "passive"])
def test_many_clients(start, mode):
    """500 of them connect, exchange data and go, by either side's will, and leave neither heap nor sockets behind.

    The heap is so large that no commands are dropped, of which more may be there at one time than at another."""
    online = start("--board", "esp8266", "--heap", "60wK")
    online.join()
    door = serving(online)
    if mode == "passive":
        online.command("AT+CIPRECVMODE=1")
    before = sockets = 0
    for cycle in range(520):
        if cycle == 20:  # all that is used once has been loaded
            before, sockets = settled(online)
        client = enter(online, door, 0)
        client.send(b"question")
        if mode == "active":
            online.expect("⏎+IPD,0,8:question")
        else:
            online.expect("⏎+IPD,0,8⏎")
            online.send("AT+CIPRECVDATA=0,100")
            online.expect("+CIPRECVDATA:8,question⏎OK⏎")
        online.send("AT+CIPSEND=0,6")
        online.expect("⏎OK⏎⏎>")
        online.write(b"answer")
        online.expect("⏎Recv 6 bytes⏎⏎SEND OK⏎")
        assert client.get(6) == b"answer"
        if cycle % 3 == 0:
            online.send("AT+CIPCLOSE=0")
            online.expect("0,CLOSED⏎⏎OK⏎")
            client.ended()
            client.close()
        else:
            (client.close if cycle % 3 == 1 else client.reset)()
            online.expect("0,CLOSED⏎")
    after, left = settled(online)
    assert abs(after - before) <= 1024, (before, after)
    assert left == sockets


def settled(module):
    """Bytes of heap that are free after a collection (AT+SYSRAM? collects), and the number of open files."""
    return free(module), len(os.listdir(chip(module) / "fd"))


def test_a_peer_that_dribbles(online, door):
    """One byte at a time, in both modes of receiving, while another link moves much."""
    ends = open_links(online, door)
    ends[0].sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    online.command("AT+CIPRECVTYPE=4,1")
    host = Host(online)
    much = noise(300000, 1)
    mover = Mover(ends[1], much)
    data = noise(500, 2)
    for i in range(len(data)):
        ends[0].send(data[i : i + 1])
        host.take(0, i + 1)
    assert host.data[0] == data
    ends[4].sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    got = b""
    for i in range(200):
        ends[4].send(data[i : i + 1])
        host.until(r"\r\n\+IPD,4,1\r\n")
        online.send("AT+CIPRECVDATA=4,10")
        host.until(r"\+CIPRECVDATA:1,")
        got += online.take(1)
        online.expect("⏎OK⏎")
    assert got == data[:200]
    host.take(1, len(much))
    assert digest(host.data[1]) == digest(much)
    mover.finish()
    online.settled()


def vanish(sock):
    """From here on the peer's end takes no packet, not even to acknowledge it, and sends none: a filter on its socket
    drops all that comes in. An ordinary user may do that to a socket of his own."""
    rule = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))  # BPF: return 0
    program = struct.pack("HP", 1, ctypes.addressof(rule))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


def test_a_peer_that_vanishes(online):
    """It is missed after the time of CIPSTART's keep-alive, and three probes."""
    online.command("AT+CIPMUX=1")
    peer, other = Peer(), Peer()
    online.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{peer.port},1')
    peer.accept()
    online.expect("0,CONNECT⏎⏎OK⏎")
    online.send(f'AT+CIPSTART=1,"TCP","127.0.0.1",{other.port},1')
    other.accept()
    online.expect("1,CONNECT⏎⏎OK⏎")
    peer.send(b"last")
    online.expect("⏎+IPD,0,4:last")
    vanish(peer.sock)
    online.expect("0,CLOSED⏎")
    # One that is there answers the probes, and may be silent.
    other.send(b"here")
    online.expect("⏎+IPD,1,4:here")
    online.settled()
    peer.reset()


def test_a_client_that_vanishes(online, door):
    """With AT+CIPTCPOPT for its id; the id is free again then. What it had sent can still be read in passive mode."""
    online.command("AT+CIPTCPOPT=5,,,,1")
    online.command("AT+CIPRECVTYPE=1,1")
    ann, bob = enter(online, door, 0), enter(online, door, 1)
    bob.send(b"unread")
    online.expect("⏎+IPD,1,6⏎")
    vanish(ann.sock)
    vanish(bob.sock)
    online.expect("0,CLOSED⏎")
    cid = enter(online, door, 0)
    online.send("AT+CIPRECVDATA=1,6")
    online.expect("+CIPRECVDATA:6,unread⏎OK⏎")
    online.expect("1,CLOSED⏎")
    cid.send(b"here")
    online.expect("⏎+IPD,0,4:here")
    for client in (ann, bob):
        client.reset()
