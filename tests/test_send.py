"""AT+CIPSEND: the bytes around the data, what ends it early, and what happens on the link meanwhile.
Reports never come between the prompt and the end of the data."""

import time

import pytest
from module import PAUSE
from peers import Peer

EVERY_BYTE = bytes(range(256))


@pytest.fixture
def peer(online):
    """The server at the other end of the one link that is open."""
    peer = Peer()
    connect(online, peer)
    yield peer
    peer.close()


def connect(module, peer):
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")


def prompt(module, count):
    module.send(f"AT+CIPSEND={count}")
    module.expect("⏎OK⏎⏎>")


def send(module, data):
    """Sends data as a host driver does."""
    prompt(module, len(data))
    module.write(data)
    module.expect(f"⏎Recv {len(data)} bytes⏎⏎SEND OK⏎")


def test_every_byte_both_ways(online, peer):
    send(online, EVERY_BYTE)
    assert peer.get(256) == EVERY_BYTE
    peer.sock.sendall(EVERY_BYTE)
    online.expect("⏎+IPD,256:")
    assert online.take(256) == EVERY_BYTE


def test_data_in_many_pieces(online, peer):
    prompt(online, 256)
    for i in range(256):
        online.write(EVERY_BYTE[i : i + 1])
    online.expect("⏎Recv 256 bytes⏎⏎SEND OK⏎")
    assert peer.get(256) == EVERY_BYTE


def test_no_echo_of_data(online, peer):
    online.send("ATE1")
    online.expect("⏎OK⏎")
    online.send("AT+CIPSEND=4")
    online.expect("AT+CIPSEND=4⏎⏎OK⏎⏎>")
    online.write(b"data")
    online.expect("⏎Recv 4 bytes⏎⏎SEND OK⏎")
    online.send("AT")
    online.expect("AT⏎⏎OK⏎")


@pytest.mark.parametrize("board, limit", [("esp32", 8192), ("esp8266", 2048)])
def test_limits(start, board, limit):
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    peer = Peer()
    connect(module, peer)
    data = (EVERY_BYTE * 32)[:limit]
    send(module, data)
    assert peer.get(limit) == data
    send(module, b"\n")
    assert peer.get(1) == b"\n"
    for wrong in (0, limit + 1, "", "-1", '"5"', "0,5", "5,5", "1x"):
        module.send(f"AT+CIPSEND={wrong}")
        module.expect("⏎ERROR⏎")
    peer.close()
    module.expect("CLOSED⏎")


def test_without_a_link(play_online):
    play_online(
        """
        > AT+CIPSEND=5
        < ⏎ERROR⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSEND=0,5
        < ⏎ERROR⏎
        > AT+CIPSEND=5,5
        < ⏎ERROR⏎
        > AT+CIPSEND=5
        < ⏎ERROR⏎
        """
    )


def test_command_and_data_in_one_write(online, peer):
    online.write(b"AT+CIPSEND=256\r\n" + EVERY_BYTE)
    online.expect("⏎OK⏎⏎>⏎Recv 256 bytes⏎⏎SEND OK⏎")
    assert peer.get(256) == EVERY_BYTE


def test_line_end_behind_the_data(play_online):
    """As from println(): the CR LF belongs to nobody, and is refused like any line."""
    play_online(
        """
        peer web
        link web
        > AT+CIPSEND=5
        < ⏎OK⏎⏎>
        >> hello\\r\\n
        < ⏎Recv 5 bytes⏎⏎busy p...⏎⏎SEND OK⏎
        > AT+CIPSEND=2
        < ⏎OK⏎⏎>
        >> \\r\\n\\r\\n
        < ⏎Recv 2 bytes⏎⏎busy p...⏎⏎SEND OK⏎
        web gets hello\\r\\n
        """
    )


def test_cancel(online, peer):
    for before in (b"", b"some data"):
        prompt(online, 100)
        online.write(before)
        time.sleep(PAUSE)
        online.write(b"+++")
        online.expect("⏎SEND Canceled⏎")
        online.settled()
    # Nothing of it has reached the peer.
    send(online, b"end")
    assert peer.get(3) == b"end"


def test_cancel_in_single_characters(online, peer):
    prompt(online, 100)
    time.sleep(PAUSE)
    for _ in range(3):
        online.write(b"+")
    online.expect("⏎SEND Canceled⏎")


@pytest.mark.parametrize("data", [b"+++", b"a+++", b"a+++b", b"++++", b"+++++++", b"\r\n+++\r\n"])
def test_pluses_that_are_data(online, peer, data):
    """Where other bytes, or more pluses, stand beside them, or where they are all that was missing."""
    for _ in range(3):
        prompt(online, len(data))
        time.sleep(PAUSE)
        online.write(data)
        online.expect(f"⏎Recv {len(data)} bytes⏎⏎SEND OK⏎")
        assert peer.get(len(data)) == data


@pytest.mark.parametrize("parts", [(b"++",), (b"++++",), (b"x+++",), (b"+", b"+", b"+")])
def test_pluses_that_stay_alone(online, peer, parts):
    """Too few, too slow, or not alone: data, as the silence shows that follows."""
    data = b"".join(parts) + b"!"
    prompt(online, len(data))
    for part in parts:
        time.sleep(PAUSE)
        online.write(part)
    time.sleep(PAUSE)
    online.write(b"!")
    online.expect(f"⏎Recv {len(data)} bytes⏎⏎SEND OK⏎")
    assert peer.get(len(data)) == data


def test_pluses_right_behind_the_command(online, peer):
    """No silence stands before them."""
    online.write(b"AT+CIPSEND=6\r\n+++")
    online.expect("⏎OK⏎⏎>")
    time.sleep(PAUSE)
    online.write(b"abc")
    online.expect("⏎Recv 6 bytes⏎⏎SEND OK⏎")
    assert peer.get(6) == b"+++abc"


def test_network_lost_meanwhile(online, peer):
    """However soon the module notices, it says so behind the end of the data."""
    prompt(online, 4)
    online.write(b"da")
    assert online.control("ap down mpy-at") == "ok"
    online.write(b"ta")
    online.match(r"\r\nRecv 4 bytes\r\n\r\nSEND (OK|FAIL)\r\nCLOSED\r\nWIFI DISCONNECT\r\n")


def test_data_meanwhile(play_online):
    play_online(
        """
        peer a
        peer b
        > AT+CIPMUX=1
        < ⏎OK⏎
        link a 0
        link b 1
        > AT+CIPSEND=0,10
        < ⏎OK⏎⏎>
        a sends between
        >> 12345
        b sends and here
        b closes
        >> 67890
        < ⏎Recv 10 bytes⏎⏎SEND OK⏎
        # Both have waited; the links take turns.
        ~ (⏎\\+IPD,0,7:between|⏎\\+IPD,1,8:and here){2}1,CLOSED⏎
        a gets 1234567890
        """
    )


def test_peer_closes_meanwhile(online, peer):
    """The data are taken as promised. Whether they could be sent is for the network to say."""
    prompt(online, 4)
    peer.sock.close()
    online.write(b"data")
    online.match(r"\r\nRecv 4 bytes\r\n\r\nSEND (OK|FAIL)\r\nCLOSED\r\n")
    online.send("AT+CIPSEND=4")
    online.expect("⏎ERROR⏎")


def test_peer_resets_meanwhile(online, peer):
    prompt(online, 4)
    peer.reset()
    online.write(b"data")
    online.match(r"\r\nRecv 4 bytes\r\n\r\nSEND (OK|FAIL)\r\nCLOSED\r\n")


def test_too_many_bytes(online, peer):
    """What comes beyond the count while the data are being sent is refused, once for each line, and dropped."""
    prompt(online, 4)
    online.write(b"datamore\r\n")
    online.expect("⏎Recv 4 bytes⏎⏎busy p...⏎⏎SEND OK⏎")
    send(online, b"next")
    assert peer.get(8) == b"datanext"


def test_too_many_bytes_without_an_end(online, peer):
    """What has come of a line is dropped with the command; what follows is a line like any other."""
    prompt(online, 4)
    online.write(b"datamo")
    online.expect("⏎Recv 4 bytes⏎⏎SEND OK⏎")
    online.write(b"re" * 1000 + b"\r\nAT\r\n")
    online.expect("⏎ERROR⏎⏎OK⏎")


def hold_up(module, peer):
    """Sends to link 0, whose peer does not read, until a SEND OK does not come; returns how many bytes that were."""
    count = 0
    while True:
        module.send("AT+CIPSEND=0,8192")
        module.expect("⏎OK⏎⏎>")
        module.write(bytes(8192))
        module.expect("⏎Recv 8192 bytes⏎")
        count += 8192
        module.send("AT")
        if module.match(r"(\r\nSEND OK\r\n)?\r\n(busy p\.\.\.|OK)\r\n")[1] is None:
            return count


@pytest.fixture
def slow_and_other(online):
    """Two peers, links 0 and 1; the first one soon holds up the module when it does not read."""
    slow, other = Peer(), Peer()
    online.command("AT+CIPMUX=1")
    for number, peer in enumerate((slow, other)):
        online.send(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peer.port}')
        peer.accept(receive_buffer=4096)
        online.expect(f"{number},CONNECT⏎⏎OK⏎")
    yield slow, other
    slow.close()
    other.close()


def test_a_peer_that_does_not_read(online, slow_and_other):
    """SEND OK waits; the port does not, and the reports for a second only."""
    slow, other = slow_and_other
    count = hold_up(online, slow)
    for _ in range(3):
        online.send("AT+CIPSEND=1,5")
        online.expect("⏎busy p...⏎")
    other.sock.sendall(b"other")
    online.expect("⏎+IPD,1,5:other")
    assert slow.get(count) == bytes(count)
    online.expect("⏎SEND OK⏎")
    online.settled()


def test_restart_while_a_peer_does_not_read(online, slow_and_other):
    """AT+RST runs even now; the data that were taken before it are not a reason to refuse it."""
    hold_up(online, slow_and_other[0])
    online.send("AT+RST")
    online.match(r"(\r\nbusy p\.\.\.\r\n)?\r\nOK\r\n\r\nready\r\n")


def test_a_peer_that_does_not_read_and_goes(online, slow_and_other):
    slow, _ = slow_and_other
    hold_up(online, slow)
    slow.reset()
    online.match(r"(0,CLOSED\r\n)?\r\nSEND FAIL\r\n(?(1)|0,CLOSED\r\n)")
    online.settled()


def test_a_peer_that_does_not_read_when_the_network_goes(online, slow_and_other):
    slow, _ = slow_and_other
    hold_up(online, slow)
    assert online.control("ap down mpy-at") == "ok"
    got = online.take(len("0,CLOSED\r\n1,CLOSED\r\nWIFI DISCONNECT\r\n\r\nSEND FAIL\r\n"))
    assert got.replace(b"\r\nSEND FAIL\r\n", b"") == b"0,CLOSED\r\n1,CLOSED\r\nWIFI DISCONNECT\r\n"
    online.settled()
