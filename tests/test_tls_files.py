"""The files of certificates and keys: how a PEM may look, and keys that are none of the certificate's."""

import pytest
from certificates import ASKING, Certificate
from clients import Door
from cryptography.hazmat.primitives.asymmetric import rsa
from tls_peers import TLSPeer, put, serving

ENDS = {"LF": b"\n", "CR": b"\r", "CR LF": b"\r\n"}


@pytest.fixture(scope="module")
def certified(authority):
    """Two clients with keys of RSA, as both chips can have them, so short that an ESP8266 takes both in one file."""
    return [authority.leaf(usage=ASKING, key=rsa.generate_private_key(65537, 1024)) for _ in range(2)]


@pytest.fixture
def equipped(start, board):
    """A module of each board that has joined, and explains what goes wrong."""
    heap = ("--heap", "64wK") if board == "esp8266" else ()
    module = start("--board", board, *heap).join()
    module.command("AT+SYSLOG=1")
    module.command("AT+CIPSSLCCONF=1")
    return module


def shown(module, peer):
    """Opens a link and closes it; returns the certificate that the module has shown."""
    module.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    sock = peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")
    return sock.getpeercert(binary_form=True)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_key_and_certificate_in_one_file(equipped, tmp_path, authority, certified, end):
    client = certified[0]
    text = b"Bag Attributes: none\n" + client.private() + b"subject=a client\n" + client.pem
    text = text.replace(b"\n", end).rstrip(end)
    put(equipped, "client_cert.0", text)
    put(equipped, "client_key.0", text)
    peer = TLSPeer(serving(tmp_path, authority.rsa_server, authority, weak=True))
    assert shown(equipped, peer) == client.der
    # What is secret stays there, under the name of the certificate, too.
    for name in ("client_cert", "client_key"):
        equipped.send(f'AT+SYSMFG=1,"{name}","{name}.0"')
        equipped.expect("ERR CODE:0x010a0000⏎⏎ERROR⏎")
    peer.close()


def test_a_file_without_blocks_of_its_kind(equipped, authority, certified):
    put(equipped, "client_cert.0", certified[0].private())
    put(equipped, "client_key.0", certified[0].pem)
    for answer, name, data in (
        ("NO CERT FOUND", "client_cert.0", certified[0].pem),
        ("NO PRVT_KEY FOUND", "client_key.0", certified[0].private()),
    ):
        equipped.send('AT+CIPSTART="SSL","127.0.0.1",9')
        equipped.expect(answer + "⏎ERR CODE:0x010a0002⏎⏎ERROR⏎")
        put(equipped, name, data)
    equipped.settled()


@pytest.mark.parametrize("form", ["TraditionalOpenSSL", "PKCS8"])
@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_a_key_that_is_not_the_clients(equipped, certified, encoding, form):
    put(equipped, "client_cert.0", getattr(certified[0], encoding.lower()))
    put(equipped, "client_key.0", certified[1].private(encoding, form))
    equipped.send('AT+CIPSTART="SSL","127.0.0.1",9')
    equipped.expect("the key is not the certificate's⏎ERR CODE:0x010a0016⏎⏎ERROR⏎")
    equipped.settled()


def test_a_key_that_is_not_the_servers(online, authority):
    online.command("AT+CIPMUX=1")
    online.command("AT+SYSLOG=1")
    port = Door().port
    good = [authority.server, authority.rsa_server, authority.by_the_middle]
    for own in good:
        put(online, "server_cert.0", own.pem)
        for other in good:
            for form in ("TraditionalOpenSSL", "PKCS8"):
                put(online, "server_key.0", Certificate(own.certificate, other.key).private(form=form))
                online.send(f'AT+CIPSERVER=1,{port},"SSL"')
                if own is other:
                    online.expect("⏎OK⏎")
                    online.command("AT+CIPSERVER=0")
                else:
                    online.expect("the key is not the certificate's⏎ERR CODE:0x010a0016⏎⏎ERROR⏎")
    online.settled()
