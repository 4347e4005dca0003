"""Strings are bytes: names of networks, passwords, files and texts that are not UTF-8 are passed on and shown as they
came. The same networks stand in the file of access points as digits in hex, as TOML has no other way."""

import hashlib
import json

import pytest
from mpyat.build import build, write_flash
from saved import files
from transcript import play as play_transcript

# "network" in GBK and "café" in Latin-1 with passwords likewise: as a transcript has them, and as digits.
NAMES = {
    "gbk": (r"\xcd\xf8\xc2\xe7", r"\xc3\xdc\xc2\xeb\xc3\xdc\xc2\xeb"),
    "latin-1": (r"caf\xe9", r"cl\xe9 du r\xe9seau"),
}
HEX = {"gbk": ("cdf8c2e7", "c3dcc2ebc3dcc2eb"), "latin-1": ("636166e9", "636ce92064752072e973656175")}
PASSPHRASE, SSID = b"correct horse", b"caf\xe9"
PSK = hashlib.pbkdf2_hmac("sha1", PASSPHRASE, SSID, 4096, 32).hex()
UP = "WIFI CONNECTED⏎WIFI GOT IP⏎"


def air(ssid, password):
    return f'[[ap]]\nssid_hex = "{ssid}"\npassword_hex = "{password}"\nbssid = "02:00:00:00:00:01"\nchannel = 1\n'


@pytest.mark.parametrize("name", HEX)
def test_a_network(start, board, name):
    """It is listed, joined, asked for, saved, and joined again by itself and by command."""
    ssid, password = NAMES[name]
    module = start("--board", board, wifi=air(*HEX[name]) + '[[ap]]\nssid = "other"\n')
    play_transcript(
        module,
        rf"""
        > AT+CWLAP="{ssid}"
        < +CWLAP:(3,"{ssid}",-40,"02:00:00:00:00:01",1,-1,-1,7,7,0,0)⏎⏎OK⏎
        > AT+CWJAP="{ssid}","wr\xf6ng678"
        < +CWJAP:2⏎⏎ERROR⏎
        > AT+CWJAP="{ssid}x","{password}"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWJAP="{ssid}","{password}"
        < {UP}⏎OK⏎
        > AT+CWJAP?
        < +CWJAP:"{ssid}","02:00:00:00:00:01",1,-40,0,1,3,0,0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"{ssid}"⏎⏎OK⏎
        ! power cycle
        < ⏎ready⏎{UP}
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWSTATE?
        < +CWSTATE:2,"{ssid}"⏎⏎OK⏎
        > AT+CWJAP_DEF?
        ~ \+CWJAP_DEF:"{ssid}",.*?⏎⏎OK⏎
        > AT+CWQAP
        < ⏎OK⏎WIFI DISCONNECT⏎
        > AT+CWJAP
        < {UP}⏎OK⏎
        > AT+CWJAP=,,,,,,1
        < WIFI DISCONNECT⏎{UP}⏎OK⏎
        """,
    )


def test_the_softap(start, board):
    """Every byte that can stand in a line, in its name and password, set, asked for and saved."""
    module = start("--board", board)
    module.command("AT+CWMODE=2")
    known = [byte for byte in range(1, 256) if byte != 0x0A]
    for i in range(0, len(known), 32):
        name = bytes(known[i : i + 32])
        key = name[:-9:-1]
        module.write(b'AT+CWSAP="%s","%s",5,3\r\n' % (escaped(name), escaped(key)))
        module.expect("⏎OK⏎")
        for query in ("CWSAP", "CWSAP_DEF"):
            module.send(f"AT+{query}?")
            module.expect(b'+%s:"%s","%s",5,3,4,0\r\n\r\nOK\r\n' % (query.encode(), name, key))
    assert module.control("power cycle") == "ok"
    module.expect("⏎ready⏎")
    module.write(b"ATE0\r\nAT+CWSAP?\r\n")
    module.expect(b'ATE0\r\n\r\nOK\r\n+CWSAP:"%s","%s",5,3,4,0\r\n\r\nOK\r\n' % (name, key))
    module.settled()


def escaped(text):
    return text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def test_what_is_saved(start, tmp_path, board):
    """What is UTF-8 is so in the file, too, as ever; else it is a list of numbers, as JSON has no bytes."""
    flash = tmp_path / "flash.img"
    module = start("--board", board, "--flash", flash)
    module.command("AT+CWMODE=3")
    module.command(r'AT+CWSAP="caf\xe9","p\xc3\xa4ssword",5,3')
    module.stop()
    saved = json.loads(files(flash)["settings.json"])
    assert saved["CWSAP"] == [[0x63, 0x61, 0x66, 0xE9], "p\u00e4ssword", 5, 3, 4, 0]


@pytest.mark.parametrize("name", [["a"], [[97]], [{}], [97] * 33, {"b": "61"}, [None]])
def test_a_saved_name_that_is_none(start, tmp_path, board, name):
    """It costs no more than itself."""
    flash, store = tmp_path / "flash.img", tmp_path / "store"
    store.write_text(json.dumps({"CWSAP": [name, "", 5, 0, 4, 0], "CWMODE": [2, 1]}))
    write_flash(flash, build(board).files | {"/settings.json": store})
    module = start("--board", board, "--flash", flash)
    assert "settings: CWSAP cannot be used" in module.console()
    module.send("AT+CWSAP?")
    module.match(r'\+CWSAP:"ESP_[0-9A-F]{6}","",1,0,4,0\r\n\r\nOK\r\n')


@pytest.mark.parametrize("secret", [PASSPHRASE, PSK.encode()])
@pytest.mark.parametrize("key", [PASSPHRASE.decode(), PSK, PSK.upper()])
def test_a_key_of_64_digits(start, board, secret, key):
    """It is what WPA makes of name and password, so that either joins a network that has the other."""
    module = start("--board", board, wifi=air(SSID.hex(), secret.hex()))
    module.send(rf'AT+CWJAP="caf\xe9","{"0" * 64}"')
    module.expect("+CWJAP:2⏎⏎ERROR⏎")
    module.send(rf'AT+CWJAP="caf\xe9","{key}"')
    module.expect(f"{UP}⏎OK⏎")


def test_files(start):
    """The list has their names as they are."""
    play_transcript(
        start("--board", "esp32"),
        r"""
        > AT+FS=0,1,"\xce\xc4\xbc\xfe.txt",0,4
        < ⏎OK⏎⏎>
        >> data
        < ⏎OK⏎
        > AT+FS=0,1,"caf\xc3\xa9",0,1
        < ⏎OK⏎⏎>
        >> x
        < ⏎OK⏎
        > AT+FS=0,4,"."
        < +FS:caf\xc3\xa9 \xce\xc4\xbc\xfe.txt⏎⏎OK⏎
        > AT+FS=0,3,"\xce\xc4\xbc\xfe.txt"
        < +FS:4⏎⏎OK⏎
        > AT+FS=0,2,"\xce\xc4\xbc\xfe.txt",0,4
        < +FS:4,data⏎OK⏎
        > AT+FS=0,0,"\xce\xc4\xbc\xfe.txt"
        < ⏎OK⏎
        > AT+FS=0,4,"."
        < +FS:caf\xc3\xa9⏎⏎OK⏎
        > AT+FS=0,3,"..\xff/x"
        < ⏎ERROR⏎
        """,
    )


def test_texts_of_a_service(online, neighbour, word):
    online.command(rf'AT+MDNS=1,"{word}","_{word}",8080,"{word}","_tcp",2,"\xc3\xfb","\xd6\xb5","b","\xe9"')
    txt = neighbour.announcement().answers()[3]
    assert txt.text == b"\x05\xc3\xfb=\xd6\xb5\x03b=\xe9"


def test_where_only_text_will_do(play):
    """Names of hosts, and words of a choice."""
    play(
        r"""
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CIPDOMAIN="caf\xe9"
        < ERR CODE:0x01080000⏎⏎ERROR⏎
        > AT+CIPSTART="\xe9","127.0.0.1",1
        < ERR CODE:0x01080000⏎⏎ERROR⏎
        > AT+CWMODE="\xe9"
        < ERR CODE:0x01050000⏎⏎ERROR⏎
        > AT+CWSAP="\xe9
        < ERR CODE:0x01080000⏎⏎ERROR⏎
        """
    )
