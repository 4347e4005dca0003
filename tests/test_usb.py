"""The AT port on the USB of an ESP32: {"uart": "usb"} in /board.json puts it where MicroPython's prompt is, and what
goes over a UART goes over that."""

import subprocess
import sys
import threading

import pytest
import serial
from module import LIMIT
from mpyat import board_port
from mpyat.board_port import BoardError
from peers import Peer
from prompt import mpremote, to_the_prompt
from traffic import noise
from transcript import play as play_transcript

EVERY_BYTE = bytes(range(256))
WRITE = """
with open("/board.json", "w") as file:
    file.write('{"uart": "usb"}')
"""


@pytest.fixture
def usb(start):
    """A module with its AT port on the USB, joined to the network."""
    module = start("--usb")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    return module


def restarted(module):
    module.match(r".*\r\nready\r\n(WIFI CONNECTED\r\nWIFI GOT IP\r\n)?")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")


def test_a_session(usb):
    """Echo, lines, data in which Ctrl-C and its kin are data, sleep and a restart."""
    play_transcript(
        usb,
        r"""
        peer web
        > ATE1
        < ⏎OK⏎
        > AT
        < AT⏎⏎OK⏎
        >> \x03\x04\x01\r\n
        < \x03\x04\x01⏎⏎ERROR⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPSEND=8
        < ⏎OK⏎⏎>
        >> \x03\x04\x00\n\r\x03\x01\x02
        < ⏎Recv 8 bytes⏎⏎SEND OK⏎
        web gets \x03\x04\x00\n\r\x03\x01\x02
        web sends \x03\x04\x00\n\r\x03\x01\x02
        < ⏎+IPD,8:\x03\x04\x00\n\r\x03\x01\x02
        > AT+GSLP=50
        < 50⏎⏎OK⏎⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )


def test_passthrough(usb):
    """Every byte both ways, then much at once both ways while the host does not read at first, and `+++`."""
    peer = Peer()
    usb.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    usb.expect("CONNECT⏎⏎OK⏎")
    usb.command("AT+CIPMODE=1")
    usb.send("AT+CIPSEND")
    usb.expect("⏎OK⏎⏎>")
    usb.write(EVERY_BYTE)
    assert peer.get(256) == EVERY_BYTE
    peer.send(EVERY_BYTE)
    assert usb.take(256) == EVERY_BYTE
    data = noise(200000, 1)
    sender = threading.Thread(target=peer.send, args=(data,))
    sender.start()
    usb.write(data[:50000])
    assert peer.get(50000) == data[:50000]
    assert usb.take(len(data)) == data
    sender.join()
    usb.leave()
    usb.command("AT")
    peer.close()
    usb.expect("CLOSED⏎")


def test_the_rate_stays(start):
    """Nothing but what there is is taken; what was saved for the UART waits for the UART to come back."""
    module = start()
    module.command("AT+UART_DEF=921600,8,1,0,0")
    to_the_prompt(module)
    mpremote(module, "exec", WRITE, "reset")
    restarted(module)
    play_transcript(
        module,
        """
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART_DEF?
        < +UART_DEF:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART_CUR=115200,8,1,0,0
        < ⏎OK⏎
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+UART_CUR=9600,8,1,0,0
        < ERR CODE:0x01070000⏎⏎ERROR⏎
        > AT+UART_DEF=115200,7,1,0,0
        < ERR CODE:0x01070001⏎⏎ERROR⏎
        > AT+UART_CUR=115200,8,3,0,0
        < ERR CODE:0x01070002⏎⏎ERROR⏎
        > AT+UART_CUR=115200,8,1,2,0
        < ERR CODE:0x01070003⏎⏎ERROR⏎
        > AT+UART_DEF=115200,8,1,0,3
        < ERR CODE:0x01070004⏎⏎ERROR⏎
        """,
    )
    to_the_prompt(module)
    mpremote(module, "rm", ":/board.json", "+", "reset")
    restarted(module)
    module.send("AT+UART_CUR?")
    module.expect("+UART_CUR:921600,8,1,0,0⏎⏎OK⏎")


def test_the_prompt_and_back(start):
    """By hand, then with mpremote. What MicroPython prints comes between the answers."""
    module = start("--usb")
    play_transcript(
        module,
        r"""
        > AT+MPYREPL
        ~ \r\nOK\r\nMicroPython .*?\r\n>>>\x20
        >> 6 * 7\r
        < 6 * 7⏎42⏎>>>\x20
        >> while print('on') or True: pass\r\r
        ~ while .*?on\r\non\r\n
        >> \x03
        ~ (on\r\n)*.*KeyboardInterrupt: ?\r\n>>>\x20
        >> \x04
        < ⏎MPY: soft reboot⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )
    to_the_prompt(module)
    assert mpremote(module, "exec", "open('/settings.json', 'w'); print(6 * 7)") == "42\n"
    module.send("\x04")
    module.match(r"(?=.*settings: damaged, set aside as /settings.bad\r\n)(?=.*\r\nready\r\n)")
    module.received.clear()
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")


def test_deploy(start, monkeypatch):
    """Past the firmware, and from the prompt after an interruption; a USB of the chip's own goes away at the reset."""
    module = start("--usb")
    module.close()
    command = [sys.executable, "-m", "mpyat.deploy", module.port]
    deploy = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 3 * LIMIT}
    result = subprocess.run(command, **deploy)
    assert f"{module.port}: AT firmware" in result.stdout, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1].startswith(f"{module.port}: AT+GMR answers with version ")
    module.open()
    to_the_prompt(module)
    # Python's json would not take this, and MicroPython's does.
    mpremote(module, "exec", WRITE.replace("}'", ",}'"), "+", "rm", ":/main.py", "+", "reset")
    module.match(r".*\r\n>>> ")
    module.close()
    result = subprocess.run(command, **deploy)
    assert "AT firmware" not in result.stdout, result.stdout + result.stderr
    assert result.stdout.splitlines()[-1].startswith(f"{module.port}: AT+GMR answers with version ")
    opened, faults = board_port.open_port, [BoardError("it is not there"), serial.SerialException("it went away")]

    def open_port(*words):
        if faults:
            raise faults.pop()
        return opened(*words)

    monkeypatch.setattr(board_port, "open_port", open_port)
    assert "Bin version:" in board_port.version(module.port, 115200) and not faults


def test_not_on_the_esp8266():
    command = [sys.executable, "-m", "mpyat.simulator", "--board", "esp8266", "--usb"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    assert result.returncode == 2 and "--usb: only an ESP32" in result.stderr
