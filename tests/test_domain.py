"""AT+CIPDOMAIN and AT+CIPDNS: what is asked, of whom, and what is made of the answers.
Here nobody but the test's own name servers is ever asked; that links find their hosts is in test_names.py."""

import time

import pytest
from datagrams import network
from module import LIMIT
from nameserver import AAAA, CNAME, NO_SUCH_NAME, SERVER_FAILED, A, NameServer, address, encoded

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
REFUSED = 5
FOUR, SIX = (None, A, address("10.1.2.3")), (None, AAAA, address("2001:db8::7"))
FOUND_FOUR, FOUND_SIX = '+CIPDOMAIN:"10.1.2.3"⏎⏎OK⏎', '+CIPDOMAIN:"2001:db8::7"⏎⏎OK⏎'


@pytest.fixture
def server():
    server = NameServer()
    yield server
    server.close()


@pytest.fixture
def others(server):
    """A function that makes further name servers, on the same port at other addresses."""
    made = []

    def others(*addresses):
        made.extend(NameServer(ip, server.port) for ip in addresses)
        return made

    yield others
    for other in made:
        other.close()


@pytest.fixture
def board():
    return "esp32"


@pytest.fixture
def module(start, server, tmp_path, board):
    """A module whose network has the test's name server."""
    module = start("--board", board, "--wifi", server.access_points(tmp_path))
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module


@BOARDS
def test_one_address(module, server):
    module.send('AT+CIPDOMAIN="web.example"')
    assert server.asked() == "web.example"
    server.answer(FOUR, (None, A, address("10.1.2.4")))
    module.expect(FOUND_FOUR)
    module.send('AT+CIPDOMAIN="nowhere.example"')
    assert server.asked() == "nowhere.example"
    server.answer(code=NO_SUCH_NAME)
    module.expect("⏎ERROR⏎")
    module.settled()


@BOARDS
def test_all_addresses(module, server):
    module.send('AT+CIPDOMAIN="web.example",1,0,1')
    server.asked()
    server.answer(FOUR, (None, CNAME, encoded("a.example")), (None, A, address("10.1.2.4")), SIX)
    module.expect('+CIPDOMAIN:"10.1.2.3"⏎+CIPDOMAIN:"10.1.2.4"⏎⏎OK⏎')
    module.send('AT+CIPDOMAIN="web.example",,,1')
    server.asked()
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


@pytest.mark.ipv6
@pytest.mark.parametrize(
    ("network", "steps", "result"),
    [
        # What is asked for, and what is found.
        ("", [(A, [FOUR])], FOUND_FOUR),
        (",1", [(A, [FOUR])], FOUND_FOUR),
        (",1", [(A, []), (AAAA, [SIX])], FOUND_SIX),
        (",1", [(A, []), (AAAA, [])], "⏎ERROR⏎"),
        (",2", [(A, [FOUR])], FOUND_FOUR),
        (",2", [(A, [])], "⏎ERROR⏎"),
        (",3", [(AAAA, [SIX])], FOUND_SIX),
        (",3", [(AAAA, [])], "⏎ERROR⏎"),
    ],
)
def test_networks(module, server, network, steps, result):
    module.command("AT+CIPV6=1")
    module.send(f'AT+CIPDOMAIN="web.example"{network}')
    for kind, records in steps:
        assert server.asked(kind) == "web.example"
        server.answer(*records)
    module.expect(result)
    assert server.idle()


@BOARDS
def test_without_ipv6(module, server):
    """As long as AT+CIPV6=0 nobody is asked for an IPv6 address, nor is one told."""
    module.send('AT+CIPDOMAIN="web.example",1')
    server.asked(A)
    server.answer(SIX)
    module.expect("⏎ERROR⏎")
    for line in ('AT+CIPDOMAIN="web.example",3', 'AT+CIPDOMAIN="::1"', 'AT+CIPDOMAIN="localhost",3'):
        module.send(line)
        module.expect("⏎ERROR⏎")
    assert server.idle()


@pytest.mark.ipv6
def test_addresses_are_names_of_themselves(module, server):
    module.command("AT+CIPV6=1")
    for line, result in (
        ('"127.0.0.9"', '+CIPDOMAIN:"127.0.0.9"⏎⏎OK⏎'),
        ('"127.0.0.9",3', "⏎ERROR⏎"),
        ('"::1"', '+CIPDOMAIN:"::1"⏎⏎OK⏎'),
        ('"::1",2', "⏎ERROR⏎"),
        ('"localhost"', '+CIPDOMAIN:"127.0.0.1"⏎⏎OK⏎'),
        ('"LocalHost",1,0,1', '+CIPDOMAIN:"127.0.0.1"⏎+CIPDOMAIN:"::1"⏎⏎OK⏎'),
        ('"localhost",3', '+CIPDOMAIN:"::1"⏎⏎OK⏎'),
        ('"localhost."', '+CIPDOMAIN:"127.0.0.1"⏎⏎OK⏎'),
    ):
        module.send(f"AT+CIPDOMAIN={line}")
        module.expect(result)
    assert server.idle()


@pytest.mark.parametrize(
    "parameters", ["", "1", '"a.example",0', '"a.example",4', '"a.example",1,60001', '"",1', '".",1']
)
def test_parameters(module, server, parameters):
    module.send(f"AT+CIPDOMAIN={parameters}")
    module.expect("⏎ERROR⏎")
    assert server.idle()


def test_without_a_network(module, server):
    module.send("AT+CWQAP")
    module.expect("⏎OK⏎WIFI DISCONNECT⏎")
    module.send('AT+CIPDOMAIN="web.example"')
    module.expect("⏎ERROR⏎")
    assert server.idle()


@BOARDS
def test_a_silent_server(module, server):
    """Each is asked twice, with another identity, and the limit holds."""
    began = time.monotonic()
    module.send('AT+CIPDOMAIN="web.example",1,500')
    server.asked()
    first = server.question
    server.asked()
    assert server.question[2:] == first[2:]
    assert server.question[:2] != first[:2]
    module.expect("⏎ERROR⏎")
    assert 0.45 < time.monotonic() - began < LIMIT / 2
    assert server.idle()


def test_an_answer_after_the_limit(module, server):
    """It is no answer to the next question, which comes from another port with another identity."""
    module.send('AT+CIPDOMAIN="web.example",1,200')
    server.asked()
    server.asked()
    module.expect("⏎ERROR⏎")
    server.answer((None, A, address("127.0.0.9")))
    module.send('AT+CIPDOMAIN="web.example"')
    server.asked()
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


# Aliases and the form of an answer


@BOARDS
def test_aliases_that_the_server_leaves_to_us(module, server):
    module.send('AT+CIPDOMAIN="www.example"')
    for name, alias in (("www.example", "a.example"), ("a.example", "b.test"), ("b.test", "c.test")):
        assert server.asked() == name
        server.answer((None, CNAME, encoded(alias)))
    assert server.asked() == "c.test"
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_an_alias_of_itself(module, server):
    module.send('AT+CIPDOMAIN="www.example"')
    for _ in range(4):
        server.asked()
        server.answer((None, CNAME, encoded("www.example")))
    module.expect("⏎ERROR⏎")
    assert server.idle()


def test_half_a_chain_of_aliases(module, server):
    """Several in one answer: the last of them is what to ask for."""
    module.send('AT+CIPDOMAIN="www.example"')
    server.asked()
    server.answer((None, CNAME, encoded("a.example")), ("a.example", CNAME, encoded("b.example")))
    assert server.asked() == "b.example"
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        # The question is `\3www\7example\0` at 12, so `example` begins at 16.
        (b"\5front\xc0\x10", "front.example"),
        (b"\1a\1b\xc0\x0c", "a.b.www.example"),
        (b"\xc0\x10", "example"),
        (b"\4TEST\0", "TEST"),
    ],
)
def test_compression(module, server, alias, name):
    module.send('AT+CIPDOMAIN="www.example"')
    server.asked()
    server.answer((None, CNAME, alias))
    assert server.asked() == name
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_names_that_never_end(module, server):
    """Pointers to themselves, out of the packet, and labels without an end are no answer; a good one may follow."""
    module.send('AT+CIPDOMAIN="www.example"')
    server.asked()
    # The alias of the first answer stands at 41: header 12, question 17, and 12 up to the data.
    for alias in (b"\xc0\x29", b"\1a\xc0\x29", b"\xff\xff", b"\x3fabc", b"\xc0\x2b\xc0\x29"):
        server.answer((None, CNAME, alias))
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_records_that_are_not_what_was_asked_for(module, server):
    module.send('AT+CIPDOMAIN="web.example",1,0,1')
    server.asked()
    server.answer(SIX, (None, 16, b"\4text"), (None, A, b"\1\2\3"), (None, A, SIX[2]), FOUR, (None, 99, b""))
    module.expect(FOUND_FOUR)


def test_case(module, server):
    module.send('AT+CIPDOMAIN="WWW.Example"')
    assert server.asked() == "WWW.Example"
    server.answer(FOUR, question=encoded("www.EXAMPLE") + b"\0\1\0\1")
    module.expect(FOUND_FOUR)


def test_a_dot_at_the_end(module, server):
    module.send('AT+CIPDOMAIN="web.example."')
    assert server.asked() == "web.example"
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_somebody_else_answers(module, server, others):
    """The identity is right, the address or the port is not."""
    (elsewhere,) = others("127.0.0.2")
    module.send('AT+CIPDOMAIN="web.example"')
    server.asked()
    for liar in (elsewhere, NameServer()):
        liar.question, liar.client = server.question, server.client
        liar.answer((None, A, address("127.0.0.9")))
    liar.close()
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_an_answer_to_another_kind_of_question(module, server):
    """The address of the other family must not pass for this one's."""
    module.send('AT+CIPDOMAIN="web.example"')
    server.asked()
    server.answer((None, A, address("127.0.0.9")), question=encoded("web.example") + b"\0\x1c\0\1")
    server.answer((None, A, address("127.0.0.9")), question=encoded("web.example") + b"\0\1\0\3")
    server.answer(FOUR)
    module.expect(FOUND_FOUR)


# Several servers, or none


@BOARDS
def test_without_a_server(start, tmp_path, board):
    """Then nobody is asked: what the port itself would do in place of it may take long, and everything with it."""
    module = start("--board", board, "--wifi", network(tmp_path, 'dns = "0.0.0.0"')).join()
    module.send("AT+CIPDNS?")
    module.expect("+CIPDNS:0⏎⏎OK⏎")
    for name in ("web.example", "web.local"):
        module.send(f'AT+CIPDOMAIN="{name}"')
        module.expect("⏎ERROR⏎")
    module.settled()


def use(module, *servers):
    quoted = ",".join(f'"{server}"' for server in servers)
    module.command(f"AT+CIPDNS=1,{quoted}")
    module.send("AT+CIPDNS?")
    module.expect(f"+CIPDNS:1,{quoted}⏎⏎OK⏎")


@BOARDS
@pytest.mark.parametrize("code", [SERVER_FAILED, REFUSED])
def test_the_next_server(module, server, others, code):
    """The first cannot help, on the second's port nobody listens, the third knows."""
    first, third = others("127.0.0.2", "127.0.0.4")
    use(module, "127.0.0.2", "127.0.0.3", "127.0.0.4")
    module.send('AT+CIPDOMAIN="web.example"')
    first.asked()
    first.answer(code=code)
    third.asked()
    third.answer(FOUR)
    module.expect(FOUND_FOUR)
    assert server.idle()


def test_a_silent_server_and_one_that_answers(module, server, others):
    silent, good = others("127.0.0.2", "127.0.0.3")
    use(module, "127.0.0.2", "127.0.0.3")
    module.send('AT+CIPDOMAIN="web.example",1,4000')
    silent.asked()
    good.asked()
    good.answer(FOUR)
    module.expect(FOUND_FOUR)


def test_a_server_that_says_no_is_believed(module, server, others):
    first, second = others("127.0.0.2", "127.0.0.3")
    use(module, "127.0.0.2", "127.0.0.3")
    module.send('AT+CIPDOMAIN="web.example"')
    first.asked()
    first.answer(code=NO_SUCH_NAME)
    module.expect("⏎ERROR⏎")
    assert second.idle()


@BOARDS
def test_servers_of_which_none_can(module, others):
    """They are all asked twice, and that takes no time."""
    servers = others("127.0.0.2", "127.0.0.3", "127.0.0.4")
    use(module, *[server.ip for server in servers])
    module.send('AT+CIPDOMAIN="web.example"')
    for server in (*servers, *servers):
        server.asked()
        server.answer(code=SERVER_FAILED)
    module.expect("⏎ERROR⏎")


@pytest.mark.ipv6
def test_a_server_at_an_ipv6_address(module, server, others):
    (six,) = others("::1")
    module.send('AT+CIPDNS=1,"::1"')
    module.expect("⏎ERROR⏎")
    module.command("AT+CIPV6=1")
    use(module, "::1", "127.0.0.1")
    module.send('AT+CIPDOMAIN="web.example",3')
    assert six.asked(AAAA) == "web.example"
    six.answer(SIX)
    module.expect(FOUND_SIX)
    # Without IPv6 it is not asked, but the other one is.
    module.command("AT+CIPV6=0")
    module.send('AT+CIPDOMAIN="web.example"')
    server.asked()
    server.answer(FOUR)
    module.expect(FOUND_FOUR)
    assert six.idle()


# AT+CIPDNS


@BOARDS
def test_manual_and_automatic(module, server, others):
    (mine,) = others("127.0.0.2")
    module.send("AT+CIPDNS?")
    module.expect('+CIPDNS:0,"127.0.0.1"⏎⏎OK⏎')
    use(module, "127.0.0.2")
    module.send('AT+CIPDOMAIN="web.example"')
    mine.asked()
    mine.answer(FOUR)
    module.expect(FOUND_FOUR)
    # The servers count only with 1.
    module.command('AT+CIPDNS=0,"127.0.0.3"')
    module.send("AT+CIPDNS?")
    module.expect('+CIPDNS:0,"127.0.0.1"⏎⏎OK⏎')
    module.send('AT+CIPDOMAIN="web.example"')
    server.asked()
    server.answer(FOUR)
    module.expect(FOUND_FOUR)
    # The default is only looked at here: it is a server on the Internet.
    module.command("AT+CIPDNS=1")
    module.send("AT+CIPDNS?")
    module.match('\\+CIPDNS:1,"208.67.222.222"(,"114.114.114.114","8.8.8.8")?\r\n\r\nOK\r\n')
    module.command('AT+CIPDNS=1,,"127.0.0.2"')
    module.send("AT+CIPDNS?")
    module.expect('+CIPDNS:1,"127.0.0.2"⏎⏎OK⏎')


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "2",
        '1,"127.0.0.1","127.0.0.1"',
        '1,"127.0.0.1","127.0.0.2","127.0.0.1"',
        '1,"127.0.0.1","name.example"',
        '1,"127.0.0"',
        '1,"127.0.0.256"',
        "1,127",
        '1,"127.0.0.1","127.0.0.2","127.0.0.3","127.0.0.4"',
    ],
)
def test_servers_that_are_refused(module, parameters):
    use(module, "127.0.0.7")
    module.send(f"AT+CIPDNS={parameters}")
    module.expect("⏎ERROR⏎")
    module.send("AT+CIPDNS?")
    module.expect('+CIPDNS:1,"127.0.0.7"⏎⏎OK⏎')


@BOARDS
@pytest.mark.parametrize("store", [0, 1])
def test_what_is_kept(module, store):
    use(module, "127.0.0.7", "127.0.0.8")
    module.command(f"AT+SYSSTORE={store}")
    use(module, "127.0.0.9")
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    module.match(r"(WIFI [A-Z ]+\r\n)*")
    module.send("AT+CIPDNS?")
    kept = '1,"127.0.0.9"' if store else '1,"127.0.0.7","127.0.0.8"'
    module.match(rf".*\+CIPDNS:{kept}\r\n\r\nOK\r\n")
