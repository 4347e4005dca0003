"""TLS 1.3, which no port has yet, with Debian's MicroPython, whose mbedTLS has it: as client and as server."""

import socket
import ssl
import threading

import pytest
from certificates import ASKING, SERVER, SERVING
from module import LIMIT
from mpyat import micropython32
from test_tls_keys import s_server
from tls_peers import TLSPeer, asking, closed, prepare, put, serving, set_clock
from traffic import Host, noise

MUCH = 1_000_000


@pytest.fixture
def modern(start):
    """A module with such a MicroPython that has joined."""
    try:
        program = str(micropython32.get())
    except micropython32.Unavailable as reason:
        pytest.skip(f"no MicroPython for 32 bits: {reason}")
    # The stand-ins and the firmware are on its heap.
    return start("--micropython", program, "--heap", "256K").join()


def modern_server(folder, certificate, authority=None, tickets=2, curve=None):
    context = serving(folder, certificate, authority)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = tickets
    if curve:
        context.set_ecdh_curve(curve)
    return context


def connect(module, peer):
    module.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    sock = peer.accept()
    assert sock.version() == "TLSv1.3"
    module.expect("CONNECT⏎⏎OK⏎")
    return sock


def say(module, data, number=""):
    module.send(f"AT+CIPSEND={number}{len(data)}")
    module.expect("⏎OK⏎⏎>")
    module.write(data)
    module.expect(f"⏎Recv {len(data)} bytes⏎⏎SEND OK⏎")


@pytest.mark.parametrize("tickets", [0, 2])
def test_both_ways_and_the_host_closes(modern, tmp_path, authority, tickets):
    peer = TLSPeer(modern_server(tmp_path, authority.server, tickets=tickets))
    sock = connect(modern, peer)
    say(modern, b"hello")
    assert peer.get(5) == b"hello"
    peer.send(b"back")
    modern.expect("⏎+IPD,4:back")
    modern.send("AT+CIPCLOSE")
    modern.expect("CLOSED⏎⏎OK⏎")
    closed(sock)
    modern.settled()
    peer.close()


@pytest.mark.parametrize("tickets", [0, 2])
def test_the_server_speaks_first_and_closes(modern, tmp_path, authority, tickets):
    """Its tickets, its greeting and its close_notify come together; the connection stays up."""
    peer = TLSPeer(modern_server(tmp_path, authority.server, tickets=tickets))
    modern.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    sock = peer.accept()
    peer.send(b"220 ready\r\n")
    sock.settimeout(0)
    with pytest.raises(ssl.SSLError):
        sock.unwrap()
    modern.expect("CONNECT⏎⏎OK⏎⏎+IPD,11:220 ready⏎CLOSED⏎")
    modern.settled()
    peer.close()


def test_close_notify_behind_the_rest_of_a_record(modern, tmp_path, authority):
    """One that fills the module's buffer several times, and one that fills it just once."""
    peer = TLSPeer(modern_server(tmp_path, authority.server))
    for size in (16384, 2920):
        sock = connect(modern, peer)
        data = noise(size, size)
        peer.send(data)
        sock.settimeout(0)
        with pytest.raises(ssl.SSLError):
            sock.unwrap()
        host = Host(modern)
        host.until("CLOSED\r\n")
        assert host.data[0] == data
    peer.close()


def test_much_data_both_ways(modern, tmp_path, authority):
    peer = TLSPeer(modern_server(tmp_path, authority.server))
    modern.command("AT+CIPMUX=1")
    modern.send(f'AT+CIPSTART=0,"SSL","127.0.0.1",{peer.port}')
    sock = peer.accept()
    modern.expect("0,CONNECT⏎⏎OK⏎")
    data = noise(MUCH, 1)
    sender = threading.Thread(target=sock.sendall, args=(data,), daemon=True)
    sender.start()
    host = Host(modern)
    host.take(0, MUCH)
    sender.join(LIMIT)
    assert host.data[0] == data
    received = []
    receiver = threading.Thread(target=lambda: received.append(peer.get(MUCH)), daemon=True)
    receiver.start()
    modern.command("AT+CIPSENDLCFG=1048576,2920")
    modern.send(f"AT+CIPSENDL=0,{MUCH}")
    modern.expect("⏎OK⏎⏎>")
    modern.write(data)
    modern.match(r"(\+CIPSENDL:[\d,]+\r\n)+\r\nSEND OK\r\n")
    receiver.join(LIMIT)
    assert received == [data]
    peer.close()


def test_the_hello_has_to_be_sent_again_and_the_server_is_verified(modern, tmp_path, authority):
    """The server has no curve that the module guesses: its records begin as those of TLS 1.2 end."""
    prepare(modern, authority)
    modern.command("AT+CIPSSLCCONF=2")
    modern.command(f'AT+CIPSSLCCN="{SERVER}"')
    modern.command("AT+SYSLOG=1")
    peer = TLSPeer(modern_server(tmp_path, authority.server, curve="secp521r1"))
    connect(modern, peer)
    say(modern, b"hello")
    assert peer.get(5) == b"hello"
    modern.send("AT+CIPCLOSE")
    modern.expect("CLOSED⏎⏎OK⏎")
    peer.close()
    peer = TLSPeer(modern_server(tmp_path, authority.bad(SERVING)["self-signed"], curve="secp521r1"))
    modern.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    with pytest.raises(ssl.SSLError):
        peer.accept()
    modern.match(r"[^\r]*The certificate is not correctly signed by[^\r]*\r\nERR CODE:0x010a2700\r\n\r\nERROR\r\n")
    peer.close()


def test_bad_servers(modern, tmp_path, authority):
    prepare(modern, authority)
    modern.command("AT+CIPSSLCCONF=2")
    modern.command(f'AT+CIPSSLCCN="{SERVER}"')
    for what, certificate in authority.bad(SERVING).items():
        context = serving(tmp_path, certificate, weak=True)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        peer = TLSPeer(context)
        modern.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
        with pytest.raises(ssl.SSLError):
            peer.accept()
        assert modern.take(9) == b"\r\nERROR\r\n", what
        peer.close()
    modern.settled()


def test_new_keys_in_the_same_connection_end_the_link(modern, tmp_path, authority):
    certificate, key = authority.server.files(tmp_path)
    with s_server("-cert", certificate, "-key", key, "-tls1_3") as server:
        modern.send(f'AT+CIPSTART="SSL","127.0.0.1",{server.port}')
        modern.expect("CONNECT⏎⏎OK⏎")
        server.stdin.write(b"before\n")
        modern.expect("⏎+IPD,7:before\n")
        server.stdin.write(b"k\n")
        modern.expect("CLOSED⏎")
    modern.settled()


def test_the_server_asks_for_a_certificate(modern, tmp_path, authority):
    """With TLS 1.3 a client is through before the server has looked at its certificate."""
    prepare(modern, authority)
    peer = TLSPeer(modern_server(tmp_path, authority.server, authority))
    modern.command("AT+CIPSSLCCONF=3")
    modern.command(f'AT+CIPSSLCCN="{SERVER}"')
    sock = connect(modern, peer)
    assert dict(*sock.getpeercert()["subject"])["commonName"] == "a client"
    modern.send("AT+CIPCLOSE")
    modern.expect("CLOSED⏎⏎OK⏎")
    modern.command("AT+CIPSSLCCONF=2")
    modern.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    with pytest.raises(ssl.SSLError):
        peer.accept()
    modern.match(r"CONNECT\r\n\r\nOK\r\nCLOSED\r\n|\r\nERROR\r\n")
    modern.settled()
    peer.close()


@pytest.fixture
def door(modern, authority):
    """The port of a server that has its files; which of the two kinds is yet to be said."""
    modern.command("AT+CIPMUX=1")
    set_clock(modern)
    put(modern, "server_cert.0", authority.server.pem)
    put(modern, "server_key.0", authority.server.private())
    put(modern, "server_ca.0", authority.root.pem)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def client(context, port):
    plain = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
    try:
        sock = context.wrap_socket(plain, server_hostname=SERVER)
    except (ssl.SSLError, ConnectionError):
        plain.close()
        raise
    assert sock.version() == "TLSv1.3"
    return sock


@pytest.mark.parametrize("verifies", [0, 1])
def test_clients(modern, door, tmp_path, authority, verifies):
    """The first one waits for the module to speak, the second one speaks at once."""
    modern.command(f'AT+CIPSERVER=1,{door},"SSL",{verifies}')
    context = asking(tmp_path, authority, authority.client if verifies else None)
    for speaks in (False, True):
        sock = client(context, door)
        if speaks:
            sock.sendall(b"at once")
        modern.expect("0,CONNECT⏎")
        if speaks:
            modern.expect("⏎+IPD,0,7:at once")
        say(modern, b"hello", "0,")
        assert sock.recv(100) == b"hello"
        sock.close()
        modern.expect("0,CLOSED⏎")


def test_bad_clients(modern, door, tmp_path, authority):
    modern.command(f'AT+CIPSERVER=1,{door},"SSL",1')
    for what, certificate in [*authority.bad(ASKING).items(), ("none", None)]:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            client(asking(tmp_path, authority, certificate, weak=True), door).recv(1)
        assert not modern.said(), what
    sock = client(asking(tmp_path, authority, authority.client), door)
    modern.expect("0,CONNECT⏎")
    sock.close()
    modern.expect("0,CLOSED⏎")
