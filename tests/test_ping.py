"""AT+PING: real echoes of loopback, which answers always; who lies or is silent stands in for the network,
and then only firmware/net/ping.py runs, under MicroPython as ever."""

import errno
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from module import LIMIT
from mpyat import sources
from nameserver import Responder
from privileges import MUTE_NETWORK, own_network, pings

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])


@pytest.fixture
def board():
    return "esp32"


@pytest.fixture
def names():
    responder = Responder(
        {"four.example": ["127.0.0.1"], "six.example": ["::1"], "both.example": ["::1", "127.0.0.1"], "no.example": []}
    )
    yield responder
    responder.close()


@pytest.fixture
def module(start, board, names, tmp_path):
    module = start("--board", board, "--wifi", names.access_points(tmp_path))
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module


ANSWER = r"\+PING:\d+\r\n\r\nOK\r\n"
TIMEOUT = r"\+PING:TIMEOUT\r\n\r\nERROR\r\n"


@pings
@BOARDS
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "four.example", "both.example"])
def test_ipv4(module, host):
    for _ in range(3):
        module.send(f'AT+PING="{host}"')
        module.match(ANSWER)
    module.settled()


@pytest.mark.ipv6
@pings
@pytest.mark.parametrize("host", ["::1", "0:0:0:0:0:0:0:1", "six.example"])
def test_ipv6(module, host):
    module.send(f'AT+PING="{host}"')
    module.match(TIMEOUT)
    module.command("AT+CIPV6=1")
    module.send(f'AT+PING="{host}"')
    module.match(ANSWER)
    module.settled()


@own_network
@BOARDS
def test_a_host_that_does_not_answer(start, board):
    module = start("--board", board, inside=MUTE_NETWORK)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    module.send('AT+PING="127.0.0.1"')
    module.match(TIMEOUT)
    module.settled()


@BOARDS
@pytest.mark.parametrize("host", ["nowhere.example", "no.example", "six.example", ""])
def test_no_such_host(module, host):
    module.send(f'AT+PING="{host}"')
    module.match(TIMEOUT)
    module.settled()


@pytest.mark.ipv6
@pytest.mark.parametrize("host", ["255.255.255.255", "fe80::1%nowhere"])
def test_what_the_network_refuses(module, host):
    module.command("AT+CIPV6=1")
    module.send(f'AT+PING="{host}"')
    module.match(TIMEOUT)
    module.settled()


@pytest.mark.parametrize("board", ["esp8266"])
def test_what_the_network_refuses_as_2_3_has_it(module):
    module.send('AT+PING="255.255.255.255"')
    module.expect("⏎ERROR⏎")
    module.settled()


@pytest.mark.parametrize("line", ["AT+PING", "AT+PING?", "AT+PING=", "AT+PING=1", 'AT+PING="127.0.0.1",1'])
def test_forms(module, line):
    module.send(line)
    module.expect("⏎ERROR⏎")
    module.settled()


# The packets. Here the test answers: as the host that is asked, and before that as anybody else.


class Host:
    """Takes the packets of a ping that has been started."""

    def __init__(self, version, kind, patience, there=True):
        self.version, self.kind = version, kind
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.sock.settimeout(LIMIT)
        script = [Path(__file__).parent / "ping_alone.py", sources.root(), self.sock.getsockname()[1]]
        if not there:
            self.sock.close()
        command = [sys.executable, "-m", "micropython_unix", *script, version, kind, patience]
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)

    def asked(self):
        self.question, self.client = self.sock.recvfrom(2048)
        return self.question

    def good(self):
        """What the right answer looks like."""
        return bytes((0 if self.version == 4 else 129, 0, 0, 0)) + self.question[4:]

    def say(self, packet, options=0):
        """Sends it; over a raw socket of IPv4 the IP header is there too, with so many words of options."""
        if self.kind == "raw" and self.version == 4:
            packet = bytes((0x45 + options,)) + bytes(19 + 4 * options) + packet
        self.sock.sendto(packet, self.client)

    def result(self):
        return self.process.communicate(timeout=LIMIT)[0].strip()

    def close(self):
        self.process.kill()
        self.process.communicate()
        self.sock.close()


@pytest.fixture
def ping():
    """A function that starts a ping of the test itself."""
    hosts = []

    def ping(*arguments):
        hosts.append(Host(*arguments))
        return hosts[-1]

    yield ping
    for host in hosts:
        host.close()


KINDS = pytest.mark.parametrize(("version", "kind"), [(4, "raw"), (4, "own"), (6, "raw"), (6, "own")])


@KINDS
def test_the_question(ping, version, kind):
    questions = []
    for _ in range(2):
        host = ping(version, kind, 1000 * LIMIT)
        questions.append(host.asked())
        host.say(host.good())
        assert int(host.result()) < 1000 * LIMIT
    first, second = questions
    assert len(first) == 40
    assert first[:2] == bytes((8 if version == 4 else 128, 0))
    # The sum of all words, with carries added, is all ones; over IPv6 that is left to the stack.
    total = sum(struct.unpack(">20H", first))
    assert version == 6 or total % 0xFFFF == 0
    assert first[4:8] != second[4:8]
    assert first[8:] != second[8:]


@KINDS
def test_answers_to_others(ping, version, kind):
    host = ping(version, kind, 400)
    host.asked()
    good = host.good()
    host.say(host.question)
    host.say(good[:-1])
    host.say(good + b"\0")
    host.say(good[:8])
    host.say(bytes((3,)) + good[1:])
    places = range(4 if kind == "raw" else 6, 40)  # Linux's own socket fills in an identifier of its own
    for place in places:
        host.say(good[:place] + bytes((good[place] ^ 1,)) + good[place + 1 :])
    assert host.result() == "None"


@KINDS
def test_the_answer_among_others(ping, version, kind):
    host = ping(version, kind, 1000 * LIMIT)
    host.asked()
    good = host.good()
    host.say(good[:-1] + bytes((good[-1] ^ 1,)))
    if kind == "own":
        good = good[:4] + b"id" + good[6:]
    host.say(good, options=3)
    assert int(host.result()) < 1000 * LIMIT


def test_silence(ping):
    host = ping(4, "raw", 100)
    host.asked()
    assert host.result() == "None"


def test_nobody_there(ping):
    """An error that the network tells ends the wait: Linux says so at once of a UDP port that is closed."""
    host = ping(4, "raw", 1000 * LIMIT, False)
    assert host.result() == f"OSError({errno.ECONNREFUSED},)"
