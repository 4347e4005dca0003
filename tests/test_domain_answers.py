"""What counts as an answer to a name: one that is whole, or that is asked for over TCP, and that is about this name.
Addresses of four numbers are no names, however they are written."""

import time

import pytest
from module import LIMIT
from nameserver import CNAME, NO_SUCH_NAME, TRUNCATED, A, address, encoded
from peers import Peer
from test_domain import FOUND_FOUR, FOUR, module, others, server, use  # noqa: F401  fixtures

OTHER = (None, A, address("127.0.0.9"))


def many(count):
    return [(None, A, address(f"10.1.{number >> 8}.{number & 255}")) for number in range(count)]


def sent(packet):
    """A message as it is over TCP."""
    return len(packet).to_bytes(2, "big") + packet


# Cut off


def test_a_long_answer_comes_over_tcp(module, server):  # noqa: F811
    """Ninety addresses are more than a datagram holds; as many are used as the module reads."""
    server.listen()
    module.send('AT+CIPDOMAIN="web.example",1,0,1')
    server.asked()
    server.answer(flags=TRUNCATED)
    name, sock = server.asked_by_tcp()
    assert name == "web.example"
    packet = sent(server.packet(*many(90)))
    for at in range(0, len(packet), 500):
        sock.sendall(packet[at : at + 500])
    for number in range((1024 - 29) // 16):
        module.expect(f'+CIPDOMAIN:"10.1.0.{number}"⏎')
    module.expect("⏎OK⏎")
    sock.close()
    module.settled()


def test_what_is_before_the_cut_counts(module, server):  # noqa: F811
    module.send('AT+CIPDOMAIN="web.example",1,0,1')
    server.asked()
    server.answer(FOUR, flags=TRUNCATED)
    module.expect(FOUND_FOUR)
    # Cut off in the middle of a record, as old servers do.
    module.send('AT+CIPDOMAIN="web.example",1,0,1')
    server.asked()
    server.send(server.packet(FOUR, OTHER, OTHER, flags=TRUNCATED)[:-20])
    module.expect(FOUND_FOUR)


def test_an_alias_before_the_cut(module, server):  # noqa: F811
    module.send('AT+CIPDOMAIN="www.example"')
    server.asked()
    server.answer((None, CNAME, encoded("a.example")), flags=TRUNCATED)
    assert server.asked() == "a.example"
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_no_such_name_over_tcp(module, server):  # noqa: F811
    server.listen()
    for result in (dict(code=NO_SUCH_NAME), {}):
        module.send('AT+CIPDOMAIN="web.example"')
        server.asked()
        server.answer(flags=TRUNCATED)
        sock = server.asked_by_tcp()[1]
        sock.sendall(sent(server.packet(**result)))
        module.expect("⏎ERROR⏎")
        sock.close()
    assert server.idle()


@pytest.mark.parametrize("how", ["closed", "ends", "half", "still cut off", "another's", "empty"])
def test_the_next_server_where_tcp_does_not_help(module, server, others, how):  # noqa: F811
    first, second = others("127.0.0.2", "127.0.0.3")
    use(module, "127.0.0.2", "127.0.0.3")
    if how != "closed":
        first.listen()
    module.send('AT+CIPDOMAIN="web.example"')
    first.asked()
    first.answer(flags=TRUNCATED)
    if how != "closed":
        sock = first.asked_by_tcp()[1]
        good = sent(first.packet(FOUR))
        sock.sendall(
            {
                "ends": b"",
                "half": good[:-1],
                "still cut off": sent(first.packet(flags=TRUNCATED)),
                "another's": sent(first.packet(OTHER, identity=b"\0\0")),
                "empty": b"\0\0",
            }[how]
        )
        sock.close()
    assert second.asked() == "web.example"
    second.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_a_silent_server_over_tcp(module, server):  # noqa: F811
    """The limit of time holds, and links go on meanwhile."""
    peer = Peer()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    server.listen()
    began = time.monotonic()
    module.send('AT+CIPDOMAIN="web.example",1,1000')
    server.asked()
    server.answer(flags=TRUNCATED)
    sock = server.asked_by_tcp()[1]
    peer.send(b"meanwhile")
    module.expect("⏎+IPD,9:meanwhile")
    module.expect("⏎ERROR⏎")
    assert time.monotonic() - began < LIMIT / 2
    sock.close()
    peer.close()
    module.expect("CLOSED⏎")


# About another name


@pytest.mark.parametrize(
    "records",
    [
        [("other.example", *OTHER[1:]), FOUR],
        [("ample", *OTHER[1:]), ("web.example.org", *OTHER[1:]), FOUR],
        # An alias of another name, with its address.
        [("other.example", CNAME, encoded("a.example")), ("a.example", *OTHER[1:]), FOUR],
        # The name's own alias, whatever stands first, in any case.
        [("a.example", *FOUR[1:]), (None, CNAME, encoded("A.Example"))],
        [("b.test", *FOUR[1:]), ("a.test", CNAME, encoded("b.TEST")), (None, CNAME, b"\1A\4test\0")],
        [("WEB.example", *FOUR[1:]), ("web.exampl", *OTHER[1:])],
    ],
)
def test_only_what_belongs_to_the_name(module, server, records):  # noqa: F811
    module.send('AT+CIPDOMAIN="web.example",1,0,1')
    server.asked()
    server.answer(*records)
    module.expect(FOUND_FOUR)


def test_an_address_of_another_name_alone(module, server):  # noqa: F811
    for line in ('AT+CIPDOMAIN="web.example"', 'AT+CIPSTART="TCP","web.example",80'):
        module.send(line)
        server.asked()
        server.answer(("evil.example", *OTHER[1:]))
        module.expect("⏎ERROR⏎")


def test_answers_that_do_not_fit_the_question(module, server):  # noqa: F811
    """Another question, none, two, a query, another kind of answer, and the begin of one."""
    module.send('AT+CIPDOMAIN="web.example"')
    server.asked()
    server.answer(OTHER, question=encoded("evil.example") + b"\0\1\0\1")
    server.answer(OTHER, questions=0)
    server.answer(OTHER, questions=2)
    server.answer(OTHER, flags=0x0100)
    server.answer(OTHER, flags=0xA980)
    server.answer(OTHER, identity=bytes(byte ^ 1 for byte in server.question[:2]))
    whole = server.packet(OTHER)
    for size in (0, 1, 2, 3, 11, 12, 20, 28, 29, 30, 40, len(whole) - 1):
        server.send(whole[:size])
    # As many records as a number of 16 bits can say.
    server.send(whole[:6] + b"\xff\xff" + whole[8:])
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_an_alias_of_any_bytes(module, server):  # noqa: F811
    r"""\xff, and a dot that is part of a label."""
    module.send('AT+CIPDOMAIN="www.example"')
    server.asked()
    server.answer((None, CNAME, b"\3a.\xff\0"))
    server.question, server.client = server.sock.recvfrom(512)
    assert server.question[12:] == b"\3a.\xff\0\0\1\0\1"
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


# Addresses


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_zeros_in_front(module, server):  # noqa: F811
    """In C 010 is eight, and 09 is no number, which makes a name of it."""
    peer = Peer("127.0.0.10")
    for text in ("127.0.0.010", "0127.00.000.0010", "127.0.0.10"):
        module.send(f'AT+CIPSTART="TCP","{text}",{peer.port}')
        peer.accept().close()
        module.expect("CONNECT⏎⏎OK⏎CLOSED⏎")
    for text in ("127.0.0.09", "127.0.0.9"):
        module.send(f'AT+CIPDOMAIN="{text}"')
        module.expect('+CIPDOMAIN:"127.0.0.9"⏎⏎OK⏎')
    peer.close()
    assert server.idle()


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_zeros_in_front_elsewhere(module, others, server):  # noqa: F811
    """Name servers, UDP, one's own address."""
    (nine,) = others("127.0.0.9")
    module.command('AT+CIPDNS=1,"127.0.0.09"')
    module.send('AT+CIPDOMAIN="web.example"')
    nine.asked()
    nine.answer(FOUR)
    module.expect(FOUND_FOUR)
    module.send(f'AT+CIPSTART="UDP","127.0.0.09",{nine.port},,0,"127.0.0.08"')
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPSEND=2")
    module.expect("⏎OK⏎⏎>")
    module.write(b"ab")
    module.expect("⏎Recv 2 bytes⏎⏎SEND OK⏎")
    data, sender = nine.sock.recvfrom(9)
    assert (data, sender[0]) == (b"ab", "127.0.0.8")
    nine.sock.sendto(b"cd", sender)
    module.expect("⏎+IPD,2:cd")
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")
    module.send('AT+CIPSTA="127.0.0.09","127.0.0.01","255.0.0.00"')
    module.expect("WIFI GOT IP⏎⏎OK⏎")
    module.send("AT+CIPSTA?")
    module.expect('+CIPSTA:ip:"127.0.0.9"⏎+CIPSTA:gateway:"127.0.0.1"⏎+CIPSTA:netmask:"255.0.0.0"⏎⏎OK⏎')


@pytest.mark.parametrize("text", ["1:2:3", "::1::", "127.0.0.0x9", "fe80::1%nowhere"])
def test_what_only_looks_like_an_address(module, server, text):  # noqa: F811
    """Nobody is asked for it, neither by the module nor by the PC's own resolver, which would wait."""
    module.send("AT+CIPV6=1")  # where it is to be had
    module.match(r"\r\n(OK|ERROR)\r\n")
    for line in (f'"TCPv6","{text}",80', f'"TCP","127.0.0.1",80,,"{text}"', f'"UDP","127.0.0.1",80,,0,"{text}"'):
        if line.startswith('"TCPv6"') and ":" not in text:
            continue
        module.send(f"AT+CIPSTART={line}")
        module.expect("⏎ERROR⏎")
    assert server.idle()
