"""A server for one interface alone, by AT+CIPSERVER's netif: 1 for the station's network, 2 for that of the softAP.
Each case runs on both boards. The networks are parts of loopback: 127.99.0.0 is the softAP's."""

import pytest
from clients import Client, Door

NEAR, FAR = "127.99.0.2", "127.0.0.2"


def client_of(address, port):
    return Client(port, address=address)


@pytest.fixture
def module(joined):
    joined.command("AT+CWMODE=3")
    joined.command('AT+CIPAP="127.99.0.1",,"255.255.255.0"')
    return joined


@pytest.mark.parametrize(("netif", "wanted", "other"), [(1, FAR, NEAR), (2, NEAR, FAR)])
def test_clients_of_one_interface(module, board, netif, wanted, other):
    port = Door().port
    module.command("AT+CIPMUX=1")
    module.command(f"AT+CIPSERVER=1,{port},,,{netif}")
    module.send("AT+CIPSERVER?")
    module.expect(f'+CIPSERVER:1,{port},"TCP",0{"" if board == "esp8266" else f",{netif}"}⏎⏎OK⏎')
    client_of(other, port).ended()
    client = client_of(wanted, port)
    module.expect("0,CONNECT⏎")
    client.send(b"hello")
    module.expect("⏎+IPD,0,5:hello")
    client_of(other, port).ended()
    module.send("AT+CIPSERVER=0,1")
    module.expect("0,CLOSED⏎⏎OK⏎")
    # And of all.
    module.command(f"AT+CIPSERVER=1,{port},,,0")
    near = client_of(NEAR, port)
    module.expect("0,CONNECT⏎")
    far = client_of(FAR, port)
    module.expect("1,CONNECT⏎")
    near.close()
    module.expect("0,CLOSED⏎")
    far.close()
    module.expect("1,CLOSED⏎")
    module.settled()


def test_without_a_softap_there_is_only_the_station(module):
    port = Door().port
    module.command("AT+CWMODE=1")
    module.command("AT+CIPMUX=1")
    module.command(f"AT+CIPSERVER=1,{port},,,1")
    client = client_of(NEAR, port)
    module.expect("0,CONNECT⏎")
    client.close()
    module.expect("0,CLOSED⏎")
    module.command("AT+CIPSERVER=0")
    module.command(f"AT+CIPSERVER=1,{port},,,2")
    client_of(NEAR, port).ended()
    module.settled()


def test_a_saved_server(module):
    port = Door().port
    module.command(f'AT+SAVETRANSLINK=3,{port},"TCP",0,2')
    module.control("power cycle")
    module.expect("⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎")
    client_of(FAR, port).ended()
    client = client_of(NEAR, port)
    module.expect("⏎>")
    module.write(b"hello")
    assert client.get(5) == b"hello"
    client.close()
