"""mDNS: the module's service as its neighbours see it, and their services as the module finds them.
All on loopback and at one port, which tests that run at the same time share: each has names of its own."""

import itertools
import queue
import socket
import struct
import time
import uuid

import pytest
from module import LIMIT, encode
from neighbour import (
    AAAA,
    ANY,
    INTERNET,
    NSEC,
    PTR,
    RESPONSE,
    SERVICES,
    SRV,
    TOP_BIT,
    TXT,
    A,
    Neighbour,
    kinds,
    message,
)
from zeroconf import (
    DNSAddress,
    DNSPointer,
    DNSService,
    DNSText,
    IPVersion,
    ServiceBrowser,
    ServiceInfo,
    ServiceListener,
    Zeroconf,
)

UNIQUE = INTERNET | TOP_BIT


@pytest.fixture
def word():
    """A name that no other test has."""
    return "h" + uuid.uuid4().hex[:10]


@pytest.fixture
def neighbour(word):
    neighbour = Neighbour(word)
    yield neighbour
    neighbour.close()


@pytest.fixture
def zeroconf():
    zeroconf = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    yield zeroconf
    zeroconf.close()


@pytest.fixture
def service(online, neighbour, word):
    """A module whose service is known to all: _<word>._tcp at port 8080, host and instance <word>."""
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    neighbour.settled()
    return online


def names(word):
    """Service type, instance and host of a module's service."""
    return f"_{word}._tcp.local.", f"{word}._{word}._tcp.local.", f"{word}.local."


def address(name, text, ttl=120):
    return DNSAddress(name, A, UNIQUE, ttl, socket.inet_aton(text))


# The module's service


def test_claims_then_announces(online, neighbour, word):
    kind, instance, host = names(word)
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    times = []
    for _ in range(3):
        probe = neighbour.probe()
        times.append(time.monotonic())
        alone = len(times) == 1
        assert {(q.name, q.type, q.unicast) for q in probe.questions} == {(instance, ANY, alone), (host, ANY, alone)}
        assert [(r.name, r.type) for r in probe.answers()] == [(instance, SRV), (instance, TXT), (host, A)]
        assert not any(record.unique for record in probe.answers())
    for _ in range(2):
        said = neighbour.heard()
        times.append(time.monotonic())
        assert said.is_response() and not said.questions and said.id == 0
        pointer, meta, srv, txt, a, nsec = said.answers()
        assert (pointer.name, pointer.alias, pointer.ttl, pointer.unique) == (kind, instance, 4500, False)
        assert (meta.name, meta.alias, meta.ttl, meta.unique) == (SERVICES, kind, 4500, False)
        assert (srv.name, srv.server, srv.port, srv.ttl, srv.unique) == (instance, host, 8080, 120, True)
        assert (txt.name, txt.text, txt.ttl, txt.unique) == (instance, b"\0", 4500, True)
        assert (a.name, a.address, a.ttl, a.unique) == (host, b"\x7f\0\0\1", 120, True)
        assert (nsec.name, nsec.next_name, nsec.rdtypes, nsec.unique) == (host, host, [A], True)
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert all(gap > 0.2 for gap in gaps[:3]) and gaps[3] > 0.9, gaps
    online.settled()


def test_every_parameter(online, neighbour, word):
    online.command(f'AT+MDNS=1,"{word}","_ipp",631,"my \\"printer\\"","_udp",3,"a","1","b","","c",')
    _, _, srv, txt, a, _ = neighbour.announcement().answers()
    assert (srv.name, srv.port) == ('my "printer"._ipp._udp.local.', 631)
    assert txt.text == b"\x03a=1\x02b=\x01c"
    assert a.name == f"{word}.local."


@pytest.mark.parametrize(
    "name, kind, answers, more",
    [
        ("service", PTR, [PTR], [SRV, TXT, A, NSEC]),
        ("SERVICE", PTR, [PTR], [SRV, TXT, A, NSEC]),
        ("services", PTR, [PTR], []),
        ("instance", SRV, [SRV], [A, NSEC]),
        ("instance", TXT, [TXT], []),
        ("instance", ANY, [SRV, TXT], [A, NSEC]),
        ("host", A, [A], [NSEC]),
        ("host", AAAA, [NSEC], [A]),
        ("host", ANY, [A, NSEC], []),
    ],
)
def test_answers_to_one_who_knows_dns_only(service, neighbour, word, name, kind, answers, more):
    """Such an asker gets the answer at its own port, with its id and question, not to be kept."""
    table = dict(zip(("service", "instance", "host"), names(word), strict=True), services=SERVICES)
    asked = table["service"].upper() if name == "SERVICE" else table[name]
    neighbour.ask(asked, kind, sock=neighbour.other)
    answer = neighbour.answered()
    assert answer.id == 0x1234
    assert [(q.name, q.type) for q in answer.questions] == [(asked, kind)]
    assert answer.num_answers == len(answers)
    records = answer.answers()
    assert kinds(records) == answers + more
    assert all(record.ttl == 10 and not record.unique for record in records)


def test_an_answer_to_the_asker_alone(service, neighbour, word):
    _, instance, host = names(word)
    neighbour.ask(instance, SRV, alone=True)
    answer = neighbour.told()
    assert answer.id == 0 and not answer.questions
    srv, a, nsec = answer.answers()
    assert (srv.name, srv.port, srv.ttl, srv.unique) == (instance, 8080, 120, True)
    assert (a.name, a.ttl, a.unique) == (host, 120, True)
    assert nsec.type == NSEC


def test_answers_to_all(service, neighbour, word):
    """Not more than once a second: the second question is answered a second after the first."""
    kind = names(word)[0]
    for _ in range(2):
        began = time.monotonic()
        neighbour.ask(kind, PTR)
        answer = neighbour.announcement()
        assert kinds(answer.answers()) == [PTR, SRV, TXT, A, NSEC]
    assert time.monotonic() - began > 0.9


def test_known_answers_are_left_out(service, neighbour, word):
    kind, instance, host = names(word)
    known = DNSPointer(kind, PTR, INTERNET, 2250, instance)
    neighbour.ask(kind, PTR, known=[known], sock=neighbour.other)
    neighbour.ask(host, A, known=[address(host, "127.0.0.1")], sock=neighbour.other)
    # Known, but something else, or not for long.
    neighbour.ask(host, A, known=[address(host, "127.0.0.9")], sock=neighbour.other)
    assert kinds(neighbour.answered().answers()) == [A, NSEC]
    neighbour.ask(kind, PTR, known=[DNSPointer(kind, PTR, INTERNET, 2249, instance)], sock=neighbour.other)
    assert kinds(neighbour.answered().answers()) == [PTR, SRV, TXT, A, NSEC]


def test_a_list_of_known_answers_that_is_longer_than_the_module_reads(service, neighbour, word):
    kind = names(word)[0]
    answers = message(RESPONSE, *(DNSPointer(kind, PTR, INTERNET, 4500, f"{i}.{kind}") for i in range(50)))
    header = struct.pack(">6H", 0x1234, 0, 1, 50, 0, 0)
    asked = b"".join(bytes((len(label),)) + label.encode() for label in kind.split(".")) + struct.pack(">HH", PTR, 1)
    neighbour.send(header + asked + answers[12:600], neighbour.other)
    assert kinds(neighbour.answered().answers()) == [PTR, SRV, TXT, A, NSEC]


def test_known_answers_that_come_in_a_second_message(service, neighbour, word):
    kind, instance, host = names(word)
    neighbour.ask(kind, PTR, more=True)
    known = DNSPointer(kind, PTR, INTERNET, 4500, instance)
    header = struct.pack(">6H", 0, 0, 0, 1, 0, 0)
    neighbour.send(header + message(RESPONSE, known)[12:])
    # The pointer is known now, so that what all hear next is the answer to this.
    neighbour.ask(host, A)
    assert kinds(neighbour.announcement().answers()) == [A, NSEC]


def test_questions_about_others_are_not_answered(service, neighbour, word):
    kind, instance, host = names(word)
    for name, asked in ((f"x{word}.local.", A), (kind, SRV), (host + "x.", A), (f"{word}.", A), (instance, PTR)):
        neighbour.ask(name, asked, sock=neighbour.other)
    neighbour.ask(instance, TXT, sock=neighbour.other)
    assert neighbour.answered().questions[0].type == TXT


def test_goodbye(service, neighbour, word):
    service.command("AT+MDNS=0")
    records = neighbour.announcement().answers()
    assert kinds(records) == [PTR, SRV, TXT, A]
    assert all(record.ttl == 0 for record in records)
    neighbour.ask(names(word)[1], SRV, sock=neighbour.other)
    service.command("AT+MDNS=0")
    service.command(f'AT+MDNS=1,"{word}","_{word}",8081')
    assert neighbour.probe().answers()[0].port == 8081
    neighbour.other.setblocking(False)
    with pytest.raises(BlockingIOError):
        neighbour.other.recv(9000)


def test_goodbye_before_a_restart(service, neighbour):
    service.send("AT+RST")
    records = neighbour.announcement().answers()
    assert kinds(records) == [PTR, SRV, TXT, A] and all(record.ttl == 0 for record in records)
    service.expect("⏎OK⏎⏎ready⏎")
    service.send("ATE0")
    service.match(r".*⏎OK⏎")


def test_another_service_takes_the_place_of_the_first(service, neighbour, word):
    service.command(f'AT+MDNS=1,"{word}","_{word}",9090')
    assert {record.ttl for record in neighbour.announcement().answers()} == {0}
    assert neighbour.announcement().answers()[2].port == 9090


def test_without_a_network_it_waits_for_one(module, neighbour, word):
    module.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    neighbour.settled()


def test_a_network_that_goes_and_comes_back(service, neighbour, word):
    assert service.control("ap down mpy-at") == "ok"
    service.expect("WIFI DISCONNECT⏎")
    assert service.control("ap up mpy-at") == "ok"
    service.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    neighbour.probe()
    neighbour.settled()
    neighbour.ask(names(word)[2], A, sock=neighbour.other)
    neighbour.answered()


# Conflicts


def test_a_host_name_that_is_taken(online, neighbour, word):
    _, instance, host = names(word)
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    neighbour.probe()
    neighbour.say(address(host, "127.0.0.9"))
    _, _, srv, _, a, _ = neighbour.settled().answers()
    assert (srv.name, srv.server, a.name) == (instance, f"{word}-2.local.", f"{word}-2.local.")


def test_an_instance_that_is_taken_twice(online, neighbour, word):
    kind, instance, host = names(word)
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    for name in (instance, f"{word}-2.{kind}"):
        while neighbour.probe().answers()[0].name != name:
            pass
        neighbour.say(DNSService(name, SRV, UNIQUE, 120, 0, 0, 8080, "other.local."))
    pointer, _, srv, _, a, _ = neighbour.settled().answers()
    assert (pointer.alias, srv.name, a.name) == (f"{word}-3.{kind}", f"{word}-3.{kind}", host)


def test_a_long_name_that_is_taken(online, neighbour, word):
    long = (word + "x" * 63)[:63]
    online.command(f'AT+MDNS=1,"{long}","_{word}",8080')
    neighbour.probe()
    neighbour.say(address(f"{long}.local.", "127.0.0.9"))
    assert neighbour.settled().answers()[4].name == f"{long[:61]}-2.local."


def test_two_that_claim_the_same_name_at_once(online, neighbour, word):
    """The greater data win; who lost waits a second, and finds the name taken or free."""
    host = names(word)[2]
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    neighbour.probe()
    neighbour.ask(host, ANY, authority=[address(host, "126.255.255.255")])
    neighbour.probe()
    began = time.monotonic()
    neighbour.ask(host, ANY, authority=[address(host, "200.0.0.1")])
    for _ in range(3):
        neighbour.probe()
    assert time.monotonic() - began > 1.4
    assert neighbour.announcement().answers()[4].name == host


def test_a_name_is_defended(service, neighbour, word):
    host = names(word)[2]
    neighbour.ask(host, ANY, authority=[address(host, "200.0.0.1")])
    assert kinds(neighbour.announcement().answers()) == [A, NSEC]


def test_a_conflict_after_the_announcement(service, neighbour, word):
    """The module claims its name anew, and keeps it if nobody insists."""
    host = names(word)[2]
    neighbour.say(address(host, "127.0.0.9"))
    for _ in range(3):
        neighbour.probe()
    assert neighbour.announcement().answers()[4].name == host


def test_a_goodbye_and_a_response_from_elsewhere_are_no_conflict(service, neighbour, word):
    host = names(word)[2]
    neighbour.say(address(host, "127.0.0.9", ttl=0))
    neighbour.send(message(RESPONSE, address(host, "127.0.0.9")), neighbour.other)
    neighbour.ask(host, A, sock=neighbour.other)
    neighbour.answered()


def test_damaged_messages(service, neighbour, word):
    host = names(word)[2]
    response = message(RESPONSE, address(host, "127.0.0.9"))
    for end in range(len(response)):
        neighbour.send(response[:end])
    header = struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0)
    for name in (b"\xc0\x0c", b"\xc0\x0e\xc0\x0c", b"\x01a\xc0\x0c", b"\x40a", b"\xff\xff", b"\x3f", b"\x01a" * 200):
        neighbour.send(header + name + struct.pack(">HHIH", A, 1, 120, 4) + b"abcd")
        neighbour.send(struct.pack(">6H", 0, 0, 1, 0, 0, 0) + name + b"\0\1\0\1")
    neighbour.send(struct.pack(">6H", 0, 0, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF) + b"\0\0\1\0\1" * 200)
    neighbour.send(b"\xff" * 1400)
    neighbour.ask(host, A, sock=neighbour.other)
    neighbour.answered()
    service.settled()


# As zeroconf sees it


class Browser(ServiceListener):
    """What zeroconf tells of services of one type, in a queue."""

    def __init__(self, zeroconf, kind):
        self.events = queue.Queue()
        self.browser = ServiceBrowser(zeroconf, kind, listener=self)

    def add_service(self, zc, kind, name):
        self.events.put(("added", name))

    def remove_service(self, zc, kind, name):
        self.events.put(("removed", name))

    def update_service(self, zc, kind, name):
        pass


@pytest.mark.roomy(reason="the MicroPython for 32 bits joins no groups")
@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_zeroconf_finds_the_service(start, zeroconf, word, board):
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    kind, instance, host = names(word)
    browser = Browser(zeroconf, kind)
    module.command(f'AT+MDNS=1,"{word}","_{word}",8080,,,1,"version","1.0"')
    assert browser.events.get(timeout=LIMIT) == ("added", instance)
    info = ServiceInfo(kind, instance)
    assert info.request(zeroconf, LIMIT * 1000)
    assert (info.server, info.port, info.parsed_addresses()) == (host, 8080, ["127.0.0.1"])
    assert info.decoded_properties == {"version": "1.0"}
    module.command("AT+MDNS=0")
    assert browser.events.get(timeout=LIMIT) == ("removed", instance)


def test_zeroconf_has_the_name_already(online, zeroconf, neighbour, word):
    kind, instance, _ = names(word)
    zeroconf.register_service(ServiceInfo(kind, instance, 99, server="other.local.", parsed_addresses=["127.0.0.9"]))
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    while True:
        records = neighbour.announcement().answers()
        if records[0].type == PTR and records[0].alias == f"{word}-2.{kind}":
            break


# What the module finds


@pytest.fixture
def printer(zeroconf, word):
    """A service that zeroconf offers: one.<type> on host <word>p.local."""
    kind = names(word)[0]
    info = ServiceInfo(
        kind,
        "one." + kind,
        35,
        properties={"version": "v4.1", "note": ""},
        server=f"{word}p.local.",
        parsed_addresses=["127.0.0.9", "fd00::1:2"],
    )
    zeroconf.register_service(info)
    return info


def found(*lines):
    """What the module prints for these lines."""
    text = "".join(line + "⏎" for line in lines)
    return f"+MDNS:{len(encode(text))},⏎{text}⏎OK⏎"


V6 = "fd00:0000:0000:0000:0000:0000:0001:0002"


@pytest.mark.parametrize(
    "question, lines",
    [
        ('0,"_W","_tcp"', ["PTR=one", "SRV=Wp.local:35", "TXT=version=v4.1", "TXT=note=", "A=127.0.0.9", "AAAA=" + V6]),
        ('1,"one","_W","_tcp"', ["TXT=version=v4.1", "TXT=note="]),
        ('2,"one","_W","_tcp"', ["SRV=Wp.local:35"]),
        ('3,"ONE","_W","_TCP",1000', ["SRV=Wp.local:35", "TXT=version=v4.1", "TXT=note="]),
        ('4,"Wp"', ["A=127.0.0.9"]),
        ('4,"WP.Local",180000,1', ["A=127.0.0.9"]),
        ('5,"Wp"', ["AAAA=" + V6]),
        ('6,"Wp"', ["A=127.0.0.9", "AAAA=" + V6]),
    ],
)
def test_every_type_of_search(online, printer, word, question, lines):
    online.send("AT+MDNS=2," + question.replace("W", word))
    online.expect(found("IF=1", "IP=0", *(line.replace("W", word) for line in lines)))
    online.settled()


@pytest.mark.roomy(reason="the MicroPython for 32 bits joins no groups")
def test_a_search_and_a_service_on_a_small_heap(start, printer, neighbour, word):
    module = start("--board", "esp8266")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    for _ in range(3):
        module.send(f'AT+MDNS=2,3,"one","_{word}","_tcp"')
        module.expect(found("IF=1", "IP=0", f"SRV={word}p.local:35", "TXT=version=v4.1", "TXT=note="))
        module.command(f'AT+MDNS=1,"{word}x","_{word}x",8080')
        assert neighbour.probe().answers()[0].port == 8080
        module.command("AT+MDNS=0")


def test_searching_for_several(online, printer, zeroconf, word):
    kind = names(word)[0]
    zeroconf.register_service(
        ServiceInfo(kind, "two." + kind, 36, server=f"{word}q.local.", parsed_addresses=["127.0.0.8"])
    )
    online.send(f'AT+MDNS=2,0,"_{word}","_tcp",180000,2')
    length = int(online.match(r"\+MDNS:(\d+),⏎".replace("⏎", "\r\n"))[1])
    blocks = online.take(length).decode().split("IF=1\r\nIP=0\r\n")
    one = ["PTR=one", f"SRV={word}p.local:35", "TXT=version=v4.1", "TXT=note=", "A=127.0.0.9", "AAAA=" + V6, ""]
    two = ["PTR=two", f"SRV={word}q.local:36", "A=127.0.0.8", ""]
    assert sorted(block.split("\r\n") for block in blocks[1:]) == [one, two] and not blocks[0]
    online.expect("⏎OK⏎")


def test_a_search_that_finds_nothing(online, word):
    began = time.monotonic()
    online.send(f'AT+MDNS=2,0,"_{word}","_tcp",1000')
    online.send("AT")
    online.expect("⏎busy p...⏎⏎OK⏎")
    assert 0.9 < time.monotonic() - began < LIMIT


def test_a_search_for_more_than_there_are(online, printer, word):
    began = time.monotonic()
    online.send(f'AT+MDNS=2,4,"{word}p",1000,2')
    online.expect(found("IF=1", "IP=0", "A=127.0.0.9"))
    assert time.monotonic() - began > 0.9


def test_the_module_finds_itself(service, word):
    service.send(f'AT+MDNS=2,0,"_{word}","_tcp"')
    service.expect(found("IF=1", "IP=0", f"PTR={word}", f"SRV={word}.local:8080", "A=127.0.0.1"))


def test_answers_in_pieces(online, neighbour, word):
    """A neighbour that answers exactly what it is asked, after noise: the module asks on for what is missing."""
    kind, instance, host = names(word)
    online.send(f'AT+MDNS=2,0,"_{word}","_tcp"')
    replies = {
        PTR: DNSPointer(kind, PTR, INTERNET, 10, instance),
        SRV: DNSService(instance, SRV, INTERNET, 10, 0, 0, 7, host),
        TXT: DNSText(instance, TXT, INTERNET, 10, b"\x03a=1"),
        A: DNSAddress(host, A, INTERNET, 10, b"\x7f\0\0\x09"),
    }
    while replies:
        question, source = neighbour.question()
        wanted = [replies.pop(q.type) for q in question.questions if q.type in replies]
        for noise in (b"", b"\0" * 12, b"\xff" * 100, message(RESPONSE, address("x.local.", "1.2.3.4"))):
            neighbour.direct.sendto(noise, source)
        for record in wanted:
            neighbour.direct.sendto(message(RESPONSE, record), source)
    online.expect(found("IF=1", "IP=0", f"PTR={word}", f"SRV={word}.local:7", "TXT=a=1", "A=127.0.0.9"))


# Parameters


@pytest.mark.parametrize(
    "parameters",
    [
        '1,"","_a",80',
        '1,"a","",80',
        '1,"a","_a",80,,""',
        '1,"a","_a",80,,,2,"k","v"',
        '1,"a","_a",80,,,1,"k"',
        '1,"a","_a",80,,,1,"k","v","l"',
        '1,"a","_a",80,,,,"k","v"',
        '1,"a","_a",80,,,1,"","v"',
        '1,"a","_a",80,,,1,"k=","v"',
        '1,"a","_a"',
        "0,1",
        '2,0,"_a"',
        '2,4,""',
    ],
)
def test_parameters_that_make_no_service(online, parameters):
    online.send(f"AT+MDNS={parameters}")
    online.expect("⏎ERROR⏎")
    online.settled()


def test_no_search_without_a_network(play):
    play("""
        > AT+MDNS=2,4,"a"
        < ⏎ERROR⏎
        > AT+MDNS=0
        < ⏎OK⏎
    """)
