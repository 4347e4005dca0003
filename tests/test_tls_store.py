"""The store of certificates and keys, AT+SYSMFG: what is written can be read, but for keys, and outlives restarts."""

import re

import pytest
from flashimage import power_cycle
from mpyat.build import build, write_flash
from saved import answers
from tls_peers import put

NAMESPACES = ("client_cert", "client_key", "client_ca", "server_cert", "server_key", "server_ca")
LIST = "".join(f'+SYSMFG:"{name}"⏎' for name in NAMESPACES) + "⏎OK⏎"


def test_listing_reading_and_erasing(module):
    for line in ("AT+SYSMFG?", "AT+SYSMFG=1"):
        module.send(line)
        module.expect(LIST)
    data = bytes(range(256)) * 5
    put(module, "client_cert.0", data)
    put(module, "client_cert.1", b"second")
    put(module, "server_ca.1", b"third")
    module.send('AT+SYSMFG=1,"client_cert"')
    module.expect('+SYSMFG:"client_cert","client_cert.0",8⏎+SYSMFG:"client_cert","client_cert.1",8⏎⏎OK⏎')
    for more, part in (
        ("", data),
        (",100", data[100:]),
        (",100,200", data[100:300]),
        (",1270,200", data[1270:]),
        (",,10", data[:10]),
        (",2000,5", b""),
    ):
        module.send(f'AT+SYSMFG=1,"client_cert","client_cert.0"{more}')
        module.expect(f'+SYSMFG:"client_cert","client_cert.0",8,{len(part)},')
        assert module.take(len(part)) == part
        module.expect("⏎⏎OK⏎")
    module.command('AT+SYSMFG=0,"client_cert","client_cert.0"')
    module.send('AT+SYSMFG=1,"client_cert","client_cert.0"')
    module.expect("⏎ERROR⏎")
    module.send('AT+SYSMFG=1,"client_cert"')
    module.expect('+SYSMFG:"client_cert","client_cert.1",8⏎⏎OK⏎')
    module.command('AT+SYSMFG=0,"client_cert"')
    module.command('AT+SYSMFG=1,"client_cert"')
    module.send('AT+SYSMFG=1,"server_ca"')
    module.expect('+SYSMFG:"server_ca","server_ca.1",8⏎⏎OK⏎')
    module.settled()


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_a_file_is_old_or_new_but_never_half(start, board):
    """The host stops in the middle, or the power goes at any write of the flash."""
    module = start("--board", board)
    put(module, "client_ca.0", b"old and long")
    put(module, "client_ca.0", b"new")
    module.send('AT+SYSMFG=2,"client_ca","client_ca.0",8,600')
    module.expect("⏎OK⏎⏎>")
    module.write(b"half")
    power_cycle(module)
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    done = False
    writes = 0
    while not done:
        writes += 1
        module.send('AT+SYSMFG=1,"client_ca","client_ca.0"')
        module.match(r'\+SYSMFG:"client_ca","client_ca.0",8,(?:3,new|600,y{600})\r\n\r\nOK\r\n')
        put(module, "client_ca.0", b"new")
        assert module.control(f"power cut after {writes} writes") == "ok"
        module.send('AT+SYSMFG=2,"client_ca","client_ca.0",8,600')
        module.expect("⏎OK⏎⏎>")
        module.write(b"y" * 600)
        done = answers(module) is not None
        power_cycle(module)
        module.send("ATE0")
        module.expect("ATE0⏎⏎OK⏎")
    assert writes > 3


def test_keys_do_not_come_back(module):
    for name in ("client_key.0", "server_key.1"):
        put(module, name, b"secret")
        module.send(f'AT+SYSMFG=1,"{name[:-2]}"')
        module.expect(f'+SYSMFG:"{name[:-2]}","{name}",8⏎⏎OK⏎')
        for more in ("", ",0,1", ",0,0"):
            module.send(f'AT+SYSMFG=1,"{name[:-2]}","{name}"{more}')
            module.expect("⏎ERROR⏎")
    assert not re.search("secret", module.console())


def test_what_is_refused(module):
    module.command("AT+SYSLOG=1")
    for line in (
        '1,"factory_param"',
        '1,"client_cert","client_cert.2"',
        '1,"client_cert","client_key.0"',
        '1,"client_cert","client_cert.0"',
        '1,"../","settings.json"',
        '0,"client_cert","../settings"',
        '0,"client_cert","client_cert.0"',
        "0",
        '1,,"client_cert.0"',
        '2,"client_cert","client_cert.0",7,5',
        '2,"client_cert","client_cert.5",8,5',
        '2,"other","other.0",8,5',
    ):
        module.send("AT+SYSMFG=" + line)
        module.match(r"ERR CODE:0x010a....\r\n\r\nERROR\r\n")
    module.send('AT+SYSMFG=2,"client_cert","client_cert.0",8,0')
    module.expect("ERR CODE:0x01070004⏎⏎ERROR⏎")
    module.settled()


def test_the_length_is_limited_by_the_memory(start):
    module = start("--board", "esp8266")
    module.send('AT+SYSMFG=2,"client_cert","client_cert.0",8,2049')
    module.expect("⏎ERROR⏎")
    put(module, "client_cert.0", b"x" * 2048)
    module.settled()


def test_files_that_were_put_on_the_flash_by_other_means(start, tmp_path, authority):
    """By mpremote, for instance."""
    flash = tmp_path / "flash.img"
    start("--flash", flash).stop()
    (tmp_path / "ca.pem").write_bytes(authority.root.pem)
    write_flash(flash, build("esp32").files | {"/certs/client_ca.1": tmp_path / "ca.pem"})
    module = start("--flash", flash)
    module.send('AT+SYSMFG=1,"client_ca"')
    module.expect('+SYSMFG:"client_ca","client_ca.1",8⏎⏎OK⏎')
    module.send('AT+SYSMFG=1,"client_ca","client_ca.1"')
    module.expect(f'+SYSMFG:"client_ca","client_ca.1",8,{len(authority.root.pem)},')
    assert module.take(len(authority.root.pem)) == authority.root.pem
    module.expect("⏎⏎OK⏎")
