"""Links of the kind SSL on the heap of an ESP8266, of which axTLS takes more than a third."""

import ssl

import pytest
from peers import Peer
from tls_peers import TLSPeer, accepting, serving

# On so much more than the chip has, several links open.
MORE = 16 * 1024
JOIN = 'AT+CWJAP="mpy-at","12345678"'
# What a host has said before, by the answers that it waits for: those of WiFiEspAT and TinyGSM are their start-up.
BEFORE = {
    "fresh": (JOIN,),
    "names": (JOIN, 'AT+CIPDOMAIN="localhost"', 'AT+PING="127.0.0.1"', "AT+GMR"),
    "WiFiEspAT": (
        "ATE0",
        "AT+CIPMUX=1",
        "AT+CIPRECVMODE=1",
        "AT+CWMODE?",
        "AT+GMR",
        "AT+CIPSTATUS",
        JOIN,
        "AT+CIPSTATUS",
        "AT+CIPSTA?",
    ),
    "TinyGSM": (
        "AT",
        "ATE0",
        "AT+CIPMUX=1",
        "AT+CWMODE_CUR=1",
        JOIN.replace("CWJAP", "CWJAP_CUR"),
        "AT+CIPSTATUS",
        "AT+CIPSSLSIZE=4096",
    ),
}


@pytest.fixture
def peer(tmp_path, authority):
    context = serving(tmp_path, authority.rsa_server, weak=True)
    # What is behind the stand-in for axTLS may offer 1.3.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    peer = TLSPeer(context)
    yield peer
    peer.close()


@pytest.fixture(params=BEFORE.values(), ids=BEFORE)
def before(request):
    return request.param


def prepared(start, small, before, more=0):
    """A module to which all that was said, with so much more heap than the chip; and what is in front of a link's
    parameters."""
    module = start("--board", "esp8266", *small[:3], str(int(small[3]) + more))
    for line in before:
        module.send(line)
        module.match(r".*?\r\nOK\r\n")
    return module, "4," if "AT+CIPMUX=1" in before else ""


def exchange(module, link, peer):
    """Data both ways."""
    module.send(f"AT+CIPSEND={link}1000")
    module.expect("⏎OK⏎⏎>")
    module.write(b"u" * 1000)
    module.expect("⏎Recv 1000 bytes⏎⏎SEND OK⏎")
    assert peer.get(1000) == b"u" * 1000
    peer.send(b"d" * 1000)
    if module.match(r"\r\n\+IPD,(?:4,)?1000(:|\r\n)")[1] != b":":
        module.send(f"AT+CIPRECVDATA={link}1000")
        module.match(r"\+CIPRECVDATA[:,]1000[,:]")
        assert module.take(1000) == b"d" * 1000
        module.expect("⏎OK⏎")
    else:
        assert module.take(1000) == b"d" * 1000


def test_it_opens(start, small, before, peer):
    """Two times, as the second one finds the heap as the first one has left it; then a link of TCP."""
    module, link = prepared(start, small, before)
    for _ in range(2):
        module.send(f'AT+CIPSTART={link}"SSL","127.0.0.1",{peer.port}')
        peer.accept()
        module.match(r"(4,)?CONNECT\r\n\r\nOK\r\n")
        exchange(module, link, peer)
        module.send("AT+CIPCLOSE" + (f"={link[0]}" if link else ""))
        module.match(r"(4,)?CLOSED\r\n\r\nOK\r\n")
    plain = Peer()
    module.send(f'AT+CIPSTART={link}"TCP","127.0.0.1",{plain.port}')
    plain.accept()
    module.match(r"(4,)?CONNECT\r\n\r\nOK\r\n")
    exchange(module, link, plain)
    plain.close()


def test_a_stream_can_be_read_after_much_was_sent(start, small, peer):
    """In passive mode; what waits leaves room for the command that reads it."""
    module, link = prepared(start, small, BEFORE["WiFiEspAT"])
    module.send(f'AT+CIPSTART={link}"SSL","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("4,CONNECT⏎⏎OK⏎")
    for letter in b"abcd":
        module.send(f"AT+CIPSEND={link}1024")
        module.expect("⏎OK⏎⏎>")
        module.write(bytes([letter]) * 1024)
        module.expect("⏎Recv 1024 bytes⏎⏎SEND OK⏎")
        assert peer.get(1024) == bytes([letter]) * 1024
    sent = bytes(range(250)) * 20
    peer.send(sent)
    got = b""
    while len(got) < len(sent):
        module.match(r"\r\n\+IPD,4,\d+\r\n")
        module.settled()  # with all that it has a place for
        module.send(f"AT+CIPRECVDATA={link}2048")
        got += module.take(int(module.match(r"\+CIPRECVDATA[:,](\d+)[,:]")[1]))
        module.expect("⏎OK⏎")
    assert got == sent


def test_no_crash_for_want_of_memory(start, small, peer):
    """A second link of SSL is refused after one connection, and the first one goes on."""
    module, _ = prepared(start, small, (JOIN, "AT+CIPMUX=1"))
    module.send(f'AT+CIPSTART=4,"SSL","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("4,CONNECT⏎⏎OK⏎")
    module.send(f'AT+CIPSTART=0,"SSL","127.0.0.1",{peer.port}')
    module.expect("⏎ERROR⏎")
    peer.listener.accept()[0].close()
    peer.listener.settimeout(0)
    with pytest.raises(BlockingIOError):
        peer.listener.accept()
    exchange(module, "4,", peer)


@pytest.mark.parametrize("more", range(0, MORE, 2560))
def test_it_is_begun_with_its_memory_or_not_at_all(start, small, more, peer):
    """On every heap in between: a link of SSL opens, or is refused before axTLS would crash."""
    module, _ = prepared(start, small, (JOIN, "AT+CIPMUX=1"), more)
    with accepting(peer):
        for number in range(3):
            module.send(f'AT+CIPSTART={number},"SSL","127.0.0.1",{peer.port}')
            module.match(r"\r\nERROR\r\n|\d,CONNECT\r\n\r\nOK\r\n")
        module.command("AT")
