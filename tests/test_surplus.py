"""What a host sends beyond the data of a prompt: dropped with the command, `busy p...` for each LF among it, and the
next line is answered, whatever came before it. All prompts for data, one after the other."""

import pytest
from peers import Peer

# For each prompt: the command, the data, and what is answered before and after `busy p...`.
PROMPTS = {
    "CIPSEND": ("AT+CIPSEND=4", b"data", "⏎Recv 4 bytes⏎", "⏎SEND OK⏎"),
    "CIPSENDEX": ("AT+CIPSENDEX=4", b"data", "⏎Recv 4 bytes⏎", "⏎SEND OK⏎"),
    "CIPSENDEX to its end": ("AT+CIPSENDEX=9", b"data\\0", "⏎Recv 4 bytes⏎", "⏎SEND OK⏎"),
    "CIPSENDL": ("AT+CIPSENDL=4", b"data", "", "+CIPSENDL:4,4⏎⏎SEND OK⏎"),
    "SYSMFG": ('AT+SYSMFG=2,"server_ca","server_ca.0",8,4', b"data", "", "⏎OK⏎"),
    "SYSMSGFILTERCFG": ("AT+SYSMSGFILTERCFG=1,2,2", b"data", "", "⏎OK⏎"),
    "USEROTA": ("AT+USEROTA=4", b"data", "", "⏎Recv 4 bytes⏎⏎ERROR⏎"),  # no URL
    "FS": ('AT+FS=0,1,"f",0,4', b"data", "", "⏎OK⏎"),
    "SYSFLASH": ('AT+SYSFLASH=1,"ble_data",0,4', b"data", "", "⏎OK⏎"),
}
ONLY_ESP32 = ("FS", "SYSFLASH")
SURPLUS = (b"\0", b"\r", b"\n", b"\r\n", b"x", b"x\r\n", b"\0\r\n", b"\xff" * 200, b"AT\r\nAT\r\nA", b"+++")


@pytest.fixture(params=PROMPTS)
def prompt(request, board):
    if request.param in ONLY_ESP32 and board == "esp8266":
        pytest.skip("only the ESP32 has this command")
    return PROMPTS[request.param]


@pytest.fixture
def linked(start, board):
    """A module with a link to a peer."""
    module = start("--board", board, *(("--partition", "ble_data=4") if board == "esp32" else ())).join()
    peer = Peer()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    yield module
    peer.close()


def answered(module, line, mirror=""):
    module.send(line)
    module.expect(f"{mirror}+CWMODE:1⏎⏎OK⏎")


def test_in_one_write(linked, prompt):
    command, data, before, after = prompt
    for surplus in SURPLUS:
        linked.send(command)
        linked.expect("⏎OK⏎⏎>")
        linked.write(data + surplus)
        linked.expect(before + "⏎busy p...⏎" * surplus.count(b"\n") + after)
        answered(linked, "AT+CWMODE?")


def test_in_one_write_with_echo(linked, prompt):
    """Nothing is echoed of what is dropped."""
    command, data, before, after = prompt
    linked.command("ATE1")
    for surplus in SURPLUS:
        linked.send(command)
        linked.expect(f"{command}⏎⏎OK⏎⏎>")
        linked.write(data + surplus)
        linked.expect(before + "⏎busy p...⏎" * surplus.count(b"\n") + after)
        answered(linked, "AT+CWMODE?", "AT+CWMODE?⏎")


def test_in_a_later_write(linked, prompt):
    """When the command has ended it is a line: noise in front of AT is skipped, an empty line ignored."""
    command, data, before, after = prompt
    for surplus in (b"\0", b"\r", b"\n", b"\r\n", b"\r\r\n", b"\xff" * 200):
        linked.send(command)
        linked.expect("⏎OK⏎⏎>")
        linked.write(data)
        linked.expect(before + after)
        linked.write(surplus)
        answered(linked, "AT+CWMODE?")
    for surplus, errors in ((b"x", 1), (b"+++", 1), (b"x\r\n", 1), (b"x" * 500 + b"\n\0\nx\n", 3)):
        linked.send(command)
        linked.expect("⏎OK⏎⏎>")
        linked.write(data)
        linked.expect(before + after)
        linked.write(surplus + (b"" if surplus.endswith(b"\n") else b"AT\r\n"))
        linked.expect("⏎ERROR⏎" * errors)
        answered(linked, "AT+CWMODE?")


def test_pluses_end_every_prompt(linked, prompt):
    command = prompt[0]
    canceled = {"AT+CIPSENDL": "⏎SEND CANCELLED⏎", "AT+SYSMFG": "⏎ERROR⏎"}
    for _ in range(2):
        linked.send(command)
        linked.expect("⏎OK⏎⏎>")
        linked.leave()
        linked.expect(canceled.get(command.partition("=")[0], "⏎SEND Canceled⏎"))
        answered(linked, "AT+CWMODE?")


def test_a_host_that_ends_its_data_as_a_line(start, board):
    """Data, then CR LF, always: in one write with them that is refused, and nothing comes of it."""
    module = start("--board", board).join()
    peer = Peer()
    module.command("AT+CIPMUX=1")
    module.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("0,CONNECT⏎⏎OK⏎")
    for data in (b"GET / HTTP/1.1", b"\r\n", b"\0"):
        module.send(f"AT+CIPSEND=0,{len(data)}")
        module.expect("⏎OK⏎⏎>")
        module.write(data + b"\r\n")
        module.expect(f"⏎Recv {len(data)} bytes⏎⏎busy p...⏎⏎SEND OK⏎")
        assert peer.get(len(data)) == data
    peer.send(b"answer")
    module.expect("⏎+IPD,0,6:answer")
    peer.close()
    module.expect("0,CLOSED⏎")
    module.settled()
