"""Several clients of the module's server: their ids and their limit, their comings and goings. Each case runs on both
boards."""

import time

import pytest
from clients import Client, enter, full_listener
from module import LIMIT
from transcript import play


@pytest.fixture
def module(joined):
    return joined


def test_limit(serve):
    serve(
        """
        door d
        > AT+CIPSERVERMAXCONN?
        < +CIPSERVERMAXCONN:5⏎⏎OK⏎
        > AT+CIPSERVERMAXCONN=2
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        # To be set before the server is created.
        > AT+CIPSERVERMAXCONN=3
        < ⏎ERROR⏎
        > AT+CIPSERVERMAXCONN?
        < +CIPSERVERMAXCONN:2⏎⏎OK⏎
        client ann {d}
        < 0,CONNECT⏎
        client bob {d}
        < 1,CONNECT⏎
        client cid {d}
        < Have 2 Connections⏎
        cid ended
        ann sends undisturbed
        < ⏎+IPD,0,11:undisturbed
        ann closes
        < 0,CLOSED⏎
        client dan {d}
        < 0,CONNECT⏎
        """
    )


def test_all_ids_taken(serve):
    serve(
        """
        door d
        peer web
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client a {d}
        < 0,CONNECT⏎
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        web accepts
        < 1,CONNECT⏎⏎OK⏎
        client b {d}
        < 2,CONNECT⏎
        > AT+CIPSTART=4,"UDP","127.0.0.1",9
        < 4,CONNECT⏎⏎OK⏎
        client c {d}
        < 3,CONNECT⏎
        client e {d}
        < Have 5 Connections⏎
        e ended
        > AT+CIPSTARTEX="TCP","127.0.0.1",{web}
        < ⏎ERROR⏎
        # The lowest that is free comes next, whoever had it.
        > AT+CIPCLOSE=1
        < 1,CLOSED⏎⏎OK⏎
        client f {d}
        < 1,CONNECT⏎
        """
    )


def test_an_id_that_is_being_opened(module, door):
    """A client that comes while AT+CIPSTART waits for its peer does not get the id that this will have."""
    with full_listener() as port:
        module.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{port},,,1500')
        module.send("AT")
        module.expect("⏎busy p...⏎")
        client = enter(module, door, 1)
        module.expect("⏎ERROR⏎")
        other = enter(module, door, 0)
        client.send(b"still here")
        module.expect("⏎+IPD,1,10:still here")
        other.close()
        module.expect("0,CLOSED⏎")


def test_reports_wait_for_the_data(module, door):
    """From `>` until SEND OK nothing comes in between, however many clients come, speak and go."""
    ann = enter(module, door, 0)
    module.send("AT+CIPSEND=0,4")
    module.expect("⏎OK⏎⏎>")
    bob = Client(door)
    bob.send(b"hello")
    cid = Client(door)
    cid.close()
    ann.send(b"more")
    deadline = time.monotonic() + LIMIT
    while len(waiting(door)) < 3 and time.monotonic() < deadline:  # the module has not seen them all
        pass
    module.write(b"data")
    module.expect("⏎Recv 4 bytes⏎⏎SEND OK⏎1,CONNECT⏎2,CONNECT⏎")
    rest = module.match(r"(\r\n\+IPD,0,4:more|\r\n\+IPD,1,5:hello|2,CLOSED\r\n){3}")[0]
    assert rest.endswith((b"more", b"hello", b"CLOSED\r\n"))
    assert ann.get(4) == b"data"
    module.settled()


def waiting(port):
    """The module's connections on a port that have been accepted (they have an inode) or have ended."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] != "0A" and row[9] != "0"]


def test_detailed_reports(module):
    module.command("AT+CIPMUX=1")
    module.command("AT+SYSMSG=2")
    play(
        module,
        """
        door d
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client ann {d}
        < +LINK_CONN:0,0,"TCP",1,"127.0.0.1",{ann},{d}⏎
        ann closes
        < 0,CLOSED⏎
        """,
    )


def test_network_lost(module, door):
    """The clients go, the server stays."""
    clients = [enter(module, door, number) for number in range(5)]
    assert module.control("ap down mpy-at") == "ok"
    module.expect("".join(f"{number},CLOSED⏎" for number in range(5)) + "WIFI DISCONNECT⏎")
    for client in clients:
        client.ended()
    assert module.control("ap up mpy-at") == "ok"
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    enter(module, door, 0).send(b"again")
    module.expect("⏎+IPD,0,5:again")


def test_clients_that_go_at_once(module, door):
    """They are reported in their order, and each leaves its id."""
    for cycle in range(20):
        client = Client(door)
        if cycle % 3 == 0:
            client.send(b"bye")
        (client.reset if cycle % 2 else client.close)()
        module.match(r"0,CONNECT\r\n(\r\n\+IPD,0,3:bye)?0,CLOSED\r\n")
    module.settled()
