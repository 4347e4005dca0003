"""The memory is taken away while data are on their way: none of them are lost, what is not sent is said, and the rest
of them is no command."""

import contextlib
import re

import bundles
import pytest
from clients import serving
from lean import RESULT, each, lean, linked, peer
from peers import UDPPeer
from test_filters import configure
from traffic import noise
from update_server import UpdateServer

COUNT, FIRST, SECOND = 4000, 700, 2900  # bytes of a stream, and where the memory goes and comes
DATAGRAM = 1472
# Lines for which modules are loaded that are idle afterwards.
IDLE = ("AT+UART_CUR?", "AT+CWMODE?", 'AT+CIPDNS=1,"1.2.3.4"', "AT+CIPRECVLEN?", "AT+SYSTIMESTAMP?", "AT+CIPSSLCCONF?")
FILTERS = 8
# What tells something, and the bytes that are left for it: the simulator's radio takes some, the chip's takes none.
QUESTIONS = (
    ("AT+CIPSTATUS", 0),
    ("AT+GMR", 0),
    ("AT+CIPSTATE?", 0),
    ("AT+CIPSERVER?", 0),
    ("AT+CIFSR", 512),
)


def reopen(lean, peer):
    lean.must(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()


def test_a_long_stream_goes_on(linked, peer):
    """All of it comes, and each step is reported once; or it ends with SEND FAIL and the link, behind what was told."""
    module = linked.module
    data = noise(COUNT, 5)

    def verify(left, cold):
        module.send(f"AT+CIPSENDL={COUNT}")
        module.expect("⏎OK⏎⏎>")
        module.write(data[:FIRST])
        assert peer.get(FIRST) == data[:FIRST]
        linked.control(f"memory leave {left}")
        module.write(data[FIRST:SECOND])
        linked.control("memory leave all")
        module.write(data[SECOND:])
        answer = module.match(b".*?" + RESULT)[0]
        steps = [int(sent) for sent in re.findall(rb"\+CIPSENDL:(\d+),\d+\r\n", answer)]
        linked.worked = answer.endswith(b"SEND OK\r\n")
        if linked.worked:
            assert peer.get(COUNT - FIRST) == data[FIRST:]
            assert steps == [1024, 2048, 3072, COUNT], answer
        else:
            assert answer.endswith(b"SEND FAIL\r\n"), answer
            got = bytearray(data[:FIRST])
            while more := peer.sock.recv(COUNT):
                got += more
            assert got == data[: len(got)] and steps[-1] == len(got), (len(got), answer)
            module.expect("CLOSED⏎")
        assert not re.sub(rb"\+CIPSENDL:\d+,\d+\r\n", b"", answer[: answer.rindex(b"\r\nSEND")]), answer
        linked.give()
        if not linked.worked:
            reopen(linked, peer)

    each(linked, "AT+CIPSENDL", verify)


def test_a_stream_that_waits_is_read(lean, peer):
    """Whole and in its order, although there is no memory when the command comes."""
    module = lean.module
    lean.must("AT+CIPRECVMODE=1")
    reopen(lean, peer)
    data = noise(1500, 6)

    def verify(left, cold):
        peer.send(data)
        got = b""
        while len(got) < len(data):
            wanted = min(600, len(data) - len(got))
            lean.take(left, cold)
            module.write(b"AT+CIPRECVDATA=%d\r\n" % wanted)
            found = module.match(rb"((\r\n)?\+IPD,\d+\r\n|ERR CODE:0x\w+\r\n)*(\+CIPRECVDATA:(\d+),|\r\nERROR\r\n)")
            lean.worked = bool(found[4])
            if lean.worked:
                got += module.take(int(found[4]))
                module.expect("⏎OK⏎")
            lean.give()
            if not lean.worked:
                module.send("AT+CIPRECVLEN?")
                module.match(rb".*?\+CIPRECVLEN:\d+.*?\r\n\r\nOK\r\n")
                lean.control("memory leave all")
                module.send(f"AT+CIPRECVDATA={wanted}")
                found = module.match(rb".*?\+CIPRECVDATA:(\d+),")
                got += module.take(int(found[1]))
                module.expect("⏎OK⏎")
                module.match(rb"(\r\n\+IPD,\d+\r\n)?")
            assert got == data[: len(got)]

    each(lean, "AT+CIPRECVDATA", verify)


@pytest.fixture
def datagrams():
    peer = UDPPeer()
    yield peer
    peer.close()


def test_a_large_datagram_is_sent_or_not(lean, datagrams):
    """Whole. It takes the buffer of the reports, which has to be free again, whatever happens."""
    module = lean.module
    lean.must(f'AT+CIPSTART="UDP","127.0.0.1",{datagrams.port}')
    data = noise(DATAGRAM, 7)

    def verify(left, cold):
        lean.take(left, cold)
        module.write(b"AT+CIPSEND=%d\r\n" % DATAGRAM)
        answer = module.match(rb".*?(\r\n>|\r\nERROR\r\n)")[0]
        lean.worked = answer.endswith(b">")
        if lean.worked:
            module.write(data)
            answer = module.match(b".*?" + RESULT)[0]
            assert b"\r\nRecv %d bytes\r\n" % DATAGRAM in answer or answer.endswith(b"ERROR\r\n"), answer
            lean.worked = answer.endswith(b"SEND OK\r\n")
        lean.give()
        if lean.worked:
            assert datagrams.get() == data
        module.send("AT+CIPSEND=2")
        module.expect("⏎OK⏎⏎>")
        module.write(b"ok")
        module.expect("⏎Recv 2 bytes⏎⏎SEND OK⏎")
        assert datagrams.get() == b"ok"
        datagrams.send(b"hello")
        module.match(rb".*?\+IPD,5:hello")

    each(lean, f"AT+CIPSEND={DATAGRAM}", verify)


@pytest.mark.parametrize("line, left", QUESTIONS)
def test_a_command_gets_the_memory_of_idle_ones(lean, line, left):
    """Also where filters and a server, which stay, have taken theirs."""
    filtered(lean.module)
    for idle in IDLE:
        lean.must(idle)
    lean.control(f"memory leave {left}")
    lean.must(line)
    lean.give()


def test_the_newest_version_is_asked_for_beside_filters_and_a_server(start, board):
    with contextlib.closing(UpdateServer()) as server:
        server.publish(bundles.firmware(board), board=board)
        module = start("--board", board, "--update-key", bundles.public()).join()
        module.command(f'AT+MPYUPDATE="{server.url}"')
        filtered(module)
        module.send("AT+CIFSR")
        module.match(r"\+CIFSR:STAIP.*?\r\n\r\nOK\r\n")
        module.send("AT+CIPFWVER?")
        module.expect('+CIPFWVER:"9.0.0"⏎⏎OK⏎')
        module.settled()


def filtered(module):
    module.command("AT+SYSMSGFILTER=1")
    for number in range(FILTERS):
        configure(module, 1, b"^never%d" % number)
    serving(module)
