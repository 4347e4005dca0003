"""The server: AT+CIPSERVER, its limit of connections, the clients that stay silent. Each case runs on both boards.
Who connects is a real client on loopback."""

import contextlib
import select
import socket
import time

import pytest
from clients import Client, Door
from module import LIMIT
from peers import Peer
from transcript import play

BOARDS = ("esp32", "esp8266")


def online(start, board):
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module


@pytest.fixture(params=BOARDS)
def module(request, start):
    return online(start, request.param)


@pytest.fixture
def serve(module):
    """Plays a transcript with CIPMUX=1."""

    def serve(text):
        module.command("AT+CIPMUX=1")
        play(module, text)

    return serve


@pytest.fixture
def door(module):
    """The port of a server that runs."""
    port = Door().port
    module.command("AT+CIPMUX=1")
    module.command(f"AT+CIPSERVER=1,{port}")
    return port


def enter(module, port, number):
    """A client that the module has told of."""
    client = Client(port)
    module.expect(f"{number},CONNECT⏎")
    return client


def refused(port):
    with pytest.raises(ConnectionRefusedError):
        Client(port)


def test_create_query_delete(serve):
    serve(
        """
        door d
        > AT+CIPSERVER?
        < +CIPSERVER:0⏎⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        > AT+CIPSERVER?
        < +CIPSERVER:1,{d},"TCP",0⏎⏎OK⏎
        # Only one server can be created.
        > AT+CIPSERVER=1,{d}
        < ⏎ERROR⏎
        > AT+CIPSERVER=0
        < ⏎OK⏎
        > AT+CIPSERVER=0
        < ⏎ERROR⏎
        > AT+CIPSERVER?
        < +CIPSERVER:0⏎⏎OK⏎
        """
    )


def test_a_client(serve):
    serve(
        """
        door d
        > AT+CIPSERVER=1,{d},"TCP",0,1
        < ⏎OK⏎
        client ann {d}
        < 0,CONNECT⏎
        ann sends hello
        < ⏎+IPD,0,5:hello
        > AT+CIPSEND=0,2
        < ⏎OK⏎⏎>
        >> hi
        < ⏎Recv 2 bytes⏎⏎SEND OK⏎
        ann gets hi
        > AT+CIPSTATE?
        < +CIPSTATE:0,"TCP","127.0.0.1",{ann},{d},1⏎⏎OK⏎
        > AT+CIPSTATUS
        < STATUS:3⏎+CIPSTATUS:0,"TCP","127.0.0.1",{ann},{d},1⏎⏎OK⏎
        > AT+CIPDINFO=1
        < ⏎OK⏎
        ann sends again
        < ⏎+IPD,0,5,"127.0.0.1",{ann}:again
        ann closes
        < 0,CLOSED⏎
        client bob {d}
        < 0,CONNECT⏎
        bob resets
        < 0,CLOSED⏎
        client cid {d}
        < 0,CONNECT⏎
        > AT+CIPCLOSE=0
        < 0,CLOSED⏎⏎OK⏎
        cid ended
        > AT+CIPSTATUS
        < STATUS:4⏎⏎OK⏎
        """
    )


def test_delete_and_keep_the_clients(serve):
    serve(
        """
        door d
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client ann {d}
        < 0,CONNECT⏎
        > AT+CIPSERVER=0
        < ⏎OK⏎
        ann sends still here
        < ⏎+IPD,0,10:still here
        # The port can be used again at once, although a connection from before lives.
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client bob {d}
        < 1,CONNECT⏎
        > AT+CIPSERVER=0,0
        < ⏎OK⏎
        bob sends me too
        < ⏎+IPD,1,6:me too
        """
    )


def test_delete_and_close_the_clients(serve):
    serve(
        """
        door d
        peer web
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client ann {d}
        < 0,CONNECT⏎
        link web 1
        client bob {d}
        < 2,CONNECT⏎
        > AT+CIPSERVER=0,1
        < 0,CLOSED⏎2,CLOSED⏎⏎OK⏎
        ann ended
        bob ended
        # The link that was opened from here is no client.
        web sends still here
        < ⏎+IPD,1,10:still here
        # The port can be used again at once.
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        client cid {d}
        < 0,CONNECT⏎
        """
    )


def test_deleted_means_closed(module, door):
    module.command("AT+CIPSERVER=0")
    refused(door)


def test_only_with_several_links(module):
    play(
        module,
        """
        door d
        > AT+CIPSERVER?
        < +CIPSERVER:0⏎⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎ERROR⏎
        > AT+CIPMUX=1
        < ⏎OK⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        > AT+CIPMUX=0
        < ⏎ERROR⏎
        client ann {d}
        < 0,CONNECT⏎
        > AT+CIPSERVER=0
        < ⏎OK⏎
        # Now it is the client's link that holds the mode.
        > AT+CIPMUX=0
        < ⏎ERROR⏎
        ann closes
        < 0,CLOSED⏎
        > AT+CIPMUX=0
        < ⏎OK⏎
        > AT+CIPMUX?
        < +CIPMUX:0⏎⏎OK⏎
        """,
    )


def test_parameters_that_do_not_fit(serve):
    serve(
        """
        door d
        > AT+CIPSERVER=2
        < ⏎ERROR⏎
        > AT+CIPSERVER=1,0
        < ⏎ERROR⏎
        > AT+CIPSERVER=1,65536
        < ⏎ERROR⏎
        > AT+CIPSERVER=1,{d},"UDP"
        < ⏎ERROR⏎
        > AT+CIPSERVER=1,"{d}"
        < ⏎ERROR⏎
        # IPv6 only with CIPV6=1.
        > AT+CIPSERVER=1,{d},"TCPv6"
        < ⏎ERROR⏎
        > AT+CIPSERVER=0,1
        < ⏎ERROR⏎
        > AT+CIPSERVER=1,{d}
        < ⏎OK⏎
        > AT+CIPSERVER=0,2
        < ⏎ERROR⏎
        > AT+CIPSERVER=0,,"TCP"
        < ⏎ERROR⏎
        > AT+CIPSERVER
        < ⏎ERROR⏎
        > AT+CIPSERVERMAXCONN=0
        < ⏎ERROR⏎
        > AT+CIPSERVERMAXCONN=6
        < ⏎ERROR⏎
        > AT+CIPSTO=7201
        < ⏎ERROR⏎
        > AT+CIPSTO=-1
        < ⏎ERROR⏎
        > AT+CIPSERVER?
        < +CIPSERVER:1,{d},"TCP",0⏎⏎OK⏎
        """
    )


def test_a_port_in_use(module):
    module.command("AT+CIPMUX=1")
    peer = Peer()
    module.send(f"AT+CIPSERVER=1,{peer.port}")
    module.expect("⏎ERROR⏎")
    module.send("AT+CIPSERVER?")
    module.expect("+CIPSERVER:0⏎⏎OK⏎")
    peer.close()
    module.settled()


def test_default_port(start):
    """333, which an ordinary user of the PC cannot have, and only one at a time."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", 333))
        except OSError as error:
            pytest.skip(f"port 333 of this PC: {error}")
    for board in BOARDS:
        module = online(start, board)
        module.command("AT+CIPMUX=1")
        module.command("AT+CIPSERVER=1")
        module.send("AT+CIPSERVER?")
        module.expect('+CIPSERVER:1,333,"TCP",0⏎⏎OK⏎')
        client = enter(module, 333, 0)
        module.send("AT+CIPSERVER=0,1")
        module.expect("0,CLOSED⏎⏎OK⏎")
        client.ended()


def test_ipv6(module):
    module.command("AT+CIPMUX=1")
    module.send("AT+CIPV6=1")
    if module.match("\r\n(OK|ERROR)\r\n")[1] == b"ERROR":
        return  # a board without IPv6
    port = Door().port
    module.command(f'AT+CIPSERVER=1,{port},"TCPv6"')
    module.send("AT+CIPSERVER?")
    module.expect(f'+CIPSERVER:1,{port},"TCPv6",0⏎⏎OK⏎')
    client = Client(port, "::1")
    module.expect("0,CONNECT⏎")
    module.send("AT+CIPSTATE?")
    module.expect(f'+CIPSTATE:0,"TCPv6","::1",{client.port},{port},1⏎⏎OK⏎')
    client.send(b"six")
    module.expect("⏎+IPD,0,3:six")


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


@contextlib.contextmanager
def full_listener():
    """A port where connections neither succeed nor fail."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as stack:
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


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


# CIPSTO


def quiet(module, seconds):
    """Nothing comes from the module for so long."""
    assert not select.select([module.fd], [], [], seconds)[0], module.said() and bytes(module.received)


def test_silence_is_off_at_first(serve):
    serve(
        """
        > AT+CIPSTO?
        < +CIPSTO:0⏎⏎OK⏎
        > AT+CIPSTO=7200
        < ⏎OK⏎
        > AT+CIPSTO?
        < +CIPSTO:7200⏎⏎OK⏎
        """
    )


def test_a_silent_client_is_closed(module, door):
    module.command("AT+CIPSTO=1")
    peer = Peer()
    module.send(f'AT+CIPSTART=3,"TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("3,CONNECT⏎⏎OK⏎")
    began = time.monotonic()
    ann, bob = enter(module, door, 0), enter(module, door, 1)
    module.expect("0,CLOSED⏎1,CLOSED⏎")
    assert time.monotonic() > began + 0.95
    ann.ended()
    bob.ended()
    # A link that was opened from here may be silent.
    peer.send(b"awake")
    module.expect("⏎+IPD,3,5:awake")
    peer.close()
    module.expect("3,CLOSED⏎")
    module.settled()


def test_data_of_the_client_start_it_anew(module, door):
    module.command("AT+CIPSTO=1")
    ann = enter(module, door, 0)
    began = last = time.monotonic()
    while last < began + 1.5:
        quiet(module, 0.3)
        last = time.monotonic()
        ann.send(b"x")
        module.expect("⏎+IPD,0,1:x")
    module.expect("0,CLOSED⏎")
    assert time.monotonic() > last + 0.95
    ann.ended()


def test_data_of_the_server_do_not(module, door):
    module.command("AT+CIPSTO=1")
    ann = enter(module, door, 0)
    began = time.monotonic()
    for _ in range(3):
        quiet(module, 0.2)
        module.send("AT+CIPSEND=0,1")
        module.expect("⏎OK⏎⏎>")
        module.write(b"x")
        module.expect("⏎Recv 1 bytes⏎⏎SEND OK⏎")
    sent = time.monotonic()
    module.expect("0,CLOSED⏎")
    assert time.monotonic() < sent + 0.9 or sent > began + 1
    assert ann.get(3) == b"xxx"
    ann.ended()


def test_zero_is_never(module, door):
    """A client that would be closed in a second lives on with 0; 1.5 s are measured by the module."""
    module.command("AT+CIPSTO=1")
    ann = enter(module, door, 0)
    module.command("AT+CIPSTO=0")
    with full_listener() as port:
        module.send(f'AT+CIPSTART=4,"TCP","127.0.0.1",{port},,,1500')
        module.expect("⏎ERROR⏎")
    ann.send(b"here")
    module.expect("⏎+IPD,0,4:here")
    # Set again, it holds for those who are here.
    module.command("AT+CIPSTO=1")
    module.expect("0,CLOSED⏎")
    ann.ended()


def test_silence_of_the_host_is_not_the_clients(module, door):
    """While the host holds reports back, a client that has spoken is not closed for it."""
    module.command("AT+CIPSTO=1")
    ann = enter(module, door, 0)
    module.send("AT+CIPSEND=0,1")
    module.expect("⏎OK⏎⏎>")
    ann.send(b"waits")
    quiet(module, 1.5)
    module.write(b"x")
    module.expect("⏎Recv 1 bytes⏎⏎SEND OK⏎⏎+IPD,0,5:waits")
    ann.send(b"and goes on")
    module.expect("⏎+IPD,0,11:and goes on0,CLOSED⏎")
