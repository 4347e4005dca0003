"""Bundles that no module may take, through the real firmware: each is refused at once, and nothing is switched.
At the end the same module takes a good one, so that it was the bundles and not the module."""

import bundles
import pytest
from mpyat import bundle, signing
from update_server import UpdateServer

JOIN = 'AT+CWJAP="mpy-at","12345678"'
# With AT+SYSLOG=1, so that a failure tells the reason.
FAILED = r"(\+(CIP|MPY)UPDATE:[\d,]+\r\n)*(?:([^+\r]*)\r\n)?ERR CODE:0x010a(\w{4})\r\n\r\nERROR\r\n"
DONE = r"(\+CIPUPDATE:[123]\r\n){3}(\+MPYUPDATE:\d+,\d+\r\n)*\+CIPUPDATE:4\r\n\r\nOK\r\n"


@pytest.fixture
def server():
    server = UpdateServer()
    yield server
    server.close()


@pytest.fixture
def updatable(start, server):
    """A function that starts a module which knows the server and the tests' key, or what the options say."""

    def updatable(board, *options):
        module = start("--board", board, *(options or ("--update-key", bundles.public())))
        join(module)
        module.command(f'AT+MPYUPDATE="{server.url}"')
        return module

    return updatable


def join(module):
    """The first time; after a restart the module does it by itself."""
    module.command("AT+SYSLOG=1")
    module.send(JOIN)
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")


def version(module):
    """What AT+GMR tells of the firmware."""
    module.send("AT+GMR")
    return module.match(r"AT version:.*?Bin version:([0-9.]+)\(\w+\)\r\n\r\nOK\r\n")[1].decode()


def refused(module, line='AT+CIUPDATE=0,"v9.0.0"'):
    """Tells the reason."""
    module.send(line)
    return (module.match(FAILED)[3] or b"").decode()


def taken(module, line="AT+CIUPDATE"):
    """Up to the restart."""
    module.send(line)
    module.match(DONE)


def restarted(module):
    """The version after a restart, with the echo off again."""
    module.send("AT+RST")
    module.expect("⏎OK⏎")
    return ready(module)


def ready(module):
    module.expect("⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.command("AT+SYSLOG=1")
    return version(module)


LENGTH = "not as long as the manifest says"
# What is said where the server does not tell the length.
OTHERWISE = {
    "cut before the files": "cut off",
    "cut before the last file": "cut off",
    "cut within the last file": "cut off",
    "a byte too many": "there is more than the manifest says",
    "twice": "there is more than the manifest says",
}
# What is said of those whose signature is not the matter, or is right.
REASONS = {
    "nothing": "cut off",
    "unsigned": "a line is too long",
    "a changed file": "not what the manifest says: firmware",
    "a changed last byte": "not what the manifest says: firmware",
    "cut within the manifest": "cut off",
    "cut within the signature": "cut off",
    "cut before the files": LENGTH,
    "cut before the last file": LENGTH,
    "cut within the last file": LENGTH,
    "a byte too many": LENGTH,
    "twice": LENGTH,
    "another board": "it is for another board: ",
    "another name": "it has another name: other",
    "another version": "it is another version: 9.0.1",
    "another kind": "it is for another board: ",
    "a newer MicroPython": "it is for another MicroPython: 99.",
    "another .mpy": "it is for another MicroPython: 1.",
    "too large": "too large: ",
    "a negative size": "a line that is none",
    "no size": "a line that is none",
    "a file that is not there": "not ",
    "no files": "no",
    "outside": "a path that is none",
    "at the top": "",
    "with a path of all": "a path that is none",
    "up and down": "a path that is none",
    "a field too few": "no line with mpy",
    "a field twice": "a line that is none",
    "other lines": "it has another name: ota",
    "a long line": "a line is too long",
    "a line without an end": "a line is too long",
}


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_bad_bundles(updatable, server, board):
    module = updatable(board)
    before = version(module)

    def check(name, said, **plan):
        server.next(**plan)
        reason = refused(module)
        if not reason and board == "esp8266":
            # It has not always the memory for the next one right behind.
            assert restarted(module) == before
            server.requests.clear()
            server.next(**plan)
            reason = refused(module)
        assert reason.startswith(said), f"{name}: {reason}"
        assert len(server.asked(".atb")) == 1, f"{name}: was asked for again"
        server.requests.clear()
        assert version(module) == before, name

    for name, data in bundles.bad(board).items():
        server.publish(data, board=board)
        check(name, REASONS.get(name, "the signature is not right"))
        if name in OTHERWISE:
            check(name, OTHERWISE[name], bare=True)
    assert restarted(module) == before
    server.publish(bundles.firmware(board), board=board)
    taken(module, 'AT+CIUPDATE=0,"v9.0.0"')
    assert ready(module) == "9.0.0"


# What the index offers: the manifest has the last word.
INDEXES = {
    "none": None,
    "empty": b"",
    "something else": b"<!DOCTYPE html>\n<title>Log in</title>\n",
    "no bytes": b"9.0.0 x ota-9.0.0-esp32.atb\n",
    "no file": b"9.0.0 1000\n",
    "no number": b"nine 1000 ota-9.0.0-esp32.atb\n",
    "of the version that runs": b"0.1.0 1000 ota-0.1.0-esp32.atb\n",
    "of older versions": b"0.0.9 1000 ota-0.0.9-esp32.atb\n0.0.10 1000 ota-0.0.10-esp32.atb\n",
    "an endless line": b"9" * 100_000,
    "a file elsewhere": b"9.0.0 1000 ../../ota-9.0.0-esp32.atb\n",
    "an old bundle that it calls new": b"9.0.0 1000 old\n",
}


def test_bad_indexes(updatable, server):
    """The newest version is asked for, and only what is newer is taken."""
    module = updatable("esp32")
    before = version(module)
    server.files["/ota/esp32/old"] = bundles.firmware("esp32", "0.0.1")
    for name, index in INDEXES.items():
        server.files["/ota/esp32/versions"] = index
        refused(module, "AT+CIUPDATE")
        refused(module, 'AT+CIUPDATE=0,"8.0.0"')
        assert version(module) == before, name
        # What the manifest says is looked at, and nothing behind it.
        assert len(server.asked("old")) == name.startswith("an old bundle"), name
    assert restarted(module) == before


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_older_ones_by_name(updatable, server, board):
    """An older version is taken when it is named, and the name of the firmware is the one that was asked for."""
    module = updatable(board)
    old = bundles.firmware(board, "0.0.1")
    fields = bundles.fields(old) | {"name": "mine"}
    mine = bundle.pack(fields, bundles.files(old), signing.private(bundles.key()))
    server.publish(mine, "0.0.1", board, "mine")
    refused(module)
    refused(module, "AT+CIUPDATE")
    refused(module, 'AT+CIUPDATE=0,"","mine"')
    restarted(module)
    taken(module, 'AT+CIUPDATE=0,"0.0.1","mine"')
    assert ready(module) == "0.0.1"


def test_without_a_key_there_are_no_updates(updatable, server):
    """Whoever wants to know why is told."""
    module = updatable("esp32", "--board", "esp32")
    server.publish(bundles.firmware("esp32"))
    assert refused(module) == refused(module, "AT+CIUPDATE") == "this firmware was built without a key for updates"


def test_the_next_key(updatable, server):
    """A bundle may bring another key, and that one rules from then on."""
    module = updatable("esp32")
    server.publish(bundles.firmware("esp32", next_key="two"))
    taken(module)
    assert ready(module) == "9.0.0"
    server.publish(bundles.firmware("esp32", "9.0.1"), "9.0.1")
    refused(module, "AT+CIUPDATE")
    server.publish(bundles.firmware("esp32", "9.0.1", "two"), "9.0.1")
    taken(module)
    assert ready(module) == "9.0.1"


def test_a_longer_key(updatable, server):
    """3072 bits are the most; builds for an ESP8266 refuse them."""
    module = updatable("esp32", "--update-key", bundles.public("long"))
    server.publish(bundles.firmware("esp32"))
    assert refused(module) == "the signature is not right"
    server.publish(bundles.firmware("esp32", name="long"))
    taken(module)
    assert ready(module) == "9.0.0"


def test_what_does_not_fit(updatable, server):
    """An image that is larger than a slot, and files for which the flash has no place, are refused before they come."""
    key = signing.private(bundles.key())
    for board, path in ("esp8266", "firmware.romfs"), ("esp32", "firmware/data.mpy"):
        module = updatable(board)
        good = bundles.firmware(board)
        files = bundles.files(good) if board == "esp32" else {}
        data = bundle.pack(bundles.fields(good), files | {path: bytes(1_800_000)}, key)
        server.publish(data, board=board)
        server.next(stall=len(data) - 200_000)
        refused(module)
