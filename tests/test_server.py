"""The server: AT+CIPSERVER, what it is created with, and how it ends. Each case runs on both boards.
Who connects is a real client on loopback."""

import contextlib
import socket

import pytest
from clients import Client, Door, enter, serving
from peers import Peer
from transcript import play


@pytest.fixture
def module(joined):
    return joined


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
        ~ \\+CIPSERVER:1,{d},"TCP",0(,0)?⏎⏎OK⏎
        > AT+CIPSERVER=0
        < ⏎OK⏎
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


def test_deleted_means_closed(module):
    door = serving(module)
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
        > AT+CIPSERVER=1,{d},,,3
        < ⏎ERROR⏎
        > AT+CIPSERVER=0,,,,1
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
        ~ \\+CIPSERVER:1,{d},"TCP",0(,0)?⏎⏎OK⏎
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
    for board in ("esp32", "esp8266"):
        module = start("--board", board).join()
        module.command("AT+CIPMUX=1")
        module.command("AT+CIPSERVER=1")
        module.send("AT+CIPSERVER?")
        module.match('\\+CIPSERVER:1,333,"TCP",0(,0)?\r\n\r\nOK\r\n')
        client = enter(module, 333, 0)
        module.send("AT+CIPSERVER=0,1")
        module.expect("0,CLOSED⏎⏎OK⏎")
        client.ended()


@pytest.mark.ipv6
def test_ipv6(module):
    module.command("AT+CIPMUX=1")
    module.send("AT+CIPV6=1")
    if module.match("\r\n(OK|ERROR)\r\n")[1] == b"ERROR":
        return  # a board without IPv6
    port = Door().port
    module.command(f'AT+CIPSERVER=1,{port},"TCPv6"')
    module.send("AT+CIPSERVER?")
    module.expect(f'+CIPSERVER:1,{port},"TCPv6",0,0⏎⏎OK⏎')
    client = Client(port, "::1")
    module.expect("0,CONNECT⏎")
    module.send("AT+CIPSTATE?")
    module.expect(f'+CIPSTATE:0,"TCPv6","::1",{client.port},{port},1⏎⏎OK⏎')
    client.send(b"six")
    module.expect("⏎+IPD,0,3:six")
