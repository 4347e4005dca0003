"""What AT+CIPSSLCCONF promises: certificates that are verified, and shown, and all those that must not be accepted."""

import ssl

import pytest
from certificates import ASKING, SERVER, SERVING
from tls_peers import TLSPeer, prepare, put, serving, set_clock


@pytest.fixture
def ready(online, authority):
    """A module that has the time, certificates, and the name of the server, and explains what goes wrong."""
    prepare(online, authority)
    online.command("AT+SYSLOG=1")
    online.command(f'AT+CIPSSLCCN="{SERVER}"')
    return online


def refused(module, peer, reason):
    """Tries to open a link, which has to fail at the module's end."""
    module.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    with pytest.raises((ssl.SSLError, ConnectionError)):
        peer.accept()
        # With a server that asks for a certificate, the module's alert may come with the data.
        peer.sock.recv(1)
    module.match(reason + r"[^\r]*\r\nERR CODE:0x010a....\r\n\r\nERROR\r\n")


def accepted(module, peer):
    module.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    sock = peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")
    return sock


REASONS = {
    "expired": "The certificate validity has expired",
    "not yet valid": "The certificate validity starts in the future",
    "self-signed": "The certificate is not correctly signed by the trusted CA",
    "by another authority": "The certificate is not correctly signed by the trusted CA",
    "by a namesake of the authority": "The certificate is not correctly signed by the trusted CA",
    "without the intermediate": "The certificate is not correctly signed by the trusted CA",
    "broken signature": "The certificate is not correctly signed by the trusted CA",
    "weak signature": "The certificate is signed with an unacceptable hash",
    "for another purpose": "MBEDTLS_ERR_SSL_BAD_CERTIFICATE",
    "by one that is no authority": "The certificate is not correctly signed by the trusted CA",
    "too deep": "The certificate is not correctly signed by the trusted CA",
    "small key": "The certificate is signed with an unacceptable key",
    "key of another use": "MBEDTLS_ERR_SSL_BAD_CERTIFICATE",
    "for another name": r"The certificate Common Name \(CN\) does not match with the expected CN",
}


@pytest.mark.parametrize("mode", [0, 1, 2, 3])
def test_bad_servers(ready, tmp_path, authority, mode):
    ready.command(f"AT+CIPSSLCCONF={mode}")
    bad = authority.bad(SERVING)
    assert bad.keys() == REASONS.keys()
    for what, certificate in bad.items():
        peer = TLSPeer(serving(tmp_path, certificate, weak=True))
        try:
            if mode & 2:
                refused(ready, peer, REASONS[what])
            else:
                accepted(ready, peer)
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
        peer.close()
    peer = TLSPeer(serving(tmp_path, authority.server))
    accepted(ready, peer)
    peer.close()


def test_good_servers(ready, tmp_path, authority):
    ready.command("AT+CIPSSLCCONF=2,0,0")
    for certificate in (authority.server, authority.by_the_middle, authority.rsa_server):
        peer = TLSPeer(serving(tmp_path, certificate))
        accepted(ready, peer)
        peer.close()


def test_the_name_is_that_of_cn_or_sni_or_the_host(ready, tmp_path, authority):
    ready.command("AT+CIPSSLCCONF=2")
    context = serving(tmp_path, authority.leaf(names=None))  # without an address among its names
    asked = []
    context.sni_callback = lambda sock, name, context: asked.append(name)
    peer = TLSPeer(context)
    mismatch = r"The certificate Common Name \(CN\) does not match with the expected CN"
    accepted(ready, peer)
    ready.command('AT+CIPSSLCCN=""')
    refused(ready, peer, mismatch)
    ready.command(f'AT+CIPSSLCSNI="{SERVER}"')
    accepted(ready, peer)
    ready.command('AT+CIPSSLCSNI="other.test"')
    refused(ready, peer, mismatch)
    assert asked == [SERVER, "127.0.0.1", SERVER, "other.test"]
    ready.command(f'AT+CIPSSLCCN="{SERVER}"')
    ready.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    ready.expect("SNI and CN differ⏎ERR CODE:0x010a0016⏎⏎ERROR⏎")
    peer.close()


def test_the_server_asks_for_a_certificate(ready, tmp_path, authority):
    peer = TLSPeer(serving(tmp_path, authority.server, authority))
    for mode in (1, 3):
        ready.command(f"AT+CIPSSLCCONF={mode}")
        sock = accepted(ready, peer)
        assert dict(*sock.getpeercert()["subject"])["commonName"] == "a client"
    ready.command("AT+CIPSSLCCONF=2")
    refused(ready, peer, "MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE")
    peer.close()


def test_the_second_set_of_files_and_der(ready, tmp_path, authority):
    """Files with the number 1, the key as PKCS #8; each of them in PEM and in DER."""
    ready.command("AT+CIPSSLCCONF=3,1,1")
    for encoding in ("PEM", "DER"):
        put(ready, "client_ca.1", authority.root.pem if encoding == "PEM" else authority.root.der)
        put(ready, "client_cert.1", authority.client.pem if encoding == "PEM" else authority.client.der)
        put(ready, "client_key.1", authority.client.private(encoding, "PKCS8"))
        peer = TLSPeer(serving(tmp_path, authority.server, authority))
        accepted(ready, peer)
        peer.close()


def test_the_client_shows_its_chain(ready, tmp_path, authority):
    leaf = authority.leaf(issuer=authority.middle, usage=ASKING)
    put(ready, "client_cert.1", leaf.pem + authority.middle.pem)
    put(ready, "client_key.1", leaf.private())
    ready.command("AT+CIPSSLCCONF=1,1")
    peer = TLSPeer(serving(tmp_path, authority.server, authority))
    accepted(ready, peer)
    peer.close()


def test_missing_files(online, authority):
    set_clock(online)
    for mode, answer, name, data in (
        (2, "NO CA FOUND⏎", "client_ca.0", authority.root.pem),
        (3, "NO CERT FOUND⏎", "client_cert.0", authority.client.pem),
        (3, "NO PRVT_KEY FOUND⏎", "client_key.0", b"no key at all"),
    ):
        online.command(f"AT+CIPSSLCCONF={mode}")
        online.send('AT+CIPSTART="SSL","127.0.0.1",9')
        online.expect(answer + "⏎ERROR⏎")
        put(online, name, data)
    online.command("AT+SYSLOG=1")
    online.send('AT+CIPSTART="SSL","127.0.0.1",9')
    online.expect("invalid key⏎ERR CODE:0x010a0016⏎⏎ERROR⏎")
    put(online, "client_ca.0", b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n")
    online.command("AT+CIPSSLCCONF=2")
    online.send('AT+CIPSTART="SSL","127.0.0.1",9')
    online.match(r"[^\r]+\r\nERR CODE:0x010a....\r\n\r\nERROR\r\n")
    online.settled()


def test_nothing_is_verified_while_nobody_has_set_the_clock(online, tmp_path, authority):
    put(online, "client_ca.0", authority.root.pem)
    online.command("AT+SYSLOG=1")
    online.command(f'AT+CIPSSLCCN="{SERVER}"')
    online.command("AT+CIPSSLCCONF=2")
    online.send('AT+CIPSTART="SSL","127.0.0.1",9')
    online.expect("the clock was never set, so no certificate can be verified⏎ERR CODE:0x010a0001⏎⏎ERROR⏎")
    peer = TLSPeer(serving(tmp_path, authority.server))
    set_clock(online)
    accepted(online, peer)
    peer.close()


def test_each_link_has_its_own_settings(online, tmp_path, authority):
    prepare(online, authority)
    online.command("AT+CIPMUX=1")
    online.command("AT+CIPSSLCCONF=5,2")
    online.command("AT+CIPSSLCCONF=1,0,1,1")
    online.command(f'AT+CIPSSLCCN=5,"{SERVER}"')
    online.command('AT+CIPSSLCCN=3,"other.test"')
    online.send("AT+CIPSSLCCONF?")
    lines = (f"+CIPSSLCCONF:{number},{'0,1,1' if number == 1 else '2,0,0'}⏎" for number in range(5))
    online.expect("".join(lines) + "⏎OK⏎")
    online.send("AT+CIPSSLCCN?")
    lines = (f'+CIPSSLCCN:{number},"{"other.test" if number == 3 else SERVER}"⏎' for number in range(5))
    online.expect("".join(lines) + "⏎OK⏎")
    good = TLSPeer(serving(tmp_path, authority.server))
    bad = TLSPeer(serving(tmp_path, authority.leaf("other.test", names=None)))
    socks = []
    for number, peer in ((0, good), (1, bad), (3, bad)):
        online.send(f'AT+CIPSTART={number},"SSL","127.0.0.1",{peer.port}')
        socks.append(peer.accept())
        online.expect(f"{number},CONNECT⏎⏎OK⏎")
    online.send(f'AT+CIPSTART=4,"SSL","127.0.0.1",{bad.port}')
    with pytest.raises(ssl.SSLError):
        bad.accept()
    online.expect("⏎ERROR⏎")
    for sock in socks:
        sock.close()
    good.close()
    bad.close()


def test_the_mode_is_kept_over_a_restart(module):
    module.command("AT+CIPSSLCCONF=3,1,0")
    module.command('AT+CIPSSLCSNI="gone.test"')
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+CIPSSLCCONF?")
    module.expect("+CIPSSLCCONF:0,3,1,0⏎⏎OK⏎")
    module.send("AT+CIPSSLCSNI?")
    module.expect('+CIPSSLCSNI:0,""⏎⏎OK⏎')
