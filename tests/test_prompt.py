"""The way back to Python: AT+MPYREPL gives the port to MicroPython's prompt, where the real mpremote works;
AT+MPYINFO? tells what is below. Ctrl-C, which the prompt takes for an interruption, is data before."""

import pytest
from module import LIMIT
from mpyat import sources
from prompt import mpremote, to_the_prompt
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
EXAMPLE = sources.root() / "examples" / "commands" / "pin.py"


@BOARDS
def test_mpyinfo(start, board):
    module = start("--board", board)
    machine = {"esp32": "Generic ESP32 module with ESP32", "esp8266": "ESP module with ESP8266"}[board]
    module.send("AT+MPYINFO?")
    found = module.match(rf'\+MPYINFO:"(\d+\.\d+\.\d+)","{machine}",(\d+),(\d+),(\d+)\r\n\r\nOK\r\n')
    assert int(found[2]) > 10000 and int(found[3]) > 5000
    assert int(found[4]) < LIMIT
    module.send("AT+GMR")
    module.match(rf".*SDK version:v{found[1].decode()}\r\n.*OK\r\n")
    module.settled()


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
@pytest.mark.parametrize("options", [("esp32",), ("esp8266",), ("esp32", "--pace")], ids=" ".join)
def test_mpremote_brings_a_command(start, options):
    module = start("--board", *options)
    module.command("AT+UART_CUR=921600,8,1,0,0")
    to_the_prompt(module)
    # It starts MicroPython anew, at the raw prompt, before it does anything.
    said = mpremote(module, "exec", "import machine; print(6 * 7, machine.reset_cause() == machine.SOFT_RESET)")
    assert said == f"42 {options[0] == 'esp32'}\n"
    said = mpremote(module, "mkdir", ":commands", "+", "cp", EXAMPLE, ":commands/", "+", "cat", ":commands/pin.py")
    assert said.endswith(EXAMPLE.read_text())
    mpremote(module, "reset")
    play_transcript(
        module,
        """
        < ⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+PIN=4
        < +PIN:4,0⏎⏎OK⏎
        """,
    )


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
@BOARDS
def test_by_hand(start, board):
    module = start("--board", board)
    to_the_prompt(module)
    play_transcript(
        module,
        r"""
        >> from firmware import board\r
        < from firmware import board⏎>>>\x20
        >> type(board.load())\r
        < type(board.load())⏎<class 'module'>⏎>>>\x20
        >> \x03
        < ⏎>>>\x20
        # Ctrl-A and Ctrl-B: to the raw prompt and back.
        >> \x01
        < ⏎raw REPL; CTRL-B to exit⏎>
        >> print(1)\x04
        < OK1⏎\x04\x04>
        >> \x02
        ~ \r\nMicroPython .*?\r\n>>>\x20
        # Ctrl-D: a new start, with the firmware.
        >> \x04
        < ⏎MPY: soft reboot⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+MPYREPL
        ~ \r\nOK\r\nMicroPython .*?\r\n>>>\x20
        >> import machine; machine.reset()\r
        < import machine; machine.reset()⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
@BOARDS
def test_ctrl_c_at_the_prompt(start, board):
    """It ends a program that runs, at either prompt, and nothing else."""
    module = start("--board", board)
    to_the_prompt(module)
    for _ in range(3):
        module.write(b"\x03")
        module.expect("⏎>>> ")
    module.write(b"while print('on') or True: pass\r\r")
    module.match(r"while .*?on\r\non\r\n")
    module.write(b"\x03")
    module.match(r"(on\r\n)*.*KeyboardInterrupt: ?\r\n>>> ")
    module.write(b"\x01")
    module.match(r".*raw REPL; CTRL-B to exit\r\n>")
    module.write(b"import time\nprint('now')\ntime.sleep(60)\x04")
    module.expect("OKnow⏎")
    module.write(b"\r\x03")
    module.match(r"\x04Traceback .*KeyboardInterrupt: ?\r\n\x04>")
    module.write(b"print(1)\x04")
    module.expect("OK1⏎\x04\x04>")


def test_what_the_prompt_says_and_hears_at_length(start):
    """Much more than a terminal holds, both ways, while nobody reads."""
    module = start()
    to_the_prompt(module)
    count = 20000
    module.write(b"\x01" + b"text = '''" + b"x" * count + b"'''\x04")
    module.expect("⏎raw REPL; CTRL-B to exit⏎>OK\x04\x04>")
    module.write(b"for i in range(8000): print(i, len(text))\x04")
    module.expect("OK" + "".join(f"{i} {count}⏎" for i in range(8000)) + "\x04\x04>")
    module.write(b"\x02\x04")
    module.match(r".*MPY: soft reboot\r\n\r\nready\r\n")


@BOARDS
def test_links_are_closed_before(start, board):
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    play_transcript(
        module,
        r"""
        peer web
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+MPYREPL=1
        < ⏎ERROR⏎
        > AT+MPYREPL
        ~ CLOSED\r\n\r\nOK\r\nMicroPython .*?\r\n>>>\x20
        web ended
        >> \x04
        < ⏎MPY: soft reboot⏎⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )


@BOARDS
def test_ctrl_c_in_data_is_data(start, board):
    module = start("--board", board)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    play_transcript(
        module,
        r"""
        peer web
        >> \x03\r\n
        < ⏎ERROR⏎
        > AT+CIPSTART="TCP","127.0.0.1",{web}
        < CONNECT⏎⏎OK⏎
        web accepts
        > AT+CIPSEND=5
        < ⏎OK⏎⏎>
        >> \x03\x04\x03\x01\x02
        < ⏎Recv 5 bytes⏎⏎SEND OK⏎
        web gets \x03\x04\x03\x01\x02
        > AT+CIPMODE=1
        < ⏎OK⏎
        > AT+CIPSEND
        < ⏎OK⏎⏎>
        >> \x03\x03
        web gets \x03\x03
        web sends \x03
        < \x03
        ! power cycle
        < ⏎ready⏎WIFI CONNECTED⏎WIFI GOT IP⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )
