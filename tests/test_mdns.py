"""mDNS: the module's service as its neighbours see it, among them zeroconf.
All on loopback and at one port, which tests that run at the same time share: each has names of its own."""

import itertools
import queue
import struct
import time

import pytest
from module import LIMIT
from neighbour import (
    AAAA,
    ANY,
    INTERNET,
    NSEC,
    PTR,
    RESPONSE,
    SERVICES,
    SRV,
    TXT,
    A,
    address,
    kinds,
    message,
    names,
)
from zeroconf import DNSPointer, ServiceBrowser, ServiceInfo, ServiceListener


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
    "service, proto, wanted",
    [
        ('"WORD",80', "", "_tcp"),
        ('"_WORD",80', ',,"udp"', "_udp"),
        ('"WORD",80', ',,"_udp"', "_udp"),
    ],
)
def test_the_underscores_of_a_service(online, neighbour, word, service, proto, wanted):
    online.command(f'AT+MDNS=1,"{word}",{service.replace("WORD", word)}{proto}')
    pointer, _, srv, *_ = neighbour.announcement().answers()
    assert (pointer.name, srv.name) == (f"_{word}.{wanted}.local.", f"{word}._{word}.{wanted}.local.")


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


def test_the_port_is_held_for_the_next_service(service, neighbour, word):
    """An ESP32's own responder would take it with the next address, and AT+MDNS=1 were an ERROR from then on."""
    for port in (8081, 8082):
        service.command("AT+MDNS=0")
        assert service.control("ap down mpy-at") == "ok"
        service.expect("WIFI DISCONNECT⏎")
        assert service.control("ap up mpy-at") == "ok"
        service.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
        service.command(f'AT+MDNS=1,"{word}","_{word}",{port}')
        assert neighbour.probe().answers()[0].port == port
    service.send(f'AT+MDNS=1,"{"x" * 63}","",80')
    service.expect("⏎ERROR⏎")
    service.command(f'AT+MDNS=1,"{word}","_{word}",8083')


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
