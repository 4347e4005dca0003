"""Many links, much data, slow hosts, slow peers, and peers and networks that go: nothing is lost, nobody starves.
It all runs with the heap of an ESP8266."""

import os
import socket

import pytest
from idle import assert_idle, chip
from peers import Peer
from traffic import Host, Mover, digest, noise

MEGABYTE = 1 << 20


@pytest.fixture
def module(start):
    return start("--board", "esp8266")


def links(module, count=5, receive_buffer=0):
    """Opens so many links; returns their peers."""
    peers = [Peer() for _ in range(count)]
    module.command("AT+CIPMUX=1")
    for number, peer in enumerate(peers):
        open_link(module, peer, number, receive_buffer)
    return peers


def open_link(module, peer, number, receive_buffer=0):
    module.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
    peer.accept(receive_buffer)
    module.expect(f"{number},CONNECT⏎⏎OK⏎")


def test_five_links_both_ways(online):
    peers = links(online)
    host = Host(online)
    down = [noise(300000 + number, number) for number in range(5)]
    up = [noise(20 * 2048, 10 + number) for number in range(5)]
    movers = [Mover(peer, data, len(up[0])) for peer, data in zip(peers, down, strict=True)]
    for start in range(0, len(up[0]), 2048):
        for number in range(5):
            host.send(number, up[number][start : start + 2048])
    for number in range(5):
        host.take(number, len(down[number]))
    for number, mover in enumerate(movers):
        assert digest(mover.finish()) == digest(up[number])
        assert digest(host.data[number]) == digest(down[number])
    online.settled()


def test_a_slow_peer_does_not_stall_the_others(online):
    """Link 2 takes nothing, so its SEND OK does not come; the others get everything through meanwhile."""
    peers = links(online, receive_buffer=4096)
    host = Host(online)
    count = 0
    while True:
        host.begin(2, bytes(2048))
        count += 2048
        online.send("AT")
        if not host.until(r"(?P<sent>\r\nSEND OK\r\n)?\r\n(busy p\.\.\.|OK)\r\n")["sent"]:
            break
    down = noise(200000, 1)
    movers = [Mover(peers[number], down) for number in (0, 1, 3, 4)]
    for number in (0, 1, 3, 4):
        host.take(number, len(down))
        assert digest(host.data[number]) == digest(down)
    for mover in movers:
        mover.finish()
    assert peers[2].get(count) == bytes(count)
    host.until(r"\r\nSEND OK\r\n")
    online.settled()


def stuff(peer, data):
    """Sends as much of the data as the connection takes at this moment; returns the rest."""
    peer.sock.setblocking(False)
    try:
        while data:
            data = data[peer.sock.send(data[:65536]) :]
    except BlockingIOError:
        pass
    return data


def test_fairness_to_a_slow_host(online):
    """The host takes a block only when all peers are held up; the links take turns."""
    peers = links(online)
    host = Host(online)
    rest = [memoryview(noise(8 * MEGABYTE, number)) for number in range(5)]
    rest = [stuff(peer, data) for peer, data in zip(peers, rest, strict=True)]
    for _ in range(500):
        host.next()
        rest = [stuff(peer, data) for peer, data in zip(peers, rest, strict=True)]
    late = host.order[100:]
    for number in range(5):
        assert late.count(number) >= 60, late
    for peer in peers:
        peer.close()


def test_ten_megabytes_to_a_slow_host(online):
    """The host never reads before the peer cannot go on."""
    [peer] = links(online, 1)
    host = Host(online)
    data = noise(10 * MEGABYTE, 0)
    rest = stuff(peer, memoryview(data))
    while rest:
        host.next()
        rest = stuff(peer, rest)
    host.take(0, len(data))
    assert digest(host.data[0]) == digest(data)
    online.settled()


def test_a_peer_that_closes_right_after_sending(online):
    peers = links(online)
    host = Host(online)
    data = [noise(100000 + number, number) for number in range(5)]
    movers = [Mover(peer, some, close=True) for peer, some in zip(peers, data, strict=True)]
    ended = set()
    while len(ended) < 5:
        number = int(host.until(r"(?P<ended>\d),CLOSED\r\n")["ended"])
        # The end comes behind all the data, and only once.
        assert digest(host.data[number]) == digest(data[number])
        assert number not in ended
        ended.add(number)
    for mover in movers:
        mover.finish()
    online.settled()


def test_peers_that_reset(online):
    for _ in range(10):
        peers = links(online)
        for number, peer in enumerate(peers):
            peer.reset()
            online.expect(f"{number},CLOSED⏎")
            peer.close()
    online.settled()


def test_data_before_a_reset(online):
    """What had arrived before is passed on, also when the link had to wait with it."""
    peers = links(online, 2)
    online.send("AT+CIPSEND=1,1")
    online.expect("⏎OK⏎⏎>")
    data = noise(4000, 0)
    peers[0].sock.sendall(data)
    peers[0].reset()
    online.write(b"x")
    online.expect("⏎Recv 1 bytes⏎⏎SEND OK⏎")
    host = Host(online)
    host.until(r"0,CLOSED\r\n")
    assert host.data[0] == data
    online.settled()


def test_reset_while_the_host_does_not_read(online):
    """A reset may cost data, but not the module: it is one CLOSED, behind what did come."""
    peers = links(online, 2)
    rest = stuff(peers[0], memoryview(noise(8 * MEGABYTE, 0)))
    assert rest
    peers[0].reset()
    host = Host(online)
    host.until(r"0,CLOSED\r\n")
    assert host.data[0] == noise(8 * MEGABYTE, 0)[: len(host.data[0])]
    peers[1].sock.sendall(b"alive")
    online.expect("⏎+IPD,1,5:alive")
    online.settled()


def free(module):
    module.send("AT+SYSRAM?")
    found = module.match(r"\+SYSRAM:(\d+),(\d+)\r\n\r\nOK\r\n")
    return int(found[1])


def test_many_connections(online):
    """200 of them, ended by either side or never made, leave neither heap nor sockets behind."""
    online.command("AT+CIPMUX=1")
    peer = Peer()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        refusing = taken.getsockname()[1]
        before = 0
        for cycle in range(204):
            if cycle in (4, 8):  # the second time, all the commands that are used here have been loaded
                before, sockets = free(online), len(os.listdir(chip(online) / "fd"))
            number = cycle % 5
            if cycle % 4 == 0:
                online.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{refusing}')
                online.expect("⏎ERROR⏎")
                continue
            open_link(online, peer, number)
            peer.sock.sendall(b"data")
            online.expect(f"⏎+IPD,{number},4:data")
            if cycle % 4 == 1:
                online.send(f"AT+CIPCLOSE={number}")
                online.expect(f"{number},CLOSED⏎⏎OK⏎")
                peer.ended()
                peer.sock.close()
            else:
                (peer.sock.close if cycle % 4 == 2 else peer.reset)()
                online.expect(f"{number},CLOSED⏎")
    assert free(online) >= before - 128
    assert len(os.listdir(chip(online) / "fd")) == sockets
    peer.close()


def test_network_lost_with_five_links(online):
    peers = links(online)
    assert online.control("ap down mpy-at") == "ok"
    online.expect("".join(f"{number},CLOSED⏎" for number in range(5)) + "WIFI DISCONNECT⏎")
    for peer in peers:
        peer.ended()
    # It comes back by itself, and all five can be opened again.
    assert online.control("ap up mpy-at") == "ok"
    online.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    for number, peer in enumerate(peers):
        open_link(online, peer, number)
    online.settled()


def test_waiting_costs_nothing(online):
    """Links that have to wait, half closed, reset or full, do not keep the processor busy."""
    peers = links(online)
    assert_idle(online)
    online.send("AT+CIPSEND=4,1")
    online.expect("⏎OK⏎⏎>")
    peers[0].sock.sendall(b"unread")
    peers[1].sock.shutdown(socket.SHUT_WR)
    peers[2].sock.sendall(b"unread")
    peers[2].reset()
    peers[3].reset()
    assert_idle(online)
    online.write(b"x")
    online.expect("⏎Recv 1 bytes⏎⏎SEND OK⏎")
    host = Host(online)
    for _ in range(3):
        host.until(r"[123],CLOSED\r\n")
    # Now the host does not read.
    stuff(peers[0], memoryview(bytes(8 * MEGABYTE)))
    stuff(peers[4], memoryview(bytes(8 * MEGABYTE)))
    assert_idle(online)
    peers[4].reset()
    assert_idle(online)
