"""What a client of TLS offers: keys in place of certificates, cipher suites, and ALPN, which no port has."""

import contextlib
import re
import ssl
import subprocess

import pytest
from certificates import SERVER
from tls_peers import TLSPeer, prepare, serving


@contextlib.contextmanager
def s_server(*options):
    """openssl s_server on a free port; its lines can be read, and what is written goes to the client."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
    ) as process:
        try:
            line = b""
            while not line.startswith(b"ACCEPT"):
                line = process.stdout.readline()
                assert line
            process.port = int(line.split(b":")[-1])
            yield process
        finally:
            process.kill()


def wait_for(process, pattern):
    """Reads lines until one matches."""
    while True:
        line = process.stdout.readline()
        assert line, "s_server has ended"
        found = re.search(pattern, line)
        if found:
            return found


def test_a_key_in_place_of_certificates(online):
    online.command("AT+SYSLOG=1")
    online.command('AT+CIPSSLCPSK="kEy0","someone"')
    online.send("AT+CIPSSLCPSK?")
    online.expect('+CIPSSLCPSK:0,"kEy0","someone"⏎⏎OK⏎')
    online.send("AT+CIPSSLCPSKHEX?")
    online.expect('+CIPSSLCPSKHEX:0,"6b457930","someone"⏎⏎OK⏎')
    with s_server("-nocert", "-psk", b"kEy0".hex(), "-psk_identity", "someone") as server:
        online.send(f'AT+CIPSTART="SSL","127.0.0.1",{server.port}')
        online.expect("CONNECT⏎⏎OK⏎")
        assert wait_for(server, rb"^CIPHER is (\S+)")[1] == b"PSK-AES256-GCM-SHA384"
        server.stdin.write(b"hello\n")
        online.expect("⏎+IPD,6:hello\n")
        online.send("AT+CIPCLOSE")
        online.expect("CLOSED⏎⏎OK⏎")
        online.command('AT+CIPSSLCPSK="kEy1","someone"')
        online.send(f'AT+CIPSTART="SSL","127.0.0.1",{server.port}')
        online.match(r"MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE\r\nERR CODE:0x010a7780\r\n\r\nERROR\r\n")


def test_keys_in_hexadecimal_digits_of_each_link(online):
    online.command("AT+CIPMUX=1")
    online.command('AT+CIPSSLCPSKHEX=5,"00ff0D","all"')
    online.command('AT+CIPSSLCPSK=2,"k","two"')
    online.command('AT+CIPSSLCPSK=4,"",""')
    online.send("AT+CIPSSLCPSKHEX?")
    of_all = '+CIPSSLCPSKHEX:%d,"00ff0d","all"⏎'
    online.expect(of_all % 0 + of_all % 1 + '+CIPSSLCPSKHEX:2,"6b","two"⏎' + of_all % 3 + '+CIPSSLCPSKHEX:4,"",""⏎⏎OK⏎')
    online.send("AT+CIPSSLCPSK?")
    of_all = '+CIPSSLCPSK:%d,"\x00\xff\r","all"⏎'
    online.expect(of_all % 0 + of_all % 1 + '+CIPSSLCPSK:2,"k","two"⏎' + of_all % 3 + '+CIPSSLCPSK:4,"",""⏎⏎OK⏎')
    with s_server("-nocert", "-psk", "00ff0d", "-psk_identity", "all") as server:
        online.send(f'AT+CIPSTART=3,"SSL","127.0.0.1",{server.port}')
        online.expect("3,CONNECT⏎⏎OK⏎")
    online.expect("3,CLOSED⏎")
    online.command("AT+SYSLOG=1")
    for line, code in (('0,"0g","x"', "0x01080001"), ('0,"","x"', "0x010a0000"), ('0,"00",""', "0x010a0000")):
        online.send("AT+CIPSSLCPSKHEX=" + line)
        online.expect(f"ERR CODE:{code}⏎⏎ERROR⏎")


def test_new_keys_in_the_same_connection_are_refused(online, tmp_path, authority):
    """OpenSSL takes the refusal for a fatal error, and closes the connection."""
    certificate, key = authority.server.files(tmp_path)
    with s_server("-cert", certificate, "-key", key, "-legacy_renegotiation") as server:
        online.send(f'AT+CIPSTART="SSL","127.0.0.1",{server.port}')
        online.expect("CONNECT⏎⏎OK⏎")
        server.stdin.write(b"before\n")
        online.expect("⏎+IPD,7:before\n")
        server.stdin.write(b"r\n")
        wait_for(server, rb"no renegotiation")
    online.match(r"CLOSED\r\n")
    online.settled()


def test_cipher_suites(online, tmp_path, authority):
    online.send("AT+CIPSSLCCIPHER?")
    said = online.match(r"((?:\+CIPSSLCCIPHER:\d+,0x[0-9A-F]{4}\r\n)+)\r\nOK\r\n")[1].decode()
    numbers = [int(text, 16) for text in re.findall(r",(0x\w+)", said)]
    assert {0xC02C, 0xC02F, 0x009D, 0x00A9} <= set(numbers)
    assert re.findall(r":(\d+),", said) == [str(i) for i in range(len(numbers))]
    peer = TLSPeer(serving(tmp_path, authority.server))
    for line, cipher in (
        ("AT+CIPSSLCCIPHER=1,0xC023", "ECDHE-ECDSA-AES128-SHA256"),
        ("AT+CIPSSLCCIPHER=2,0xC02B,0x009D", "ECDHE-ECDSA-AES128-GCM-SHA256"),
        ("AT+CIPSSLCCIPHER=0", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    ):
        online.command(line)
        online.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
        assert peer.accept().cipher()[0] == cipher
        online.expect("CONNECT⏎⏎OK⏎")
        online.send("AT+CIPCLOSE")
        online.expect("CLOSED⏎⏎OK⏎")
    online.command("AT+SYSLOG=1")
    # None that the server has; a number that nobody has, and one that this port has not; a wrong count.
    online.command("AT+CIPSSLCCIPHER=1,0x009D")
    online.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    with pytest.raises(ssl.SSLError):
        peer.accept()
    online.match(r"MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE\r\nERR CODE:0x010a7780\r\n\r\nERROR\r\n")
    for number in ("0x1301", "0xFFFF", "0xC0AC"):
        online.send("AT+CIPSSLCCIPHER=1," + number)
        online.expect("this MicroPython's tls does not have the cipher suite⏎ERR CODE:0x010a005f⏎⏎ERROR⏎")
    online.send("AT+CIPSSLCCIPHER=2,0xC02B")
    online.expect("ERR CODE:0x010a0000⏎⏎ERROR⏎")
    peer.close()


def test_alpn_is_no_silent_downgrade(online, tmp_path, authority):
    prepare(online, authority)
    peer = TLSPeer(serving(tmp_path, authority.server))
    online.command('AT+CIPSSLCALPN=2,"h2","http/1.1"')
    online.send("AT+CIPSSLCALPN?")
    online.expect('+CIPSSLCALPN:0,"h2","http/1.1"⏎⏎OK⏎')
    online.command("AT+SYSLOG=1")
    online.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    online.expect("ALPN: MicroPython's tls has none⏎ERR CODE:0x010a005f⏎⏎ERROR⏎")
    for line in ('=1,"a","b"', "=1", '=3,"a","b"', '=0,"a"'):
        online.send("AT+CIPSSLCALPN" + line)
        online.expect("ERR CODE:0x010a0000⏎⏎ERROR⏎")
    online.command("AT+CIPSSLCALPN=0")
    online.send("AT+CIPSSLCALPN?")
    online.expect("+CIPSSLCALPN:0⏎⏎OK⏎")
    online.send(f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}')
    peer.accept()
    online.expect("CONNECT⏎⏎OK⏎")
    peer.close()


def test_what_axtls_cannot_do(start, tmp_path, authority):
    """On the ESP8266: the commands say so, and nothing is opened that would be less than was asked for."""
    module = start("--board", "esp8266", "--heap", "64wK")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.match(r".*?\r\nOK\r\n")
    prepare(module, authority)
    module.command("AT+SYSLOG=1")
    peer = TLSPeer(serving(tmp_path, authority.rsa_server, weak=True))
    start_link = f'AT+CIPSTART="SSL","127.0.0.1",{peer.port}'
    for mode in (2, 3):
        module.command(f"AT+CIPSSLCCONF={mode}")
        module.send(start_link)
        module.expect("this chip's tls cannot verify certificates⏎ERR CODE:0x010a005f⏎⏎ERROR⏎")
    module.command("AT+CIPSSLCCONF=0")
    for line in ("AT+CIPSSLCCIPHER?", "AT+CIPSSLCCIPHER=1,0x002F", 'AT+CIPSSLCPSK="key","name"', "AT+CIPSSLCPSKHEX?"):
        module.send(line)
        module.expect("ERR CODE:0x01090000⏎⏎ERROR⏎")
    module.command(f'AT+CIPSSLCSNI="{SERVER}"')
    module.send(start_link)
    assert peer.accept().cipher()[0] in ("AES128-SHA", "AES128-SHA256", "AES256-SHA", "AES256-SHA256")
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPSEND=5")
    module.expect("⏎OK⏎⏎>")
    module.write(b"hello")
    module.expect("⏎Recv 5 bytes⏎⏎SEND OK⏎")
    assert peer.get(5) == b"hello"
    peer.send(b"back")
    module.expect("⏎+IPD,4:back")
    # axTLS has one buffer for both directions: while it has a record that was not read, nothing is sent.
    module.command("AT+CIPRECVMODE=1")
    peer.send(b"r" * 5000)
    module.match(r"\r\n\+IPD,\d+\r\n")
    module.send("AT+CIPSEND=4")
    module.expect("⏎OK⏎⏎>")
    module.write(b"lost")
    module.expect("⏎Recv 4 bytes⏎⏎SEND FAIL⏎")
    read = 0
    while read < 5000:
        module.send("AT+CIPRECVDATA=2920")
        found = module.match(r"(?:\r\n\+IPD,\d+\r\n)*(?:\+CIPRECVDATA:(\d+),|\r\nERROR\r\n)")[1]
        if found:
            assert module.take(int(found)) == b"r" * int(found)
            module.expect("⏎OK⏎")
            read += int(found)
    module.command("AT+CIPRECVMODE=0")
    module.send("AT+CIPSEND=2000")
    module.expect("⏎OK⏎⏎>")
    module.write(b"s" * 2000)
    module.expect("⏎Recv 2000 bytes⏎⏎SEND OK⏎")
    assert peer.get(2000) == b"s" * 2000
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")
    # A server that has no suite with the exchange of keys by RSA, as many today.
    modern = TLSPeer(serving(tmp_path, authority.server))
    module.send(f'AT+CIPSTART="SSL","127.0.0.1",{modern.port}')
    with pytest.raises(ssl.SSLError):
        modern.accept()
    module.match(r"[^\r]*\r\nERR CODE:0x010a7780\r\n\r\nERROR\r\n")
    peer.close()
    modern.close()
