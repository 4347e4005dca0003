"""Links of the kind SSL in passive mode, in passthrough, saved, with much data, and when memory runs out."""

import hashlib
import os
import select
import socket
import ssl
import threading

import pytest
from certificates import SERVER
from module import LIMIT
from peers import Peer
from tls_peers import TLSPeer, accepting, asking, closed, prepare, put, serving
from traffic import Host, noise

MUCH = 10_000_000


@pytest.fixture
def peer(tmp_path, authority):
    peer = TLSPeer(serving(tmp_path, authority.server))
    yield peer
    peer.close()


def connect(module, peer, receive_buffer=0):
    module.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    sock = peer.accept(receive_buffer)
    module.expect("CONNECT⏎⏎OK⏎")
    return sock


def enter(module, peer, receive_buffer=0):
    module.command("AT+SYSMSG=4")
    connect(module, peer, receive_buffer)
    module.command("AT+CIPMODE=1")
    module.send("AT+CIPSEND")
    module.expect("⏎OK⏎⏎>")


def receive(module, length):
    """Reads in passive mode."""
    module.send(f"AT+CIPRECVDATA={length}")
    count = int(module.match(r"\+CIPRECVDATA:(\d+),")[1])
    data = module.take(count)
    module.expect("⏎OK⏎")
    return data


class Sender(threading.Thread):
    """Sends much from the peer, while the test takes it from the module."""

    def __init__(self, peer):
        super().__init__(daemon=True)
        self.sock, self.data = peer.sock, noise(MUCH, 1)
        self.sum = hashlib.sha256(self.data).hexdigest()
        self.start()

    def run(self):
        self.sock.sendall(self.data)


class Receiver(threading.Thread):
    """Takes much at the peer, while the test gives it to the module."""

    def __init__(self, peer):
        super().__init__(daemon=True)
        self.sock = peer.sock
        self.received = hashlib.sha256()
        self.start()

    def run(self):
        left = MUCH
        while left:
            data = self.sock.recv(65536)
            if not data:
                return
            self.received.update(data)
            left -= len(data)

    def finish(self):
        self.join(LIMIT)
        assert not self.is_alive()
        return self.received.hexdigest()


def test_much_data_in_active_mode(online, peer):
    online.command("AT+CIPMUX=1")
    online.send(f'AT+CIPSTART=0,"SSL","127.0.0.1",{peer.port}')
    peer.accept()
    online.expect("0,CONNECT⏎⏎OK⏎")
    host = Host(online)
    sender = Sender(peer)
    host.take(0, MUCH)
    assert hashlib.sha256(host.data[0]).hexdigest() == sender.sum


def test_much_data_is_sent(online, peer):
    connect(online, peer)
    receiver = Receiver(peer)
    data = noise(MUCH, 2)
    online.command("AT+CIPSENDLCFG=1048576,2920")
    online.send(f"AT+CIPSENDL={MUCH}")
    online.expect("⏎OK⏎⏎>")
    online.write(data)
    online.match(r"(\+CIPSENDL:\d+,\d+\r\n)+\r\nSEND OK\r\n")
    assert receiver.finish() == hashlib.sha256(data).hexdigest()


def test_much_data_in_passive_mode(online, peer):
    online.command("AT+CIPRECVMODE=1")
    connect(online, peer)
    sender = Sender(peer)
    received = hashlib.sha256()
    left = MUCH
    online.match(r"\r\n\+IPD,\d+\r\n")
    while left:
        online.send("AT+CIPRECVDATA=10000")
        # The notice of the next data may come before the question for them.
        found = online.match(r"(?:\r\n\+IPD,\d+\r\n)*(?:\+CIPRECVDATA:(\d+),|\r\nERROR\r\n)")[1]
        if found:
            received.update(online.take(int(found)))
            online.expect("⏎OK⏎")
            left -= int(found)
    assert received.hexdigest() == sender.sum


def test_much_data_in_passthrough(online, peer):
    enter(online, peer)
    sender = Sender(peer)
    assert hashlib.sha256(online.take(MUCH)).hexdigest() == sender.sum
    receiver = Receiver(peer)
    data = noise(MUCH, 3)
    online.write(data)
    assert receiver.finish() == hashlib.sha256(data).hexdigest()


def test_records_around_the_size_of_the_buffer_in_passthrough(online, peer):
    """What TLS keeps of a record comes at once, and so does what is sent."""
    enter(online, peer)
    for size in (1, 1460, 2919, 2920, 2921, 4097, 5840, 5841, 16384):
        data = noise(size, size)
        peer.send(data)
        assert online.take(size) == data
        online.write(data)
        assert peer.get(size) == data


def test_a_peer_that_reads_late_in_passthrough(online, peer):
    """The rest of a record waits, and then all goes on where it stopped."""
    enter(online, peer, 4096)
    data = noise(MUCH, 4)
    sent = 0
    # All buffers are full once nothing more is taken for a while.
    while select.select([], [online.fd], [], 0.2)[1]:
        sent += os.write(online.fd, data[sent : sent + 4096])
    assert sent < MUCH
    receiver = Receiver(peer)
    online.write(data[sent:])
    assert receiver.finish() == hashlib.sha256(data).hexdigest()


def test_passive_mode_holds_the_peer_back_and_loses_nothing(online, peer):
    online.command("AT+CIPRECVMODE=1")
    sock = connect(online, peer)
    peer.send(b"a" * 3000)
    online.match(r"\r\n\+IPD,\d+\r\n")
    peer.send(b"b" * 9000)
    # The peer closes; what it has sent before can still be read, and then the host hears of it.
    sock.settimeout(0)
    with pytest.raises(ssl.SSLError):
        sock.unwrap()
    data = b""
    while len(data) < 12000:
        online.send("AT+CIPRECVDATA=2000")
        found = online.match(r"(?:\r\n\+IPD,\d+\r\n)*(?:\+CIPRECVDATA:(\d+),|\r\nERROR\r\n)")[1]
        if found:
            data += online.take(int(found))
            online.expect("⏎OK⏎")
    assert data == b"a" * 3000 + b"b" * 9000
    online.match(r"CLOSED\r\n")
    online.settled()


def test_from_passive_to_active(online, peer):
    online.command("AT+CIPRECVMODE=1")
    connect(online, peer)
    peer.send(b"z" * 16384)  # one record, of which the module keeps a part
    online.match(r"\r\n\+IPD,\d+\r\n")
    online.send("AT+CIPRECVLEN?")
    assert online.match(r"\+CIPRECVLEN:(\d+),-1,-1,-1,-1\r\n\r\nOK\r\n")[1] != b"0"
    online.send("AT+CIPRECVMODE=0")
    data = b""
    while len(data) < 16384:
        found = online.match(r"\r\n\+IPD,(\d+):|\r\nOK\r\n")[1]
        if found:
            data += online.take(int(found))
    assert data == b"z" * 16384


def test_passthrough_connects_again(online, peer):
    enter(online, peer)
    online.write(b"one")
    assert peer.get(3) == b"one"
    peer.sock.close()
    online.match(r"CLOSED\r\n")
    online.write(b"two")
    peer.accept()
    online.expect("CONNECT⏎")
    assert peer.get(3) == b"two"
    peer.send(b"raw")
    online.expect("raw")
    online.leave()
    online.send("AT+CIPCLOSE")
    online.expect("CLOSED⏎⏎OK⏎")
    closed(peer.sock)


def saved(start, line, **files):
    """A module that enters passthrough at its start, with files in its store."""
    module = start()
    for name, data in files.items():
        put(module, name.replace("_0", ".0"), data)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    module.command("AT+SYSMSG=4")
    module.command(line)
    assert module.control("power cycle") == "ok"
    module.match(r"\r\nready\r\n(WIFI [A-Za-z0-9 ]+\r\n)+")
    return module


def test_a_saved_link(start, tmp_path, authority, peer):
    module = saved(start, f'AT+SAVETRANSLINK=1,"127.0.0.1",{peer.port},"SSL",60')
    peer.accept()
    module.expect("⏎>")
    module.write(b"up")
    assert peer.get(2) == b"up"
    peer.send(b"down")
    module.expect("down")


def test_a_saved_server(start, tmp_path, authority):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    files = {"server_cert_0": authority.server.pem, "server_key_0": authority.server.private()}
    module = saved(start, f'AT+SAVETRANSLINK=3,{port},"SSL"', **files)
    context = asking(tmp_path, authority)
    for said in (b"first", b"again"):
        plain = socket.create_connection(("127.0.0.1", port), timeout=LIMIT)
        with context.wrap_socket(plain, server_hostname=SERVER) as sock:
            module.expect("⏎>" if said == b"first" else "CONNECT⏎")
            module.write(said)
            assert sock.recv(100) == said
            sock.sendall(b"down")
            module.expect("down")
        module.expect("CLOSED⏎")


def test_memory_runs_out_and_everything_else_lives(start, tmp_path, authority):
    """On a heap that is too small for TLS the command is an ERROR; the link of TCP goes on."""
    module = start("--board", "esp8266", "--heap", "40wK")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.match(r".*?\r\nOK\r\n")
    module.command("AT+CIPMUX=1")
    plain = Peer()
    module.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{plain.port}')
    plain.accept()
    module.expect("0,CONNECT⏎⏎OK⏎")
    context = serving(tmp_path, authority.rsa_server, weak=True)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    peer = TLSPeer(context)
    with accepting(peer):
        for number in range(1, 5):
            module.send(f'AT+CIPSTART={number},"SSL","127.0.0.1",{peer.port}')
            if module.match(r"\r\nERROR\r\n|\d,CONNECT\r\n\r\nOK\r\n")[0] == b"\r\nERROR\r\n":
                break
        else:
            raise AssertionError("the memory is enough")
        plain.send(b"alive")
        module.expect("⏎+IPD,0,5:alive")
        module.send("AT+CIPSEND=0,3")
        module.expect("⏎OK⏎⏎>")
        module.write(b"yes")
        module.expect("⏎Recv 3 bytes⏎⏎SEND OK⏎")
        assert plain.get(3) == b"yes"
    plain.close()
    peer.close()


def test_two_verified_links_on_the_heap_of_an_esp32(online, tmp_path, authority):
    prepare(online, authority)
    online.command("AT+CIPMUX=1")
    online.command("AT+CIPSSLCCONF=5,3")
    online.command(f'AT+CIPSSLCCN=5,"{SERVER}"')
    peer = TLSPeer(serving(tmp_path, authority.by_the_middle, authority))
    socks = []
    for number in range(5):
        online.send(f'AT+CIPSTART={number},"SSL","127.0.0.1",{peer.port}')
        socks.append(peer.accept())
        online.expect(f"{number},CONNECT⏎⏎OK⏎")
    for number, sock in enumerate(socks):
        sock.sendall(b"%d" % number)
        online.expect(f"⏎+IPD,{number},1:{number}")
    for sock in socks:
        sock.close()
    peer.close()


def memory(module):
    module.send("AT+SYSRAM?")
    return int(module.match(r"\+SYSRAM:(\d+),\d+\r\n\r\nOK\r\n")[1])


def test_links_leave_nothing_behind(online, peer):
    free = []
    for _ in range(20):
        connect(online, peer)
        peer.send(b"x" * 100)
        online.expect("⏎+IPD,100:" + "x" * 100)
        online.send("AT+CIPCLOSE")
        online.expect("CLOSED⏎⏎OK⏎")
        peer.sock.close()
        free.append(memory(online))
    assert min(free[-5:]) > free[4] - 500
