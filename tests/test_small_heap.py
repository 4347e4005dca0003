"""The firmware of the ESP8266 on a MicroPython for 32 bits with the chip's heap of 38 KiB: what the other files try on
one board only, and what needs much memory. All other tests on an ESP8266 have that heap, too; see conftest.py."""

import time

import pytest
from module import Module
from mpyat import catalog
from peers import Peer
from test_connect import test_a_peer_that_speaks_or_goes_at_once, test_network_lost_while_connecting, test_refused
from test_links import test_connected_in_detail, test_ids_given_out, test_one_link, test_several_links
from test_mixed_load import door, enter, test_a_peer_that_vanishes, test_all_ids_taken
from test_passthrough import test_refusals
from test_send import peer, test_data_in_many_pieces, test_every_byte_both_ways, test_network_lost_meanwhile
from test_sendex import test_with_several_links
from test_sendl import test_blocks_of_datagrams, test_reports_wait_for_the_end
from test_udp import test_both_ways, test_the_peer_is_the_last_who_sent
from test_update import board, server, test_from_a_url, test_there_and_back, updating
from traffic import noise

GUARD = 0.06  # seconds of silence around +++
COMMANDS = catalog.load()


@pytest.fixture
def start(start, small):
    """As in conftest.py, but for an ESP8266, and skipped where it would not have the chip's heap."""

    def start_small(*options, **more):
        if options[:2] == ("--board", "esp32"):
            pytest.skip("not on an ESP32")
        return start(*options, *(() if "esp8266" in options else ("--board", "esp8266")), **more)

    return start_small


def test_passthrough_and_back(online):
    """Two times, as the commands that it drops are loaded again."""
    online.command("AT+CIPMODE=1")
    for turn in range(2):
        peer = Peer()
        online.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
        peer.accept()
        online.expect("CONNECT⏎⏎OK⏎")
        online.send("AT+CIPSEND")
        online.expect("⏎OK⏎⏎>")
        data = noise(20000, turn)
        online.write(data)
        assert peer.get(len(data)) == data
        peer.send(data)
        assert online.take(len(data)) == data
        time.sleep(GUARD)
        online.write(b"+++")
        time.sleep(GUARD)
        online.send("AT+CIPCLOSE")
        online.expect("CLOSED⏎⏎OK⏎")
        peer.close()


def test_passive_mode(online, door):
    online.command("AT+CIPRECVMODE=1")
    clients = [enter(online, door, number) for number in range(2)]
    for number, client in enumerate(clients):
        client.send(b"0123456789")
        online.expect(f"⏎+IPD,{number},10⏎")
    online.send("AT+CIPRECVDATA=1,4")
    online.expect("+CIPRECVDATA:4,0123⏎OK⏎⏎+IPD,1,6⏎")
    online.send("AT+CIPRECVLEN?")
    online.expect("+CIPRECVLEN:10,6,-1,-1,-1⏎⏎OK⏎")
    online.send("AT+CIPCLOSE=0")
    online.expect("0,CLOSED⏎⏎OK⏎")
    online.settled()


@pytest.mark.parametrize("chapter", catalog.CHAPTERS)
def test_all_queries_of_a_chapter(online, tmp_path, chapter):
    """No command lacks memory, whichever were loaded before: all answer as on a module with plenty of it."""
    (tmp_path / "roomy").mkdir()
    roomy = Module(tmp_path / "roomy", "--board", "esp8266", "--heap", "2M")
    roomy.join()
    for command in COMMANDS:
        if "query" in command.forms and command.chapter == chapter:
            results = []
            for module in (roomy, online):
                module.send(f"{command.full_name}?")
                results.append(module.match(r".*?\r\n(OK|ERROR)\r\n")[1])
            assert results[0] == results[1], command.name
    online.settled()
    roomy.stop()
