"""The name that a server is asked for (SNI), and that its certificate is to have."""

import ssl

import pytest
from certificates import SERVER
from nameserver import Responder
from tls_peers import TLSPeer, prepare, serving

HOSTS = (SERVER, SERVER.upper(), "a." + SERVER, "A.Server.Test")


class Asked(TLSPeer):
    """A server that keeps the names that it was asked for."""

    def __init__(self, context, address="127.0.0.1"):
        super().__init__(context, address)
        self.names = []
        context.sni_callback = lambda sock, name, context: self.names.append(name)


@pytest.fixture
def responder():
    responder = Responder({host: ["127.0.0.1"] for host in HOSTS})
    yield responder
    responder.close()


@pytest.fixture
def named(start, tmp_path, responder):
    """A function that starts a module of a board, and joins a network whose name server knows the hosts."""

    def named(board="esp32"):
        # The stand-in for axTLS is on the heap.
        heap = ("--heap", "64wK") if board == "esp8266" else ()
        module = start("--board", board, *heap, "--wifi", responder.access_points(tmp_path))
        return module.join()

    return named


def asks(module, peer, host, kind="SSL"):
    """Opens a link and closes it again; returns the name that the server was asked for."""
    module.send(f'AT+CIPSTART="{kind}","{host}",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")
    return peer.names.pop()


def test_the_name_of_the_host_is_sent_and_an_address_is_not(named, board, tmp_path, authority):
    module = named(board)
    peer = Asked(serving(tmp_path, authority.rsa_server, weak=True))
    if board == "esp32":
        prepare(module, authority)
    for mode in (0, 1) if board == "esp32" else (0,):
        module.command(f"AT+CIPSSLCCONF={mode}")
        assert asks(module, peer, SERVER) == SERVER
        assert asks(module, peer, "A.Server.Test.") == "A.Server.Test"
        assert asks(module, peer, "localhost.") == "localhost"
        for host in ("127.0.0.1", "127.0.0.01"):
            assert asks(module, peer, host) is None
        for name in ("other.test", "other.test."):
            module.command(f'AT+CIPSSLCSNI="{name}"')
            for host in (SERVER, "127.0.0.1"):
                assert asks(module, peer, host) == "other.test"
        module.command('AT+CIPSSLCSNI="127.0.0.1"')
        assert asks(module, peer, SERVER) is None
        module.command('AT+CIPSSLCSNI=""')
    peer.close()


@pytest.mark.ipv6
def test_an_address_of_ipv6_is_no_name_either(named, tmp_path, authority):
    module = named()
    module.command("AT+CIPV6=1")
    peer = Asked(serving(tmp_path, authority.server), "::1")
    assert asks(module, peer, "::1", "SSLv6") is None
    assert asks(module, peer, "localhost.", "SSLv6") == "localhost"
    peer.close()


def test_the_same_name_in_the_certificate(named, tmp_path, authority):
    module = named()
    prepare(module, authority)
    module.command("AT+CIPSSLCCONF=2")
    peer = Asked(serving(tmp_path, authority.server))
    for host in (SERVER, SERVER + ".", SERVER.upper()):
        assert asks(module, peer, host) == host.rstrip(".")
    # MicroPython has one name for both purposes.
    assert asks(module, peer, "127.0.0.01") == "127.0.0.1"
    module.command(f'AT+CIPSSLCCN="{SERVER}."')
    assert asks(module, peer, "127.0.0.1") == SERVER
    module.command(f'AT+CIPSSLCSNI="{SERVER.upper()}"')
    assert asks(module, peer, "127.0.0.1") == SERVER
    module.command('AT+CIPSSLCCN=""')
    module.command('AT+CIPSSLCSNI=""')
    module.command("AT+SYSLOG=1")
    module.send(f'AT+CIPSTART="SSL","a.{SERVER}.",{peer.port}')
    with pytest.raises(ssl.SSLError):
        peer.accept()
    module.expect("The certificate Common Name (CN) does not match with the expected CN⏎ERR CODE:0x010a2700⏎⏎ERROR⏎")
    peer.close()
