"""A scan that takes as long as on a chip: on an ESP32 the links go on meanwhile, on an ESP8266 they wait."""

import pytest
from peers import Peer

FOUND = r'\+CWLAP:\(3,"mpy-at",-40,".*?",6,-1,-1,7,7,0,0\)\r\n\r\nOK\r\n'
# The first question after joining has to find the address of the AP.
ASKED = r'\+CWJAP:"mpy-at","02:6d:70:79:61:00",6,-40,0,1,3,0,0\r\n\r\nOK\r\n'
LONG = "scan takes 3"


def linked(module):
    peer = Peer()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    return peer


@pytest.mark.parametrize("line, answer", [("AT+CWLAP", FOUND), ("AT+CWJAP?", ASKED)])
def test_links_go_on(online, line, answer):
    """Data of the peer, and busy for what the host says, come before the answer."""
    peer = linked(online)
    assert online.control(LONG) == "ok"
    online.send(line)
    for number in range(20):
        peer.send(b"%05d" % number)
        online.expect(f"⏎+IPD,5:{number:05}")
    online.send("AT")
    online.expect("⏎busy p...⏎")
    online.match(answer)
    online.settled()
    assert "Traceback" not in online.console()
    peer.close()


OWN = """
from firmware.at.command import command


@command("AT+SCAN")
class Scan:
    async def execute(at):
        at.line("+SCAN:%d", len(await at.board.scan(at.loop, at.radio.station)))
"""


def test_a_fault_of_the_scan_is_that_of_the_command(start, tmp_path):
    """A station that is off cannot scan: that ends the one command."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "scan.py").write_text(OWN)
    module = start("--commands", tmp_path / "own")
    module.send("AT+SCAN")
    module.expect("+SCAN:1⏎⏎OK⏎")
    module.command("AT+CWMODE=0")
    module.send("AT+SCAN")
    module.expect("⏎ERROR⏎")
    module.settled()


def test_the_network_goes_meanwhile(online):
    assert online.control(LONG) == "ok"
    online.send("AT+CWLAP")
    assert online.control("ap down mpy-at") == "ok"
    online.match(r"(WIFI DISCONNECT\r\n)?\r\nOK\r\n")
    online.settled()


def test_a_restart_ends_the_scan(online):
    assert online.control(LONG) == "ok"
    online.send("AT+CWLAP")
    online.send("AT+RST")
    online.match(r".*\r\nOK\r\n\r\nready\r\n")


def test_an_esp8266_waits(start):
    """Nothing is lost by that, whether it comes before the scan has begun or later."""
    module = start("--board", "esp8266").join()
    peer = linked(module)
    assert module.control("scan takes 0.5") == "ok"
    module.send("AT+CWLAP")
    peer.send(b"while it scans")
    if module.match(rf"(\r\n\+IPD,14:while it scans)?{FOUND}")[1] is None:
        module.expect("⏎+IPD,14:while it scans")
    peer.close()
