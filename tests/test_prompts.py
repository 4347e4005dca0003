"""AT+SYSMSG: what each of its bits makes the module say, after a restart that it has to survive.
Bit 0 is +QUITT after passthrough, bit 1 +LINK_CONN for CONNECT, bit 2 the state of links and Wi-Fi in passthrough."""

import time

import pytest
from module import PAUSE
from peers import Peer


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


def in_passthrough(start, board, state, peer):
    """A module that has started anew with this state, and that is in passthrough to the peer."""
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    module.command(f"AT+SYSMSG={state}")
    assert module.control("power cycle") == "ok"
    module.expect("⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+SYSMSG?")
    module.expect(f"+SYSMSG:{state}⏎⏎OK⏎")
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect(connected(state, peer) + "⏎OK⏎")
    module.command("AT+CIPMODE=1")
    module.send("AT+CIPSEND")
    module.expect("⏎OK⏎⏎>")
    return module


def connected(state, peer):
    if state & 2:
        return f'+LINK_CONN:0,0,"TCP",0,"127.0.0.1",{peer.port},{peer.address[1]}⏎'
    return "CONNECT⏎"


def greet(module, peer):
    """Both ways are open: the module is in passthrough again, and has said what it had to say."""
    module.write(b"up")
    assert peer.get(2) == b"up"
    peer.send(b"down")
    module.expect("down")


def quit_and_settle(module, state):
    time.sleep(PAUSE)
    module.write(b"+++")
    if state & 1:
        module.expect("⏎+QUITT⏎")
    else:
        time.sleep(PAUSE)
    module.settled()


@pytest.mark.parametrize("state", range(8))
def test_every_state(start, peer, state):
    module = in_passthrough(start, ("esp32", "esp8266")[state % 2], state, peer)
    greet(module, peer)
    peer.sock.close()
    peer.accept()
    if state & 4:
        module.expect("CLOSED⏎" + connected(state, peer))
    greet(module, peer)
    quit_and_settle(module, state)
    # Out of passthrough all of it is said again, whatever bit 2 is; the data come as they are until CIPMODE=0.
    peer.sock.close()
    module.expect("CLOSED⏎")
    module.settled()


@pytest.mark.parametrize("state", [0, 4, 6])
def test_the_loss_of_wifi(start, peer, state):
    module = in_passthrough(start, "esp32", state, peer)
    assert module.control("ap down mpy-at") == "ok"
    peer.ended()
    if state & 4:
        module.expect("CLOSED⏎WIFI DISCONNECT⏎")
    assert module.control("ap up mpy-at") == "ok"
    peer.accept()
    if state & 4:
        module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎" + connected(state, peer))
    greet(module, peer)
    quit_and_settle(module, state)
