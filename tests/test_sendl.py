"""AT+CIPSENDL: data of any length that are sent while they come in, the reports of progress, and what ends it early."""

import contextlib
import itertools
import os
import select
import threading
import time

import pytest
from module import LIMIT, PAUSE
from peers import Peer, UDPPeer
from test_send import connect
from traffic import Mover, digest, noise


@pytest.fixture
def peer(online):
    """The server at the other end of the one link that is open."""
    peer = Peer()
    connect(online, peer)
    yield peer
    peer.close()


def prompt(module, count, link=""):
    module.send(f"AT+CIPSENDL={link}{count}")
    module.expect("⏎OK⏎⏎>")


def reports(module, end=r"\r\nSEND OK\r\n"):
    """The reports of progress up to the end, as pairs of numbers."""
    pairs = []
    while True:
        found = module.match(rf"\+CIPSENDL:(?P<sent>\d+),(?P<taken>\d+)\r\n|{end}")
        if not found["sent"]:
            return pairs
        pairs.append((int(found["sent"]), int(found["taken"])))


def check(pairs, step, sent, length):
    """Each step once, then what is left over; never more sent than taken."""
    assert [pair[0] for pair in pairs] == [*range(step, sent, step), sent][: max(1, sent)]
    assert all(done <= taken <= length for done, taken in pairs)
    assert [pair[1] for pair in pairs] == sorted(pair[1] for pair in pairs)


def test_sizes(play_online):
    play_online(
        """
        > AT+CIPSENDLCFG?
        < +CIPSENDLCFG:1024,2920⏎⏎OK⏎
        > AT+CIPSENDLCFG=100
        < ⏎OK⏎
        > AT+CIPSENDLCFG?
        < +CIPSENDLCFG:100,2920⏎⏎OK⏎
        > AT+CIPSENDLCFG=1048576,100
        < ⏎OK⏎
        > AT+CIPSENDLCFG?
        < +CIPSENDLCFG:1048576,100⏎⏎OK⏎
        > AT+CIPSENDLCFG=99
        < ⏎ERROR⏎
        > AT+CIPSENDLCFG=1048577
        < ⏎ERROR⏎
        > AT+CIPSENDLCFG=100,99
        < ⏎ERROR⏎
        > AT+CIPSENDLCFG=100,2921
        < ⏎ERROR⏎
        > AT+CIPSENDLCFG=,100
        < ⏎ERROR⏎
        > AT+CIPSENDLCFG?
        < +CIPSENDLCFG:1048576,100⏎⏎OK⏎
        > AT+CIPSENDL=5
        < ⏎ERROR⏎
        """
    )


@pytest.mark.parametrize("length", [1, 1023, 1024, 1025, 2920, 10000])
def test_progress(online, peer, length):
    data = noise(length, length)
    prompt(online, length)
    online.write(data)
    check(reports(online), 1024, length, length)
    assert peer.get(length) == data
    online.settled()


@pytest.mark.parametrize("step, block", [(100, 100), (100, 2920), (5000, 200), (1048576, 2920)])
def test_progress_of_other_sizes(online, peer, step, block):
    online.command(f"AT+CIPSENDLCFG={step},{block}")
    data = noise(10050, step)
    prompt(online, len(data))
    online.write(data)
    check(reports(online), step, len(data), len(data))
    assert peer.get(len(data)) == data


def test_limits(online, peer):
    for wrong in (0, 2147483648, -1, "", '"5"', "5,5"):
        online.send(f"AT+CIPSENDL={wrong}")
        online.expect("⏎ERROR⏎")
    prompt(online, 2147483647)
    online.write(b"a part")
    assert peer.get(6) == b"a part"
    time.sleep(PAUSE)
    online.write(b"+++")
    online.expect("+CIPSENDL:6,6⏎⏎SEND CANCELLED⏎")
    online.settled()


def test_sent_while_it_comes_in(online, peer):
    """What is less than a block goes out as well, 20 ms later."""
    prompt(online, 100)
    for i in range(10):
        online.write(b"%010d" % i)
        assert peer.get(10) == b"%010d" % i
    online.expect("+CIPSENDL:100,100⏎⏎SEND OK⏎")


def test_pluses_that_are_data(online, peer):
    prompt(online, 14)
    for piece in (b"++", b"a+++", b"+", b"+", b"++++b"):
        time.sleep(PAUSE)
        online.write(piece)
    time.sleep(PAUSE)
    online.write(b"!")
    online.expect("+CIPSENDL:14,14⏎⏎SEND OK⏎")
    assert peer.get(14) == b"++a++++++" + b"+++b!"


def test_blocks_of_datagrams(online):
    """Each block becomes a datagram."""
    a, b = UDPPeer(), UDPPeer()
    online.send(f'AT+CIPSTART="UDP","127.0.0.1",{a.port}')
    online.expect("CONNECT⏎⏎OK⏎")
    online.command("AT+CIPSENDLCFG=1000,1000")
    data = noise(2500, 1)
    prompt(online, 2500)
    online.write(data)
    check(reports(online), 1000, 2500, 2500)
    assert [a.get(), a.get(), a.get()] == [data[:1000], data[1000:2000], data[2000:]]
    online.send(f'AT+CIPSENDL=2500,"127.0.0.1",{b.port}')
    online.expect("⏎OK⏎⏎>")
    online.write(data)
    check(reports(online), 1000, 2500, 2500)
    assert [b.get(), b.get(), b.get()] == [data[:1000], data[1000:2000], data[2000:]]
    a.close()
    b.close()


def test_reports_wait_for_the_end(play_online):
    play_online(
        """
        peer a
        peer b
        > AT+CIPMUX=1
        < ⏎OK⏎
        link a 0
        link b 4
        > AT+CIPSENDL=4,10
        < ⏎OK⏎⏎>
        a sends between
        a closes
        >> 12345
        b gets 12345
        >> 67890
        < +CIPSENDL:10,10⏎⏎SEND OK⏎⏎+IPD,0,7:between0,CLOSED⏎
        b gets 67890
        > AT+CIPSENDL=0,10
        < ⏎ERROR⏎
        > AT+CIPSENDL=10
        < ⏎ERROR⏎
        """
    )


def test_cancel(online, peer):
    prompt(online, 5000)
    online.write(b"x" * 1500)
    assert peer.get(1500) == b"x" * 1500
    time.sleep(PAUSE)
    online.write(b"+++")
    check(reports(online, r"\r\nSEND CANCELLED\r\n"), 1024, 1500, 5000)
    online.settled()
    # The link is as it was.
    peer.send(b"still here")
    online.expect("⏎+IPD,10:still here")


def test_cancel_before_anything(online, peer):
    prompt(online, 5000)
    time.sleep(PAUSE)
    online.write(b"+++")
    online.expect("⏎SEND CANCELLED⏎")
    online.settled()


# Peers that do not read, or go


def fill_up(module, block, link=""):
    """Sends a block again and again until it does not go any more, and cancels; returns how many bytes have gone."""
    prompt(module, 2147483647, link)
    want = sent = 0
    while sent == want:
        module.write(block)
        want += len(block)
        while sent < want and (module.received or select.select([module.fd], [], [], LIMIT / 100)[0]):
            sent = int(module.match(r"\+CIPSENDL:(\d+),\d+\r\n")[1])
    module.leave()
    while not (module.received or select.select([module.fd], [], [], LIMIT / 10)[0]):
        module.leave()  # the module has not yet taken what was before the pluses, so that these were data
    pairs = reports(module, r"\r\nSEND CANCELLED\r\n")
    return pairs[-1][0] if pairs else sent


class Slow:
    """A peer that takes nothing until drain(), and then in small pieces, up to the data that it is told."""

    def __init__(self, module, link=""):
        self.peer = Peer()
        module.send(f'AT+CIPSTART={link}"TCP","127.0.0.1",{self.peer.port}')
        self.peer.accept(receive_buffer=4096)
        module.expect(f"{link}CONNECT⏎⏎OK⏎")

    def fill(self, module, link=""):
        """Sends until there is no place left even for a byte; returns how many have gone."""
        module.send("AT+CIPSENDLCFG?")
        sizes = module.match(r"\+CIPSENDLCFG:(\d+,\d+)\r\n\r\nOK\r\n")[1].decode()
        module.command("AT+CIPSENDLCFG=100,2000")
        total = 0
        # The kernel's buffers grow while they fill: what did not go once may go a moment later.
        for size in (2000, 2000, 2000, 1, 2000, 1):
            sent = 1
            while sent:
                sent = fill_up(module, bytes(size), link)
                total += sent
        module.command(f"AT+CIPSENDLCFG={sizes}")
        return total

    def drain(self, data):
        """Reads from here on, until these data have come."""
        self.data = data
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        tail = bytearray()
        self.total = 0  # bytes so far
        while not tail.endswith(self.data):
            more = self.peer.sock.recv(4096)
            if not more:
                return
            tail += more
            self.total += len(more)
            del tail[: -len(self.data)]
        self.data = None

    def drained(self):
        """Waits until the data have come."""
        self.thread.join(LIMIT)
        assert self.data is None


def free(module):
    """The heap that is free, in bytes."""
    module.send("AT+SYSRAM?")
    return int(module.match(r"\+SYSRAM:(\d+),\d+\r\n\r\nOK\r\n")[1])


@pytest.mark.parametrize("board, length", [("esp32", 6_000_000), ("esp8266", 600_000)])
def test_more_than_fits_in_memory(start, board, length):
    """Every byte arrives, and no memory stays used for it."""
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    module.command("AT+CIPSENDLCFG=1048576")
    data = noise(length, 7)
    peer = Peer()
    connect(module, peer)
    # By the end of the first one most of what is needed has been loaded; on a busy machine something comes later.
    sizes = [1000, length, length, length]
    mover = Mover(peer, count=sum(sizes))
    left = []
    for size in sizes:
        prompt(module, size)
        module.write(data[:size])
        check(reports(module), 1048576, size, size)
        left.append(free(module))
    assert min(abs(before - after) for before, after in itertools.pairwise(left[1:])) < 1024, left
    assert digest(mover.finish()) == digest(data[:1000] + data * 3)


@pytest.fixture
def full(online):
    """The peer of the one link, which does not read, and has no place left."""
    slow = Slow(online)
    slow.fill(online)
    yield slow
    slow.peer.close()


def test_send_timeout(online, full):
    """SO_SNDTIMEO: the rest of the data is taken, and the command fails."""
    online.command("AT+CIPTCPOPT=,,200")
    prompt(online, 20000)
    online.write(b"x" * 20000)
    assert reports(online, r"\r\nSEND FAIL\r\n") == []
    online.settled()


@pytest.mark.parametrize("count", [1, 2919, 2920])
def test_cancel_while_the_peer_does_not_read(online, full, count):
    """Also when there is no place left for the pluses."""
    prompt(online, 2147483647)
    online.write(b"x" * count)
    time.sleep(PAUSE)
    online.write(b"+++")
    online.expect("⏎SEND CANCELLED⏎")
    online.settled()
    # The next command is not canceled with it.
    full.drain(b"end")
    online.send("AT+CIPSEND=3")
    online.expect("⏎OK⏎⏎>")
    online.write(b"end")
    online.expect("⏎Recv 3 bytes⏎⏎SEND OK⏎")
    full.drained()


def test_pluses_that_are_data_while_the_peer_does_not_read(online, full):
    """They find no place in the buffer, and are not lost."""
    online.command("AT+CIPSENDLCFG=1048576,100")
    data = b"x" * 99 + b"++" + b"+" + b"y" * 200 + b"+++z"
    prompt(online, len(data))
    for piece in (b"x" * 99 + b"++", b"+", b"y" * 200 + b"+++z"):
        online.write(piece)
        time.sleep(PAUSE)
    full.drain(data)
    check(reports(online), 1048576, len(data), len(data))
    full.drained()


def test_the_host_is_held_back(online, full):
    """While the peer does not read, the module takes no more than its buffers hold: no memory is used for the rest."""
    length = 1_000_000
    data = noise(length, 3)
    prompt(online, length)
    taken = 0
    while select.select([], [online.fd], [], 1)[1]:
        with contextlib.suppress(BlockingIOError):
            taken += os.write(online.fd, data[taken : taken + 1000])
    assert taken < 40000
    full.drain(data)
    online.write(data[taken:])
    check(reports(online), 1024, length, length)
    full.drained()


def test_reports_go_on_when_all_data_are_taken(online):
    """However long the peer does not read them: the hold of the other links ends a second later."""
    online.command("AT+CIPMUX=1")
    other = Peer()
    online.send(f'AT+CIPSTART=1,"TCP","127.0.0.1",{other.port}')
    other.accept()
    online.expect("1,CONNECT⏎⏎OK⏎")
    slow = Slow(online, "0,")
    slow.fill(online, "0,")
    prompt(online, 2000, "0,")
    data = b"x" * 2000
    online.write(data)
    other.send(b"meanwhile")
    online.expect("⏎+IPD,1,9:meanwhile")
    online.send("AT")
    online.expect("⏎busy p...⏎")
    slow.drain(data)
    check(reports(online), 1024, 2000, 2000)
    slow.drained()
    slow.peer.close()
    other.close()


def test_broken_in_the_middle(online, peer):
    """The data are taken up to the length, as the host goes on writing them; then it hears that it was for nothing."""
    prompt(online, 20000)
    online.write(b"x" * 3000)
    assert peer.get(3000) == b"x" * 3000
    peer.reset()
    online.write(b"x" * 16999)
    online.write(b"\n")
    pairs = reports(online, r"\r\nSEND FAIL\r\n")
    assert pairs[-1][0] < 20000
    online.expect("CLOSED⏎")
    online.settled()


def test_broken_and_canceled(online, peer):
    prompt(online, 20000)
    online.write(b"x" * 3000)
    assert peer.get(3000) == b"x" * 3000
    peer.reset()
    online.write(b"x" * 3000)
    time.sleep(PAUSE)
    online.write(b"+++")
    reports(online, r"\r\nSEND CANCELLED\r\n")
    online.expect("CLOSED⏎")
    online.settled()


def test_network_lost_in_the_middle(online, peer):
    prompt(online, 6000)
    online.write(b"x" * 3000)
    assert peer.get(3000) == b"x" * 3000
    assert online.control("ap down mpy-at") == "ok"
    peer.ended()
    online.write(b"x" * 3000)
    assert reports(online, r"\r\nSEND FAIL\r\n")[-1][0] == 3000
    online.expect("CLOSED⏎WIFI DISCONNECT⏎")
    online.settled()


def test_both_ways_at_once(online, peer):
    """What the peer sends meanwhile waits, and comes whole behind the end."""
    out, back = noise(300_000, 1), noise(200_000, 2)
    prompt(online, len(out))
    mover = Mover(peer, back, len(out))
    online.write(out)
    check(reports(online), 1024, len(out), len(out))
    got = b""
    while len(got) < len(back):
        got += online.take(int(online.match(r"\r\n\+IPD,(\d+):")[1]))
    assert digest(mover.finish()) == digest(out)
    assert digest(got) == digest(back)
    online.settled()
