"""The server of the kind SSL, with OpenSSL as its clients: good ones, several, bad ones, and ones that say nothing."""

import socket
import ssl
import subprocess

import pytest
from certificates import ASKING, SERVER
from module import LIMIT
from peers import FreePort
from tls_peers import asking, closed, put, set_clock


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def ready(online, authority):
    """A module with the files of a server, that may have several links."""
    online.command("AT+CIPMUX=1")
    set_clock(online)
    put(online, "server_cert.0", authority.server.pem)
    put(online, "server_key.0", authority.server.private())
    put(online, "server_ca.0", authority.root.pem)
    return online


def client(context, port, name=SERVER):
    """A client that has made TLS of its connection."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
    try:
        return context.wrap_socket(plain, server_hostname=name)
    except (ssl.SSLError, ConnectionError):
        plain.close()
        raise


def test_several_clients_at_once(ready, port, tmp_path, authority):
    ready.command(f'AT+CIPSERVER=1,{port},"SSL"')
    ready.send("AT+CIPSERVER?")
    ready.expect(f'+CIPSERVER:1,{port},"SSL",0,0⏎⏎OK⏎')
    context = asking(tmp_path, authority)
    socks = []
    for number in range(3):
        socks.append(client(context, port))
        ready.expect(f"{number},CONNECT⏎")
    for number, sock in enumerate(socks):
        sock.sendall(b"hello %d" % number)
        ready.expect(f"⏎+IPD,{number},7:hello {number}")
        ready.send(f"AT+CIPSEND={number},4")
        ready.expect("⏎OK⏎⏎>")
        ready.write(b"back")
        ready.expect("⏎Recv 4 bytes⏎⏎SEND OK⏎")
        assert sock.recv(10) == b"back"
    ready.send("AT+CIPSTATE?")
    ready.match(rf'(\+CIPSTATE:\d,"SSL","127.0.0.1",\d+,{port},1\r\n){{3}}\r\nOK\r\n')
    socks[1].close()
    ready.expect("1,CLOSED⏎")
    ready.send("AT+CIPSERVER=0,1")
    ready.expect("0,CLOSED⏎2,CLOSED⏎⏎OK⏎")
    for sock in (socks[0], socks[2]):
        closed(sock)
        sock.close()


def test_clients_that_stall_hold_nobody_up(ready, port, tmp_path, authority):
    ready.command(f'AT+CIPSERVER=1,{port},"SSL"')
    ready.command("AT+CIPSTO=1")
    stalled = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
    stalled[1].sendall(b"\x16\x03\x01\x02\x00\x01")
    noise = socket.create_connection(("127.0.0.1", port))
    noise.sendall(b"GET / HTTP/1.1\r\n\r\n")
    sock = client(asking(tmp_path, authority), port)
    number = ready.match(r"(\d),CONNECT\r\n")[1].decode()
    sock.sendall(b"x")
    ready.expect(f"⏎+IPD,{number},1:x")
    for other in (noise, *stalled):
        other.settimeout(LIMIT)
        while True:
            try:
                if not other.recv(100):
                    break
            except ConnectionError:
                break
        other.close()
    sock.close()
    # Of those that never were links the host hears nothing.
    ready.expect(f"{number},CLOSED⏎")
    ready.settled()


def test_passthrough_to_the_one_client(ready, port, tmp_path, authority):
    ready.command("AT+CIPSERVERMAXCONN=1")
    ready.command(f'AT+CIPSERVER=1,{port},"SSL"')
    ready.command("AT+CIPMODE=1")
    ready.send("AT+CIPSEND")
    ready.expect("⏎OK⏎⏎>")
    ready.write(b"early")
    context = asking(tmp_path, authority)
    for _ in range(2):
        sock = client(context, port)
        assert sock.recv(5) == b"early"
        sock.sendall(b"hello")
        ready.expect("hello")
        sock.close()
        ready.write(b"early")
    ready.leave()
    ready.settled()


def test_bad_clients(ready, port, tmp_path, authority):
    ready.command(f'AT+CIPSERVER=1,{port},"SSL",1')
    ready.send("AT+CIPSERVER?")
    ready.expect(f'+CIPSERVER:1,{port},"SSL",1,0⏎⏎OK⏎')
    for what, certificate in [*authority.bad(ASKING).items(), ("none", None)]:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            client(asking(tmp_path, authority, certificate, weak=True), port).recv(1)
        assert not ready.said(), what
    for certificate in (authority.client, authority.leaf(usage=ASKING)):
        sock = client(asking(tmp_path, authority, certificate), port)
        ready.expect("0,CONNECT⏎")
        sock.close()
        ready.expect("0,CLOSED⏎")


def test_bad_clients_are_welcome_where_nobody_asks(ready, port, tmp_path, authority):
    ready.command(f'AT+CIPSERVER=1,{port},"SSL",0')
    for certificate in authority.bad(ASKING).values():
        sock = client(asking(tmp_path, authority, certificate, weak=True), port)
        ready.expect("0,CONNECT⏎")
        sock.close()
        ready.expect("0,CLOSED⏎")


def test_what_a_server_needs(online, port, authority):
    online.command("AT+CIPMUX=1")
    online.command("AT+SYSLOG=1")
    line = f'AT+CIPSERVER=1,{port},"SSL",1'
    for answer, name, data in (
        ("NO CERT FOUND", "server_cert.0", authority.server.pem),
        ("NO PRVT_KEY FOUND", "server_key.0", authority.server.private()),
        ("NO CA FOUND", "server_ca.0", authority.root.pem),
    ):
        online.send(line)
        online.expect(answer + "⏎ERR CODE:0x010a0002⏎⏎ERROR⏎")
        put(online, name, data)
    online.send(line)
    online.expect("the clock was never set, so no certificate can be verified⏎ERR CODE:0x010a0001⏎⏎ERROR⏎")
    online.send(f'AT+CIPSERVER=1,{port},"TCP",1')
    online.expect("ERR CODE:0x010a0000⏎⏎ERROR⏎")
    online.send("AT+CIPSERVER?")
    online.expect("+CIPSERVER:0⏎⏎OK⏎")


def test_the_chain_is_shown_and_s_client_is_content(ready, port, tmp_path, authority):
    put(ready, "server_cert.0", authority.by_the_middle.pem)
    put(ready, "server_key.0", authority.by_the_middle.private())
    ready.command(f'AT+CIPSERVER=1,{port},"SSL"')
    root = tmp_path / "root.pem"
    root.write_bytes(authority.root.pem)
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", root, "-verify_return_error"]
    command += ["-verify_hostname", SERVER, "-quiet"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        ready.expect("0,CONNECT⏎")
        process.stdin.write(b"typed\n")
        process.stdin.flush()
        ready.expect("⏎+IPD,0,6:typed\n")
        process.kill()
    ready.expect("0,CLOSED⏎")


def test_no_more_clients_than_are_allowed(ready, port, tmp_path, authority):
    ready.command("AT+CIPSERVERMAXCONN=1")
    ready.command(f'AT+CIPSERVER=1,{port},"SSL"')
    context = asking(tmp_path, authority)
    sock = client(context, port)
    ready.expect("0,CONNECT⏎")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        client(context, port)
    ready.expect("Have 1 Connections⏎")
    sock.close()
    ready.expect("0,CLOSED⏎")


@pytest.mark.ipv6
def test_ipv6(ready, tmp_path, authority):
    ready.command("AT+CIPV6=1")
    port = FreePort().port
    ready.command(f'AT+CIPSERVER=1,{port},"SSLv6"')
    plain = socket.create_connection(("::1", port), timeout=LIMIT)
    sock = asking(tmp_path, authority).wrap_socket(plain, server_hostname=SERVER)
    ready.expect("0,CONNECT⏎")
    ready.send("AT+CIPSTATE?")
    ready.match(rf'\+CIPSTATE:0,"SSLv6","::1",\d+,{port},1\r\n\r\nOK\r\n')
    sock.close()
    ready.expect("0,CLOSED⏎")
