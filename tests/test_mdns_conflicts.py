"""mDNS: names that others have or claim, and messages that are damaged.
All on loopback and at one port, which tests that run at the same time share: each has names of its own."""

import struct
import time

from neighbour import ANY, NSEC, PTR, RESPONSE, SRV, UNIQUE, A, address, kinds, message, names
from zeroconf import DNSService, ServiceInfo


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


def test_zeroconf_has_the_name_already(online, zeroconf, neighbour, word):
    kind, instance, _ = names(word)
    zeroconf.register_service(ServiceInfo(kind, instance, 99, server="other.local.", parsed_addresses=["127.0.0.9"]))
    online.command(f'AT+MDNS=1,"{word}","_{word}",8080')
    while True:
        records = neighbour.announcement().answers()
        if records[0].type == PTR and records[0].alias == f"{word}-2.{kind}":
            break


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
