"""Datagrams over UDP links: their sizes, those to other peers, groups and broadcasts, more than the host can take."""

import pathlib
import re
import socket
import struct
import threading

import pytest
from module import LIMIT
from nameserver import A, NameServer, address
from peers import FreePort, Peer, UDPPeer

GROUP = "239.255.77.7"


def begin(module, peer, number=None, more=""):
    """Opens a UDP link to the peer, in single connection mode without a number."""
    link = "" if number is None else f"{number},"
    module.send(f'AT+CIPSTART={link}"UDP","127.0.0.1",{peer.port}{more}')
    module.expect(f"{link}CONNECT⏎⏎OK⏎")


def send(module, data, command="AT+CIPSEND={}", more=""):
    module.send(command.format(len(data)) + more)
    module.expect("⏎OK⏎⏎>")
    module.write(data)
    module.expect(f"⏎Recv {len(data)} bytes⏎⏎SEND OK⏎")


@pytest.mark.parametrize("board, sizes", [("esp8266", (1, 1460, 1472)), ("esp32", (1, 1460, 1472, 2920, 4096))])
def test_datagrams_stay_whole(start, board, sizes):
    module = start("--board", board).join()
    peer = UDPPeer()
    begin(module, peer)
    for size in sizes:
        data = bytes(i * 7 + size & 255 for i in range(size))
        send(module, data)
        assert peer.get() == data
        # Two at once stay two.
        peer.send(data)
        peer.send(data[::-1])
        module.expect(f"⏎+IPD,{size}:")
        assert module.take(size) == data
        module.expect(f"⏎+IPD,{size}:")
        assert module.take(size) == data[::-1]
    # What is larger than the port can hold does not come in part.
    peer.send(bytes(sizes[-1] + 1))
    peer.send(b"next")
    module.expect("⏎+IPD,4:next")
    module.settled()
    peer.close()


def test_longest_datagram_sent(online):
    peer = UDPPeer()
    begin(online, peer)
    send(online, b"x" * 8192)
    assert peer.get() == b"x" * 8192
    peer.close()


def test_datagrams_without_data(play_online):
    play_online(
        """
        udp a
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=3,"UDP","127.0.0.1",{a}
        < 3,CONNECT⏎⏎OK⏎
        > AT+CIPSEND=3,0
        < ⏎OK⏎⏎>⏎Recv 0 bytes⏎⏎SEND OK⏎
        a gets
        a sends
        < ⏎+IPD,3,0:
        > AT+CIPDINFO=1
        < ⏎OK⏎
        a sends
        < ⏎+IPD,3,0,"127.0.0.1",{a}:
        a sends and data
        < ⏎+IPD,3,8,"127.0.0.1",{a}:and data
        """
    )


# Other peers


def test_to_another_peer(play_online):
    play_online(
        """
        udp a
        udp b
        > AT+CIPSTART="UDP","127.0.0.1",{a}
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=4,"127.0.0.1",{b}
        < ⏎OK⏎⏎>
        >> to b
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b gets to b
        b sends from b
        < ⏎+IPD,6:from b
        > AT+CIPSENDEX=9,"localhost",{b}
        < ⏎OK⏎⏎>
        >> b!\\x5c0
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        b gets b!
        > AT+CIPSEND=0,"127.0.0.1",{b}
        < ⏎OK⏎⏎>⏎Recv 0 bytes⏎⏎SEND OK⏎
        b gets
        # The link's own peer is still the first one.
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        # Both or neither, and only for a datagram.
        > AT+CIPSEND=4,"127.0.0.1"
        < ⏎ERROR⏎
        > AT+CIPSEND=4,,{b}
        < ⏎ERROR⏎
        > AT+CIPSEND=4,"127.0.0.1",0
        < ⏎ERROR⏎
        > AT+CIPSEND=4,"::1",{b}
        < ⏎ERROR⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        peer web
        link web
        > AT+CIPSEND=4,"127.0.0.1",{b}
        < ⏎ERROR⏎
        > AT+CIPSEND=0
        < ⏎ERROR⏎
        """
    )


def test_to_another_peer_by_name(start, tmp_path):
    server = NameServer()
    module = start("--wifi", server.access_points(tmp_path)).join()
    a, b = UDPPeer(), UDPPeer("127.0.0.9")
    module.command("AT+CIPMUX=1")
    begin(module, a, 2)
    module.send(f'AT+CIPSEND=2,4,"b.example",{b.port}')
    assert server.asked() == "b.example"
    # The prompt waits for the address; the module does not.
    module.send("AT")
    module.expect("⏎busy p...⏎")
    server.answer((None, A, address("127.0.0.9")))
    module.expect("⏎OK⏎⏎>")
    module.write(b"to b")
    module.expect("⏎Recv 4 bytes⏎⏎SEND OK⏎")
    assert b.get() == b"to b"
    module.send(f'AT+CIPSEND=2,4,"nobody.example",{b.port}')
    assert server.asked() == "nobody.example"
    server.answer(code=3)
    module.expect("⏎ERROR⏎")
    # The link closes while the name is asked for: no prompt.
    module.send(f'AT+CIPSEND=2,4,"late.example",{b.port}')
    assert server.asked() == "late.example"
    assert module.control("ap down mpy-at") == "ok"
    module.expect("2,CLOSED⏎WIFI DISCONNECT⏎")
    server.answer((None, A, address("127.0.0.9")))
    module.expect("⏎ERROR⏎")
    for peer in (a, b, server):
        peer.close()


def test_network_lost_while_a_name_is_asked_for(start, tmp_path):
    """The link that would have been opened leaves nothing behind."""
    server = NameServer()
    module = start("--wifi", server.access_points(tmp_path)).join()
    here = FreePort().port
    module.send(f'AT+CIPSTART="UDP","late.example",4000,{here}')
    assert server.asked() == "late.example"
    assert module.control("ap down mpy-at") == "ok"
    module.expect("WIFI DISCONNECT⏎")
    server.answer((None, A, address("127.0.0.9")))
    module.expect("⏎ERROR⏎")
    module.command("AT+CIPSTATE?")
    UDPPeer(port=here).close()
    server.close()


# Groups and broadcasts


@pytest.mark.parametrize("everybody", ["127.255.255.255", "255.255.255.255"])
def test_broadcast(online, everybody):
    """255.255.255.255 goes where the station is, and not to the PC's default route."""
    peer = UDPPeer("0.0.0.0")
    online.send(f'AT+CIPSTART="UDP","{everybody}",{peer.port},{FreePort().port},2')
    online.expect("CONNECT⏎⏎OK⏎")
    send(online, b"to all")
    assert peer.get() == b"to all"
    assert peer.other[0] == "127.0.0.1"
    peer.send(b"for you")
    online.expect("⏎+IPD,7:for you")
    online.send("AT+CIPSTATE?")
    online.expect(f'+CIPSTATE:0,"UDP","127.0.0.1",{peer.port},{peer.other[1]},0⏎⏎OK⏎')
    # From any other link, too.
    send(online, b"again", more=f',"{everybody}",{peer.port}')
    assert peer.get() == b"again"
    peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    peer.face(peer.other[1], "127.255.255.255")
    peer.send(b"to all of you")
    online.expect("⏎+IPD,13:to all of you")
    peer.close()


def groups():
    """Which groups of this PC are joined at which interface, as the kernel lists them."""
    joined, device = set(), ""
    for row in pathlib.Path("/proc/net/igmp").read_text().splitlines()[1:]:
        words = row.split()
        if row[0].isspace():
            joined.add((device, socket.inet_ntoa(struct.pack("=I", int(words[0], 16)))))
        else:
            device = words[1]
    return joined


def test_multicast(online):
    peer = UDPPeer("0.0.0.0")
    membership = socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1")
    peer.sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    peer.sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
    here = FreePort().port
    online.send(f'AT+CIPSTART="UDP","{GROUP}",{peer.port},{here},0')
    online.expect("CONNECT⏎⏎OK⏎")
    assert [device for device, group in groups() if group == GROUP] == ["lo"]
    send(online, b"to the group")
    assert peer.get() == b"to the group"
    assert peer.other == ("127.0.0.1", here)
    online.command("AT+CIPDINFO=1")
    peer.face(here, GROUP)
    peer.send(b"from the group")
    online.expect(f'⏎+IPD,14,"127.0.0.1",{peer.port}:from the group')
    online.send("AT+CIPSTATE?")
    online.expect(f'+CIPSTATE:0,"UDP","{GROUP}",{peer.port},{here},0⏎⏎OK⏎')
    # A link that is in no group sends to one on the same interface.
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    online.send(f'AT+CIPSTART="UDP","127.0.0.1",9,{here}')
    online.expect("CONNECT⏎⏎OK⏎")
    send(online, b"from outside", more=f',"{GROUP}",{peer.port}')
    assert peer.get() == b"from outside"
    assert peer.other == ("127.0.0.1", here)
    peer.close()


def test_a_group_is_left_with_its_link(online):
    group = "239.255.77.8"
    online.send(f'AT+CIPSTART="UDP","{group}",4000,{FreePort().port},0')
    online.expect("CONNECT⏎⏎OK⏎")
    assert ("lo", group) in groups()
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    assert group not in [group for _, group in groups()]


# Load


@pytest.mark.parametrize("passive", [0, 1])
def test_a_flood_does_not_starve_the_others(online, passive):
    """While one link is flooded, another one and the port itself go on; datagrams are lost, but whole."""
    flood, other = UDPPeer(), Peer()
    online.command("AT+CIPMUX=1")
    online.command(f"AT+CIPRECVTYPE=0,{passive}")
    here = FreePort().port
    begin(online, flood, 0, f",{here}")
    online.send(f'AT+CIPSTART=1,"TCP","127.0.0.1",{other.port}')
    online.expect("1,CONNECT⏎⏎OK⏎")
    other.accept()
    flood.face(here)
    stop = threading.Event()

    def pour():
        while not stop.is_set():
            flood.send(b"U" * 1000)

    thread = threading.Thread(target=pour, daemon=True)
    thread.start()
    try:
        for i in range(20):
            other.send(b"%04d" % i)
            flooded_until(online, f"\r\n+IPD,1,4:{i:04}")
            online.send("AT")
            flooded_until(online, "\r\nOK\r\n")
        if passive:
            online.send("AT+CIPRECVDATA=0,3000")
            flooded_until(online, "+CIPRECVDATA:3000," + "U" * 3000 + "\r\nOK\r\n")
    finally:
        stop.set()
        thread.join(LIMIT)
    online.send("AT+CIPCLOSE=0")
    flooded_until(online, "0,CLOSED\r\n\r\nOK\r\n")
    online.settled()
    flood.close()
    other.close()


def flooded_until(module, text):
    """Takes the datagrams of the flood, each of them whole, or the notices of them, until the text comes."""
    while not module.match(r"\r\n\+IPD,0,1000(?::U{1000}|\r\n)|(" + re.escape(text) + ")")[1]:
        pass
