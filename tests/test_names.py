"""Names in place of addresses: a name server on loopback answers, lies, fails or says nothing.
None of that ever holds up the port or the other links."""

import contextlib
import time

import pytest
from module import LIMIT
from nameserver import CNAME, NO_SUCH_NAME, SERVER_FAILED, A, NameServer, address, encoded
from peers import Peer

HERE = (None, A, address("127.0.0.1"))


@pytest.fixture
def server():
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


@pytest.fixture
def module(start, server, tmp_path):
    """A module whose network has the test's name server."""
    module = start("--wifi", server.access_points(tmp_path))
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module


def connects(module, peer):
    """The CIPSTART that is under way ends well, and the link moves data."""
    module.expect("CONNECT⏎⏎OK⏎")
    peer.accept()
    peer.sock.sendall(b"hello")
    module.expect("⏎+IPD,5:hello")
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")


def test_address(module, server, peer):
    module.send(f'AT+CIPSTART="TCP","web.example",{peer.port}')
    assert server.asked() == "web.example"
    server.answer(HERE)
    connects(module, peer)
    # CIPSTATE and CIPDINFO tell the address, not the name.
    module.send(f'AT+CIPSTART="TCP","web.example",{peer.port}')
    server.asked()
    server.answer(HERE)
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPSTATE?")
    module.match(rf'\+CIPSTATE:0,"TCP","127\.0\.0\.1",{peer.port},\d+,0\r\n\r\nOK\r\n')


def test_nobody_is_asked_for_what_is_known(module, server, peer):
    for host in ("127.0.0.1", "localhost", "LOCALHOST"):
        module.send(f'AT+CIPSTART="TCP","{host}",{peer.port}')
        connects(module, peer)
    assert server.idle()


def test_alias(module, server, peer):
    """The records of an alias come first, then those of the name behind it."""
    module.send(f'AT+CIPSTART="TCP","www.example",{peer.port}')
    server.asked()
    alias = (None, CNAME, encoded("front.web.example"))
    server.answer(alias, ("front.web.example", CNAME, encoded("a.example")), ("a.example", A, HERE[2]))
    connects(module, peer)


def test_another_case(module, server, peer):
    """A server may write the name in its own case."""
    module.send(f'AT+CIPSTART="TCP","Web.Example",{peer.port}')
    assert server.asked().lower() == "web.example"
    server.answer(HERE, question=encoded("WEB.example") + b"\0\1\0\1")
    connects(module, peer)


def test_no_such_name(module, server):
    module.send('AT+CIPSTART="TCP","nowhere.example",80')
    server.asked()
    server.answer(code=NO_SUCH_NAME)
    module.expect("⏎ERROR⏎")


def test_a_name_without_an_address(module, server):
    """As of a host that has IPv6 only: the answer is empty, and nobody waits for a better one."""
    began = time.monotonic()
    module.send('AT+CIPSTART="TCP","six.example",80')
    server.asked()
    server.answer()
    module.expect("⏎ERROR⏎")
    assert time.monotonic() - began < LIMIT / 10


@pytest.mark.parametrize("name", [".", "a..example", "x" * 64, "", ".example"])
def test_no_name_at_all(module, name):
    module.send(f'AT+CIPSTART="TCP","{name}",80')
    module.expect("⏎ERROR⏎")


def test_a_server_that_fails_is_asked_again(module, server, peer):
    module.send(f'AT+CIPSTART="TCP","web.example",{peer.port}')
    server.asked()
    server.answer(code=SERVER_FAILED)
    server.asked()
    server.answer(HERE)
    connects(module, peer)


def test_a_lost_question_is_asked_again(module, server, peer):
    module.send(f'AT+CIPSTART="TCP","web.example",{peer.port},,,2000')
    first = server.asked(), server.question[:2]
    second = server.asked(), server.question[:2]
    assert first[0] == second[0]
    server.answer(HERE)
    connects(module, peer)


def test_answers_to_something_else_are_ignored(module, server, peer):
    module.send(f'AT+CIPSTART="TCP","web.example",{peer.port}')
    server.asked()
    false = (None, A, address("127.0.0.9"))
    server.answer(false, identity=bytes(byte ^ 0xFF for byte in server.question[:2]))
    server.answer(false, question=encoded("bad.example") + b"\0\1\0\1")
    # The question itself, nothing, noise, and an answer whose record is cut off or longer than the packet.
    server.send(server.question)
    server.send(b"")
    server.send(b"\xff" * 300)
    good = server.question[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + server.question[12:]
    server.send(good + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x7f")
    server.send(good + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\xff\xff")
    server.send(good + b"\x3f")
    server.answer(HERE)
    connects(module, peer)


def test_a_liar_does_not_prolong_the_wait(module, server):
    """Answers that do not fit come again and again; the limit of the command holds."""
    module.send('AT+CIPSTART="TCP","web.example",80,,,1000')
    server.asked()
    server.sock.settimeout(0.1)
    for _ in range(10 * LIMIT):
        server.answer(HERE, identity=b"no")
        with contextlib.suppress(TimeoutError):
            server.asked()
        if module.said():
            break
    module.expect("⏎ERROR⏎")


def test_a_silent_server_holds_up_nothing(module, server, peer):
    module.command("AT+CIPMUX=1")
    module.send(f'AT+CIPSTART=3,"TCP","127.0.0.1",{peer.port}')
    module.expect("3,CONNECT⏎⏎OK⏎")
    peer.accept()
    module.send('AT+CIPSTART=0,"TCP","silent.example",80,,,1500')
    server.asked()
    module.send("AT")
    module.expect("⏎busy p...⏎")
    for i in range(20):
        peer.sock.sendall(b"block %02d" % i)
        module.expect(f"⏎+IPD,3,8:block {i:02}")
    module.expect("⏎ERROR⏎")
    module.send("AT+CIPSTATUS")
    module.match(r"STATUS:3\r\n\+CIPSTATUS:3,[^\r]*\r\n\r\nOK\r\n")


def test_network_lost_while_asking(module, server, peer):
    """The link must not come up without a slot of its own once the answer is there after all."""
    module.send(f'AT+CIPSTART="TCP","web.example",{peer.port}')
    server.asked()
    assert module.control("ap down mpy-at") == "ok"
    module.expect("WIFI DISCONNECT⏎")
    server.answer(HERE)
    module.expect("⏎ERROR⏎")
    module.command("AT+CIPMUX=1")


def test_restart_while_asking(module, server):
    module.send('AT+CIPSTART="TCP","silent.example",80')
    server.asked()
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
