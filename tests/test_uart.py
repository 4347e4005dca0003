"""AT+UART_CUR and AT+UART_DEF: every value of every parameter, and when the line's rate changes.
What is measured here is never faster than the line; a slow machine only makes it slower."""

import itertools
import time

import pytest

MAXIMA = {"esp32": 5000000, "esp8266": 4500000}
FLOWS = {"esp32": range(4), "esp8266": range(1)}
BOARDS = pytest.mark.parametrize("board", MAXIMA)
COMMANDS = pytest.mark.parametrize("name", ["UART_CUR", "UART_DEF"])
EVERYTHING = r".*\r\n\r\nOK\r\n"


def asked(module, name):
    module.send(f"AT+{name}?")
    return module.match(rf"\+{name}:(.*?)\r\n\r\nOK\r\n")[1].decode()


def silence(module):
    """Waits for a module that starts, and stops its echo."""
    module.match(r".*\r\nready\r\n")
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")


@COMMANDS
@BOARDS
def test_every_value(start, board, name):
    module = start("--board", board)
    rates = (80, 300, 115200, MAXIMA[board])
    some = [(rate, 8, 1, 0, 0) for rate in rates]
    for values in [*some, *itertools.product([921600], range(5, 9), (1, 3), range(3), FLOWS[board])]:
        text = ",".join(map(str, values))
        module.command(f"AT+{name}={text}")
        assert asked(module, "UART_CUR") == text
        assert asked(module, "UART_DEF") == (text if name == "UART_DEF" else "115200,8,1,0,0")
    module.settled()


@COMMANDS
@BOARDS
def test_values_that_are_refused(start, board, name):
    """Nothing of such a line is taken. 1.5 stop bits are refused because no port of MicroPython can do them."""
    module = start("--board", board)
    module.command("AT+SYSLOG=1")
    module.command(f"AT+{name}=57600,7,3,1,0")
    refused = {
        "07": [(0, 79), (0, MAXIMA[board] + 1), (0, -115200), (1, 4), (1, 9), (2, 0), (2, 2), (2, 4), (3, -1), (3, 3)],
        "05": [(0, ""), (1, ""), (2, '"1"'), (3, ""), (4, '"0"'), (4, "1x")],
    }
    refused["07"] += [(4, flow) for flow in range(5) if flow not in FLOWS[board]]
    for kind, index, value in [(kind, *pair) for kind, pairs in refused.items() for pair in pairs]:
        values = ["115200", "8", "1", "0", "0"]
        values[index] = str(value)
        module.send(f"AT+{name}={','.join(values)}")
        module.expect(f"ERR CODE:0x01{kind}{index:04x}⏎⏎ERROR⏎")
    for values, code in (("115200,8,1,0", "01060504"), ("115200,8,1,0,0,0", "01060506"), ("115200", "01060501")):
        module.send(f"AT+{name}={values}")
        module.expect(f"ERR CODE:0x{code}⏎⏎ERROR⏎")
    assert asked(module, name) == "57600,7,3,1,0"
    assert module.control("power cycle") == "ok"
    silence(module)
    kept = "57600,7,3,1,0" if name == "UART_DEF" else "115200,8,1,0,0"
    assert asked(module, "UART_CUR") == asked(module, "UART_DEF") == kept


def took(module, line, answer=EVERYTHING):
    """Seconds from the first byte of a line to the last of its answer, and how many bytes both have."""
    began = time.monotonic()
    module.send(line)
    got = module.match(answer)[0]
    return time.monotonic() - began, len(line) + 2 + len(got)


@COMMANDS
@BOARDS
def test_the_answer_leaves_at_the_old_rate(start, board, name):
    module = start("--board", board, "--pace")
    module.command(f"AT+{name}=1200,8,3,2,0")
    assert asked(module, name) == "1200,8,3,2,0"
    # From here on a byte has twelve bits: start, 8, parity, 2 stop bits.
    seconds, size = took(module, f"AT+{name}=921600,8,1,0,0", r"\r\nOK\r\n")
    assert seconds >= size * 12 / 1200 * 0.95
    assert asked(module, name) == "921600,8,1,0,0"
    # What follows comes at the new rate; at the old one it would take 20 seconds.
    seconds, size = took(module, "AT+CMD?")
    assert size * 12 / 1200 > 15
    assert size * 10 / 921600 * 0.95 <= seconds < 10


@BOARDS
def test_the_saved_rate_is_that_of_the_next_start(start, board):
    module = start("--board", board, "--pace")
    module.command("AT+UART_DEF=9600,8,1,0,0")
    module.command("AT+UART_CUR=921600,8,1,0,0")
    for again in ("AT+RST", "power cycle"):
        if again == "AT+RST":
            module.send(again)
        else:
            assert module.control(again) == "ok"
        silence(module)
        assert asked(module, "UART_CUR") == "9600,8,1,0,0"
        seconds, size = took(module, "AT+SYSMSG=?")
        assert seconds >= size * 10 / 9600 * 0.95


def test_lines_behind_the_change_are_answered(start):
    """They came at the old rate, and are neither lost nor answered `busy p...`."""
    module = start()
    module.write(b"AT+UART_CUR=9600,8,1,0,0\r\nAT+UART_CUR?\r\nAT+UART_CUR=115200,8,1,0,0\r\nAT\r\n")
    module.expect("⏎OK⏎+UART_CUR:9600,8,1,0,0⏎⏎OK⏎⏎OK⏎⏎OK⏎")
    module.settled()
