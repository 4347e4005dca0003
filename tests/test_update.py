"""Updates over the network, from a web server on loopback: AT+CIUPDATE and its kin, on both kinds of slots."""

import bundles
import pytest
from update_server import UpdateServer

OLD, NEW = "0.1.0", "9.0.0"
STEPS = "+CIPUPDATE:1⏎+CIPUPDATE:2⏎+CIPUPDATE:3⏎+CIPUPDATE:4⏎"


@pytest.fixture
def server():
    server = UpdateServer()
    yield server
    server.close()


@pytest.fixture(params=["esp32", "esp8266"])
def board(request):
    return request.param


@pytest.fixture
def updating(start, server, board):
    """A module that has joined the network, and knows the key and the server."""
    module = start("--board", board, "--update-key", bundles.public())
    module.join()
    module.command(f'AT+MPYUPDATE="{server.url}"')
    return module


def restarted(module):
    """What comes after a restart: the saved network is joined again."""
    module.expect("⏎ready⏎")
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")


def version(module):
    module.send("AT+GMR")
    return module.match(r"AT version.*Bin version:([0-9.]+)\(ESP\w+\)\r\n\r\nOK\r\n")[1].decode()


def slots(module):
    module.send("AT+SYSROLLBACK?")
    return module.match(r"\+SYSROLLBACK:(.*?)\r\n\r\nOK\r\n")[1].decode()


def test_from_a_url(updating, server, board):
    module = updating
    server.publish(bundles.firmware(board), board=board)
    url = f"{server.url}/ota/{board}/ota-{NEW}-{board}.atb"
    module.send(f"AT+USEROTA={len(url)}")
    module.expect("⏎OK⏎⏎>")
    module.write(url.encode())
    module.expect(f"⏎Recv {len(url)} bytes⏎{STEPS}⏎OK⏎")
    restarted(module)
    assert version(module) == NEW
    # From here on it is not newer.
    module.send(f"AT+USEROTA={len(url)}")
    module.expect("⏎OK⏎⏎>")
    module.write(url.encode())
    module.expect(f"⏎Recv {len(url)} bytes⏎+CIPUPDATE:1⏎+CIPUPDATE:2⏎⏎ERROR⏎")


def test_there_and_back(updating, server, board):
    module = updating
    server.publish(bundles.firmware(board), board=board)
    assert slots(module) == '0,"0.1.0",1,"-"'
    module.send("AT+SYSROLLBACK")
    module.expect("⏎ERROR⏎")
    module.send("AT+CIPFWVER?")
    module.expect('+CIPFWVER:"9.0.0"⏎⏎OK⏎')
    module.send("AT+CIUPDATE?")
    module.expect("+CIPUPDATE:0⏎⏎OK⏎")
    module.send("AT+CIUPDATE")
    module.expect(f"{STEPS}⏎OK⏎")
    restarted(module)
    assert version(module) == NEW
    assert slots(module) == '1,"9.0.0",0,"0.1.0"'
    module.send("AT+CIUPDATE")
    module.expect("+CIPUPDATE:1⏎+CIPUPDATE:2⏎+CIPUPDATE:3⏎⏎ERROR⏎")
    # What runs is not taken again: that would cost the way back.
    module.send('AT+CIUPDATE=0,"v9.0.0"')
    module.expect("+CIPUPDATE:1⏎+CIPUPDATE:2⏎+CIPUPDATE:3⏎⏎ERROR⏎")
    assert slots(module) == '1,"9.0.0",0,"0.1.0"'
    for now, other in ((OLD, NEW), (NEW, OLD)):
        module.send("AT+SYSROLLBACK")
        module.expect("⏎OK⏎")
        restarted(module)
        assert version(module) == now
        assert slots(module) == f'{int(now == NEW)},"{now}",{int(now == OLD)},"{other}"'
