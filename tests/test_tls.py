"""Links of the kind SSL, as the client: opened, used in all ways, and closed, with OpenSSL at the other end."""

import socket
import ssl

import pytest
from peers import Peer
from tls_peers import TLSPeer, closed, serving
from traffic import Host


@pytest.fixture
def peer(tmp_path, authority):
    peer = TLSPeer(serving(tmp_path, authority.server))
    yield peer
    peer.close()


def connect(module, peer, number="", more=""):
    """Opens a link, with an id if there is one; returns the peer's socket."""
    before = f"{number}," if number != "" else ""
    module.send(f'AT+CIPSTART={before}"SSL","127.0.0.1",{peer.port}{more}')
    sock = peer.accept()
    module.expect(f"{before}CONNECT⏎⏎OK⏎")
    return sock


def test_a_link_carries_data_both_ways_and_is_closed_by_the_host(online, peer):
    sock = connect(online, peer)
    assert sock.version() == "TLSv1.2"
    online.send("AT+CIPSTATE?")
    online.match(rf'\+CIPSTATE:0,"SSL","127.0.0.1",{peer.port},\d+,0\r\n\r\nOK\r\n')
    online.send("AT+CIPSEND=5")
    online.expect("⏎OK⏎⏎>")
    online.write(b"hello")
    online.expect("⏎Recv 5 bytes⏎⏎SEND OK⏎")
    assert peer.get(5) == b"hello"
    peer.send(b"back")
    online.expect("⏎+IPD,4:back")
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    closed(sock)
    online.settled()


@pytest.mark.parametrize("notify", [True, False], ids=["close_notify", "fin"])
def test_what_the_peer_sends_before_it_closes_is_not_lost(online, peer, notify):
    sock = connect(online, peer)
    peer.send(b"x" * 5000)
    if notify:
        # The connection stays up: the module has to understand the alert.
        sock.settimeout(0)
        with pytest.raises(ssl.SSLError):
            sock.unwrap()
    else:
        socket.socket(fileno=sock.detach()).close()
    host = Host(online)
    host.until("CLOSED\r\n")
    assert host.data[0] == b"x" * 5000
    online.settled()


def test_a_record_is_larger_than_what_is_read_at_once(online, peer):
    connect(online, peer)
    data = bytes(range(256)) * 64
    peer.send(data)  # 16 KiB, which is the largest record that there is
    host = Host(online)
    host.take(0, len(data))
    assert host.data[0] == data


def test_two_links_and_one_of_tcp_at_once(online, peer):
    online.command("AT+CIPMUX=1")
    plain = Peer()
    online.send(f'AT+CIPSTART=3,"TCP","127.0.0.1",{plain.port}')
    plain.accept()
    online.expect("3,CONNECT⏎⏎OK⏎")
    socks = [connect(online, peer, 0), connect(online, peer, 4)]
    host = Host(online)
    for _ in range(3):
        for number, sock in zip((0, 4, 3), (*socks, plain.sock), strict=True):
            sock.sendall(b"to %d" % number)
            host.take(number, 4)
            assert host.data[number] == b"to %d" % number
            host.data[number].clear()
            host.send(number, b"from %d" % number)
            assert sock.recv(100) == b"from %d" % number
    online.send("AT+CIPCLOSE=5")
    online.expect("0,CLOSED⏎3,CLOSED⏎4,CLOSED⏎⏎OK⏎")
    plain.close()


def test_a_handshake_that_stalls_holds_nothing_up_and_ends(online, peer):
    """The server takes the connection and then says nothing, or half a record, or what is no TLS."""
    online.command("AT+CIPMUX=1")
    online.command("AT+SYSLOG=1")
    other = connect(online, peer, 1)
    for said, reason in (
        (b"", "TLS handshake timed out⏎ERR CODE:0x010a006e"),
        (b"\x16\x03\x03\x00\x50\x02", "TLS handshake timed out⏎ERR CODE:0x010a006e"),
    ):
        stall = Peer()
        online.send(f'AT+CIPSTART=0,"SSL","127.0.0.1",{stall.port},,,600')
        stall.accept()
        stall.send(said)
        # Meanwhile the other link goes on, and the port answers.
        other.sendall(b"x")
        online.expect("⏎+IPD,1,1:x")
        online.send("AT")
        online.expect("⏎busy p...⏎")
        online.expect(reason + "⏎⏎ERROR⏎")
        stall.close()
    stall = Peer()
    online.send(f'AT+CIPSTART=0,"SSL","127.0.0.1",{stall.port}')
    stall.accept()
    stall.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    online.match(r"MBEDTLS_ERR_SSL_INVALID_RECORD\r\nERR CODE:0x010a7200\r\n\r\nERROR\r\n")
    stall.close()
    stall = Peer()
    online.send(f'AT+CIPSTART=0,"SSL","127.0.0.1",{stall.port}')
    stall.accept()
    stall.sock.close()
    online.match(r"TLS handshake: the peer has closed the connection\r\nERR CODE:0x010a0068\r\n\r\nERROR\r\n")
    stall.close()
    assert not online.said()
    other.sendall(b"y")
    online.expect("⏎+IPD,1,1:y")


def test_the_network_goes_in_the_middle_of_a_handshake(online):
    stall = Peer()
    online.send(f'AT+CIPSTART="SSL","127.0.0.1",{stall.port}')
    stall.accept()
    stall.get(5)  # the beginning of its hello
    assert online.control("ap down mpy-at") == "ok"
    online.match(r"(WIFI DISCONNECT\r\n)?\r\nERROR\r\n(WIFI DISCONNECT\r\n)?")
    stall.close()


def test_the_servers_name_is_sent_when_it_is_set(online, tmp_path, authority):
    context = serving(tmp_path, authority.server)
    asked = []
    context.sni_callback = lambda sock, name, context: asked.append(name)
    peer = TLSPeer(context)
    online.command('AT+CIPSSLCSNI="first.test"')
    online.send("AT+CIPSSLCSNI?")
    online.expect('+CIPSSLCSNI:0,"first.test"⏎⏎OK⏎')
    for name in ("first.test", None):
        connect(online, peer)
        online.send("AT+CIPCLOSE")
        online.expect("CLOSED⏎⏎OK⏎")
        online.command('AT+CIPSSLCSNI=""')
        assert asked.pop() == name
    peer.close()


def test_rsa_and_the_client_asks_for_the_address_that_it_binds(online, tmp_path, authority):
    peer = TLSPeer(serving(tmp_path, authority.rsa_server))
    connect(online, peer, more=',60,"127.0.0.2",5000')
    assert peer.address[0] == "127.0.0.2"
    peer.close()


@pytest.mark.ipv6
def test_ipv6(online, tmp_path, authority):
    online.command("AT+CIPV6=1")
    peer = TLSPeer(serving(tmp_path, authority.server), "::1")
    online.send(f'AT+CIPSTART="SSLv6","::1",{peer.port}')
    peer.accept()
    online.expect("CONNECT⏎⏎OK⏎")
    online.send("AT+CIPSTATE?")
    online.match(rf'\+CIPSTATE:0,"SSLv6","::1",{peer.port},\d+,0\r\n\r\nOK\r\n')
    peer.close()
