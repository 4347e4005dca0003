"""UDP links: who their peer is and when that changes, datagrams that stay whole, groups and broadcasts, other peers."""

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


def test_both_ways(play_online):
    play_online(
        """
        udp a
        > AT+CIPSTART="UDP","127.0.0.1",{a}
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        a gets hello
        a sends good day
        < ⏎+IPD,8:good day
        > AT+CIPSTATUS
        ~ STATUS:3⏎\\+CIPSTATUS:0,"UDP","127\\.0\\.0\\.1",{a},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"UDP","127\\.0\\.0\\.1",{a},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a}
        < ALREADY CONNECTED⏎⏎ERROR⏎
        > AT+CIPMUX=1
        < ⏎ERROR⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:4⏎⏎OK⏎
        """
    )


def test_the_peer_stays(play_online):
    """Mode 0, which is also what holds when the host names none."""
    play_online(
        """
        udp a
        udp b
        free here
        b faces {here}
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here}
        < CONNECT⏎⏎OK⏎
        b sends from b
        < ⏎+IPD,6,"127.0.0.1",{b}:from b
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        a sends from a
        < ⏎+IPD,6,"127.0.0.1",{a}:from a
        """
    )


def test_the_peer_changes_once(play_online):
    """Mode 1: the first who sends and is not the peer becomes it, even after data from the peer itself."""
    play_online(
        """
        udp a
        udp b
        udp c
        free here
        a faces {here}
        b faces {here}
        c faces {here}
        > AT+CIPDINFO=1
        < ⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},1
        < CONNECT⏎⏎OK⏎
        a sends still a
        < ⏎+IPD,7,"127.0.0.1",{a}:still a
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        b sends now b
        < ⏎+IPD,5,"127.0.0.1",{b}:now b
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{b},{here},0⏎⏎OK⏎
        c sends not c
        < ⏎+IPD,5,"127.0.0.1",{c}:not c
        a sends nor a
        < ⏎+IPD,5,"127.0.0.1",{a}:nor a
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to b
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b gets to b
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{b},{here},0⏎⏎OK⏎
        """
    )


def test_the_peer_is_the_last_who_sent(play_online):
    """Mode 2."""
    play_online(
        """
        udp a
        udp b
        free here
        a faces {here}
        b faces {here}
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},2
        < CONNECT⏎⏎OK⏎
        b sends from b
        < ⏎+IPD,6:from b
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to b
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b gets to b
        a sends from a
        < ⏎+IPD,6:from a
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> to a
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets to a
        """
    )


def test_local_address_and_port(play_online):
    play_online(
        """
        udp a
        udp taken
        free here
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},0,"127.0.0.3"
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=1
        < ⏎OK⏎⏎>
        >> !
        < ⏎Recv 1 bytes⏎⏎SEND OK⏎
        a gets !
        a sends ?
        < ⏎+IPD,1:?
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
        # A port that another has, an address that is not the module's, and others that are none.
        > AT+CIPSTART="UDP","127.0.0.1",{a},{taken}
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},,,"192.0.2.77"
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},,,"nonsense.example"
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},,,"::1"
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},65536
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},3
        < ⏎ERROR⏎
        > AT+CIPSTATE?
        < ⏎OK⏎
        # The port is free again at once.
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here}
        < CONNECT⏎⏎OK⏎
        """
    )


@pytest.mark.parametrize(
    "line",
    [
        'AT+CIPSTARTEX="UDP","127.0.0.1",{a},,0',
        'AT+CIPSTART="UDP","127.0.0.1",{a},10',
        'AT+CIPSTART="udp","127.0.0.1",{a},{here},0,',
        'AT+CIPSTART="UDP","127.0.0.1",{a},0,2,"",5000',
        'AT+CIPSTART="UDP","localhost",{a},,,"127.0.0.1",0',
    ],
)
def test_what_drivers_send(play_online, line):
    if line.endswith(",10"):
        try:
            UDPPeer(port=10).close()
        except PermissionError:
            pytest.skip("an ordinary user cannot have port 10")
    play_online(
        """
        udp a
        free here
        > LINE
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> data
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        a gets data
        a sends back
        < ⏎+IPD,4:back
        """.replace("LINE", line)
    )


@pytest.mark.parametrize("host, port", [("0.0.0.0", "{a}"), ("0", "0"), ("0.0.0.0", "0")])
def test_receive_only(play_online, host, port):
    """Nobody is the peer until a datagram has come; sending says so, and the link stays."""
    play_online(
        f"""
        udp a
        free here
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=4,"UDP","{host}",{port},{{here}},2
        < 4,CONNECT⏎⏎OK⏎
        > AT+CIPSTATE?
        < +CIPSTATE:4,"UDP","0.0.0.0",{port},{{here}},0⏎⏎OK⏎
        > AT+CIPSEND=4,5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND FAIL⏎
        a faces {{here}}
        a sends first
        < ⏎+IPD,4,5:first
        > AT+CIPSEND=4,5
        < ⏎OK⏎⏎>
        >> hello
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        a gets hello
        > AT+CIPSTATE?
        < +CIPSTATE:4,"UDP","127.0.0.1",{{a}},{{here}},0⏎⏎OK⏎
        """
    )


def test_ids_and_kinds(play_online):
    """Links of both kinds beside each other, and the ids that are given out."""
    play_online(
        """
        peer web
        udp a
        free here
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSTART=1,"UDP","127.0.0.1",{a},{here}
        < 1,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        web accepts
        < 0,CONNECT⏎⏎OK⏎
        > AT+CIPSTARTEX="UDP","127.0.0.1",{a},,2
        < 2,CONNECT⏎⏎OK⏎
        > AT+CIPSTATE?
        ~ \\+CIPSTATE:0,"TCP","127\\.0\\.0\\.1",{web},6\\d{4},0⏎
        ~ \\+CIPSTATE:1,"UDP","127\\.0\\.0\\.1",{a},{here},0⏎
        ~ \\+CIPSTATE:2,"UDP","127\\.0\\.0\\.1",{a},6\\d{4},0⏎⏎OK⏎
        > AT+CIPSEND=2,1
        < ⏎OK⏎⏎>
        >> 2
        < ⏎Recv 1 bytes⏎⏎SEND OK⏎
        a gets 2
        a sends to 2
        < ⏎+IPD,2,4:to 2
        a faces {here}
        a sends to 1
        < ⏎+IPD,1,4:to 1
        > AT+CIPCLOSE=5
        < 0,CLOSED⏎1,CLOSED⏎2,CLOSED⏎⏎OK⏎
        web ended
        """
    )


def test_connected_in_detail(play_online):
    play_online(
        """
        udp a
        free here
        > AT+SYSMSG=2
        < ⏎OK⏎
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here}
        < +LINK_CONN:0,0,"UDP",0,"127.0.0.1",{a},{here}⏎⏎OK⏎
        """
    )


# Sizes


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
    module = join(start("--board", board))
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
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        web accepts
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND=4,"127.0.0.1",{b}
        < ⏎ERROR⏎
        > AT+CIPSEND=0
        < ⏎ERROR⏎
        """
    )


def test_to_another_peer_by_name(start, tmp_path):
    server = NameServer()
    module = join(start("--wifi", server.access_points(tmp_path)))
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
    module = join(start("--wifi", server.access_points(tmp_path)))
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


def test_a_closed_port_does_not_end_the_link(play_online):
    play_online(
        """
        udp a
        udp b
        free here
        > AT+CIPSTART="UDP","127.0.0.1",{a},{here},0
        < CONNECT⏎⏎OK⏎
        a closes
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> lost
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        > AT+CIPSEND=4
        < ⏎OK⏎⏎>
        >> lost
        < ⏎Recv 4 bytes⏎⏎SEND OK⏎
        b faces {here}
        b sends alive
        < ⏎+IPD,5:alive
        > AT+CIPSTATE?
        < +CIPSTATE:0,"UDP","127.0.0.1",{a},{here},0⏎⏎OK⏎
        """
    )


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


def test_a_flood_does_not_starve_the_others(online):
    """While one link is flooded, another one and the port itself go on; datagrams are lost, but whole."""
    flood, other = UDPPeer(), Peer()
    online.command("AT+CIPMUX=1")
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
    finally:
        stop.set()
        thread.join(LIMIT)
    online.send("AT+CIPCLOSE=0")
    flooded_until(online, "0,CLOSED\r\n\r\nOK\r\n")
    online.settled()
    flood.close()
    other.close()


def flooded_until(module, text):
    """Takes the datagrams of the flood, each of them whole, until the text comes."""
    while not module.match(r"\r\n\+IPD,0,1000:U{1000}|(" + re.escape(text) + ")")[1]:
        pass


def join(module):
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module
