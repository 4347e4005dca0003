"""AT+CIPSTO: the module's server closes clients that stay silent. Each case runs on both boards."""

import select
import time

import pytest
from clients import enter, full_listener
from peers import Peer


@pytest.fixture
def module(joined):
    return joined


def quiet(module, seconds):
    """Nothing comes from the module for so long."""
    assert not select.select([module.fd], [], [], seconds)[0], module.said() and bytes(module.received)


def test_silence_is_off_at_first(play):
    play(
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


def test_data_of_the_server_do_so_too(module, door):
    module.command("AT+CIPSTO=1")
    ann = enter(module, door, 0)
    began = last = time.monotonic()
    count = 0
    while last < began + 1.5:
        quiet(module, 0.3)
        last = time.monotonic()
        module.send("AT+CIPSEND=0,1")
        module.expect("⏎OK⏎⏎>")
        module.write(b"x")
        module.expect("⏎Recv 1 bytes⏎⏎SEND OK⏎")
        count += 1
    module.expect("0,CLOSED⏎")
    assert time.monotonic() > last + 0.95
    assert ann.get(count) == b"x" * count
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
