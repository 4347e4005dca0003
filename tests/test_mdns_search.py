"""mDNS: the services and hosts of neighbours as the module finds them.
All on loopback and at one port, which tests that run at the same time share: each has names of its own."""

import time

import pytest
from module import LIMIT, encode
from neighbour import INTERNET, PTR, RESPONSE, SRV, TXT, A, address, message, names
from zeroconf import DNSAddress, DNSPointer, DNSService, DNSText, ServiceInfo


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


@pytest.mark.parametrize(
    "question, lines",
    [
        ('0,"W","tcp"', ["PTR=one", "SRV=Wp.local:35"]),
        ('2,"one","W","_tcp"', ["SRV=Wp.local:35"]),
        ('2,"one","_W","tcp"', ["SRV=Wp.local:35"]),
    ],
)
def test_the_underscores_of_a_service(online, printer, word, question, lines):
    online.send("AT+MDNS=2," + question.replace("W", word))
    online.match(encode("\\+MDNS:\\d+,⏎IF=1⏎IP=0⏎") + encode("".join(line + "⏎" for line in lines).replace("W", word)))
    online.match(b".*\r\nOK\r\n")


@pytest.mark.parametrize(
    "data, lines",
    [
        (b"\0\x03a=1", ["TXT=a=1"]),
        (b"\x03a=1\0\0\x03b=2\0", ["TXT=a=1", "TXT=b=2"]),
        # The last one says that it is longer than it is.
        (b"\x03a=1\xffb=2", ["TXT=a=1", "TXT=b=2"]),
    ],
)
def test_a_txt_record_is_shown_whole(online, neighbour, word, data, lines):
    instance = names(word)[1]
    online.send(f'AT+MDNS=2,1,"{word}","_{word}","_tcp"')
    source = neighbour.question()[1]
    neighbour.direct.sendto(message(RESPONSE, DNSText(instance, TXT, INTERNET, 10, data)), source)
    online.expect(found("IF=1", "IP=0", *lines))


def test_records_that_are_not_as_long_as_they_have_to_be(online, neighbour, word):
    """Addresses of three and five bytes, a service without a name, SRV of five bytes: as if they had not come."""
    kind, instance, host = names(word)
    online.send(f'AT+MDNS=2,0,"_{word}","_tcp"')
    source = neighbour.question()[1]
    wrong = [DNSAddress(host, A, INTERNET, 10, data) for data in (b"\1\2\3", b"\1\2\3\4\5", b"")]
    wrong += [DNSAddress(host, 28, INTERNET, 10, data) for data in (b"\1\2\3\4", bytes(17))]
    for record in (DNSPointer(kind, PTR, INTERNET, 10, "."), DNSAddress(instance, SRV, INTERNET, 10, bytes(5))):
        neighbour.direct.sendto(message(RESPONSE, record), source)
    for record in (
        DNSPointer(kind, PTR, INTERNET, 10, instance),
        DNSService(instance, SRV, INTERNET, 10, 0, 0, 7, host),
        DNSText(instance, TXT, INTERNET, 10, b"\0"),
        *wrong,
        DNSAddress(host, A, INTERNET, 10, b"\x7f\0\0\x09"),
    ):
        neighbour.direct.sendto(message(RESPONSE, record), source)
    online.expect(found("IF=1", "IP=0", f"PTR={word}", f"SRV={word}.local:7", "A=127.0.0.9"))


def test_no_search_without_a_network(play):
    play("""
        > AT+MDNS=2,4,"a"
        < ⏎ERROR⏎
        > AT+MDNS=0
        < ⏎OK⏎
    """)
