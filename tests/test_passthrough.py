"""Passthrough: entering and leaving, what goes through, a peer that breaks off, a link that is saved.
Both directions carry all bytes; `+++` leaves only between two silences."""

import itertools
import socket
import time

import pytest
from clients import Client, Door
from module import PAUSE
from peers import FreePort, Peer, UDPPeer
from traffic import noise

EVERY_BYTE = bytes(range(256))


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


def test_every_byte_both_ways(online, peer):
    online.write(EVERY_BYTE)
    assert peer.get(256) == EVERY_BYTE
    peer.sock.sendall(EVERY_BYTE)
    assert online.take(256) == EVERY_BYTE


def test_leaving_and_coming_back(online, peer):
    online.leave()
    online.command("AT")
    online.send("AT+CIPMODE?")
    online.expect("+CIPMODE:1⏎⏎OK⏎")
    peer.sock.sendall(b"as it is")
    online.expect("as it is")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    online.write(b"again")
    assert peer.get(5) == b"again"
    online.leave()
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
    online.leave()
    online.command("AT+SYSMSG=1")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    online.leave()
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
    online.leave()
    online.command("AT")


def udp(module, peer, options):
    module.send(f'AT+CIPSTART="UDP","127.0.0.1",{peer.port}{options}')
    module.expect("CONNECT⏎⏎OK⏎")
    module.command("AT+CIPMODE=1")
    module.send("AT+CIPSEND")
    module.expect("⏎OK⏎⏎>")


def test_datagrams(online):
    """Blocks become datagrams: full ones at once, what is less after the interval. The port stays when the network
    has gone and come back."""
    peer = UDPPeer()
    udp(online, peer, "")
    data = noise(7000, 1)
    online.write(data)
    assert peer.get() == data[:2920]
    assert peer.get() == data[2920:5840]
    assert peer.get() == data[5840:]
    port = peer.other
    peer.send(EVERY_BYTE)
    assert online.take(256) == EVERY_BYTE
    online.control("ap down mpy-at")
    online.control("ap up mpy-at")
    online.write(b"the same port")
    # The loss is noticed some time later than it happens, so these bytes may go over the old link.
    assert peer.get() == b"the same port" and peer.other == port
    peer.close()


@pytest.mark.parametrize("interval", [0, 20, 300])
def test_the_interval(online, peer, interval):
    online.leave()
    online.command(f"AT+TRANSINTVL={interval}")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    began = time.monotonic()
    online.write(b"less than a block")
    assert peer.get(17) == b"less than a block"
    assert time.monotonic() - began > interval / 1000 - 0.002
    # Full blocks do not wait for it: ten of them, one after the other, would take ten times as long.
    began = time.monotonic()
    for _ in range(10):
        online.write(bytes(2920))
        peer.get(2920)
    if interval == 300:
        assert time.monotonic() - began < 10 * interval / 1000


def test_what_still_waits_when_the_host_leaves(online, peer):
    """It is sent at once, before what the host sends by command after that."""
    online.leave()
    online.command("AT+TRANSINTVL=1000")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    online.write(b"first, ")
    online.leave()
    online.send("AT+CIPSEND=6")
    online.expect("⏎OK⏎⏎>")
    online.write(b"second")
    online.expect("⏎Recv 6 bytes⏎⏎SEND OK⏎")
    assert peer.get(13) == b"first, second"


def test_the_pause_between_attempts(online, peer):
    """A peer that always breaks off is not asked more often than the host wants."""
    online.leave()
    online.command("AT+CIPRECONNINTV=3")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    times = []
    for _ in range(4):
        peer.reset()
        peer.accept()
        times.append(time.monotonic())
    assert all(later - earlier > 0.25 for earlier, later in itertools.pairwise(times)), times


def test_the_network_goes(online, peer):
    """The host sends meanwhile, and hears of all of it with bit 2 of SYSMSG."""
    online.leave()
    online.command("AT+SYSMSG=5")
    online.send("AT+CIPSEND")
    online.expect("⏎OK⏎⏎>")
    online.control("ap down mpy-at")
    online.expect("CLOSED⏎WIFI DISCONNECT⏎")
    online.write(b"kept")
    online.control("ap up mpy-at")
    peer.accept()
    online.expect("WIFI CONNECTED⏎WIFI GOT IP⏎CONNECT⏎")
    assert peer.get(4) == b"kept"
    online.control("ap down mpy-at")
    online.expect("CLOSED⏎WIFI DISCONNECT⏎")
    online.leave()
    online.expect("⏎+QUITT⏎")
    online.command("AT")


def test_what_is_left_without_a_link_is_counted(online, peer):
    online.control("ap down mpy-at")
    peer.ended()
    online.write(b"into the void")
    online.leave()
    online.send("AT+MPYDROPPED?")
    online.expect("+MPYDROPPED:0,0,13⏎⏎OK⏎")


def test_more_refusals(play_online):
    play_online("""
        > AT+CIPMODE=1
        < ⏎OK⏎
        > AT+CIPSERVER=1
        < ⏎ERROR⏎
        > AT+CIPSTART="UDP","0.0.0.0",0,50123,0
        < CONNECT⏎⏎OK⏎
        > AT+CIPSEND
        < ⏎ERROR⏎
        > AT+CIPCLOSE
        < CLOSED⏎⏎OK⏎
    """)


def test_forms_of_a_saved_link(play):
    play("""
        > AT+SAVETRANSLINK=1,"192.168.6.110",1002
        < ⏎OK⏎
        > AT+SAVETRANSLINK=1,"192.168.6.110",1002,"TCP",7200
        < ⏎OK⏎
        > AT+SAVETRANSLINK=1,"fe80::1",8080,"TCPv6"
        < ⏎OK⏎
        > AT+SAVETRANSLINK=1,"192.168.6.110",1002,"UDP",1005
        < ⏎OK⏎
        > AT+SAVETRANSLINK=1,"fe80::1",8081,"UDPv6",1005
        < ⏎OK⏎
        > AT+SAVETRANSLINK=1,"192.168.6.110",1002,"UDP"
        < ⏎OK⏎
        > AT+SAVETRANSLINK=1
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK=1,"192.168.6.110",0
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK=1,"192.168.6.110",1002,"TCP",7201
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK=2,"192.168.6.110",1002
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK=3
        < ⏎OK⏎
        > AT+SAVETRANSLINK=3,1002,"TCP",2
        < ⏎OK⏎
        > AT+SAVETRANSLINK=3,1002,"TCPv6",0,1
        < ⏎OK⏎
        > AT+SAVETRANSLINK=3,0
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK=3,"192.168.6.110",1002
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK=3,1002,"UDP"
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK?
        < ⏎ERROR⏎
        > AT+SAVETRANSLINK=0,"192.168.6.110",1002,"TCP"
        < ⏎OK⏎
        > AT+SAVETRANSLINK=0
        < ⏎OK⏎
    """)


@pytest.fixture(params=["esp32", "esp8266"])
def saved(start, request):
    """A function that starts a module with a link saved to a peer, restarted so that it holds."""

    def saved(peer):
        module = start("--board", request.param)
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
    module.leave()
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
    module.leave()
    module.send("AT")
    module.expect("AT⏎⏎OK⏎")


@pytest.mark.ipv6
@pytest.mark.parametrize("kind", ["TCPv6", "UDP", "UDPv6"])
def test_a_saved_link_of_other_kinds(start, kind):
    address = "::1" if "6" in kind else "127.0.0.1"
    peer = (UDPPeer if "UDP" in kind else Peer)(address)
    module = start()
    module.command("AT+CIPV6=1")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.match(r"(WIFI [A-Za-z0-9 ]+\r\n)+\r\nOK\r\n")
    local = FreePort().port if "UDP" in kind else 60
    module.command(f'AT+SAVETRANSLINK=1,"{address}",{peer.port},"{kind}",{local}')
    module.control("power cycle")
    module.match(r"\r\nready\r\n(WIFI [A-Za-z0-9 ]+\r\n)+\r\n>")
    module.write(EVERY_BYTE)
    if "TCP" in kind:
        peer.accept()
    assert peer.get(256) == EVERY_BYTE
    if "UDP" in kind:
        assert peer.other[1] == local
    peer.close()


@pytest.fixture(params=["TCP", "TCPv6"])
def serving(start, request):
    """A module that offers passthrough to whoever connects, and the address and port to connect to."""
    module = start()
    port = Door().port
    module.command(f"AT+CIPV6={int(request.param == 'TCPv6')}")
    module.command("AT+SYSMSG=4")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.match(r"(WIFI [A-Za-z0-9 ]+\r\n)+\r\nOK\r\n")
    module.command(f'AT+SAVETRANSLINK=3,{port},"{request.param}"')
    module.control("power cycle")
    module.match(r"\r\nready\r\n(WIFI [A-Za-z0-9 ]+\r\n)+")
    return module, ("::1" if request.param == "TCPv6" else "127.0.0.1", port)


@pytest.mark.ipv6
def test_a_saved_server(serving):
    module, place = serving
    module.write(b"early")
    client = Client(place[1], place[0])
    module.expect("⏎>")
    assert client.get(5) == b"early"
    module.write(EVERY_BYTE)
    assert client.get(256) == EVERY_BYTE
    client.send(EVERY_BYTE)
    assert module.take(256) == EVERY_BYTE
    # One client at a time, and the host hears nothing of the others.
    other = Client(place[1], place[0])
    other.ended()
    client.close()
    module.expect("CLOSED⏎")
    module.write(b"for the next")
    client = Client(place[1], place[0])
    module.expect("CONNECT⏎")
    assert client.get(12) == b"for the next"
    module.leave()
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+CIPSERVER?")
    module.expect(f'+CIPSERVER:1,{place[1]},"{"TCPv6" if ":" in place[0] else "TCP"}",0,0⏎⏎OK⏎')
    # Outside of passthrough the server goes on, for one client at a time.
    client.send(b"as they come")
    module.expect("as they come")
    client.close()
    module.expect("CLOSED⏎")
    client = Client(place[1], place[0])
    module.expect("CONNECT⏎")
    module.send("AT+CIPSEND")
    module.expect("⏎OK⏎⏎>")
    module.write(b"again")
    assert client.get(5) == b"again"
    client.close()
    module.expect("CLOSED⏎")
    client = Client(place[1], place[0])
    module.expect("CONNECT⏎")
    client.close()


def test_a_saved_server_whose_port_is_in_use(start):
    """It cannot run, and the host has its AT port."""
    module = start()
    with socket.create_server(("", 0)) as taken:
        module.command(f"AT+SAVETRANSLINK=3,{taken.getsockname()[1]}")
        module.control("power cycle")
        module.expect("⏎ready⏎")
        module.send("AT+CIPSERVER?")
        module.expect("AT+CIPSERVER?⏎+CIPSERVER:0⏎⏎OK⏎")


def test_twenty_power_cycles(saved):
    """With the peer up, down, or coming up late, and the network too: it connects, or at least lets the host out."""
    peer = Peer()
    port = peer.port
    module = saved(peer)
    peer.accept()
    module.expect("⏎>")
    for number in range(20):
        late = number % 4
        if late:
            peer.close()
        if late == 3:
            module.control("ap down mpy-at")
        module.control("power cycle")
        module.expect("⏎ready⏎")
        if late != 3:
            module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
        if late == 1:  # the peer stays down
            module.leave()
            module.send("AT")
            module.expect("AT⏎⏎OK⏎")
            peer = Peer(port=port)
            continue
        module.write(b"early")
        if late:
            peer = Peer(port=port)
            module.control("ap up mpy-at")
        peer.accept()
        if late == 3:
            module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
        module.expect("⏎>")
        module.write(b" and late")
        assert peer.get(14) == b"early and late"
        peer.sock.sendall(b"back")
        module.expect("back")
    peer.close()
