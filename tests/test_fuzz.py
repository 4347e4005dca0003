"""A thousand lines at random, made from the commands' declarations and then damaged: each gets one final result.
The seeds are fixed, so that what fails once fails again."""

import random
import re
import time

import pytest
from declared import accepted, quoted, refused
from mpyat import catalog
from peers import Peer

PARTS, LINES = 5, 200
GUARD = 0.04  # seconds of silence before +++
COMMANDS = catalog.load()
# These restart the module, or stop it, or ask for data now and then, or search for minutes. Whether they do is tested
# elsewhere; here they would only lose answers.
RESTARTS = re.compile(
    rb"[^ -~]*AT\+(RST(=.*)?|RESTORE|MPYREPL|GSLP=.*|SLEEP=.*[2x].*|FS=.*,.*|SYSMSGFILTERCFG=.*[12x].*|USEROTA=.*|"
    rb"MDNS=(0x0*)?2.*)\r?$",
    re.IGNORECASE | re.DOTALL,
)
# A line that is answered by a prompt if it is answered by OK.
PROMPTED = re.compile(rb"[^ -~]*AT\+(CIPSEND(EX|L)?=|SYSMFG=2|USERRAM=(0x0*)?2)(?!\?\r?$)", re.IGNORECASE)
TEXTS = ["mpy-at", "12345678", "127.0.0.1", "localhost", "02:6d:70:79:61:01", "a\\,b", '\\"', "\\\\", "\xc3\xa9", "%s"]
BYTES = b'\x00\xff\r,"\\=?+AT 0x-'
# Nobody answers at that port, so that no name is asked for outside of this PC.
NETWORK = '[[ap]]\nssid = "mpy-at"\npassword = "12345678"\njoin_ms = 1\ndns = "127.0.0.1:9"\n'


def value(dice, parameter, port):
    """Text for one parameter, more often good than bad; a number may be the port of the peer."""
    kind = dice.random()
    if kind < 0.6:
        return dice.choice(accepted(parameter))
    if kind < 0.7 and parameter.low is not None:
        return str(dice.choice((port, dice.randint(parameter.low, parameter.high))))
    if kind < 0.8:
        return quoted(dice.choice(TEXTS))
    if kind < 0.9:
        return ""
    return str(dice.choice(refused(parameter))[0])


def whole(dice, port):
    """A line as a host might send it, at times with too few or too many parameters."""
    command = dice.choice(COMMANDS)
    form = dice.choice(("test", "query", "set", "set", "set", "execute"))
    if form != "set":
        return command.full_name + {"test": "=?", "query": "?", "execute": ""}[form]
    parameters = dice.choice(command.parameters()) if command.signatures else []
    values = [value(dice, parameter, port) for parameter in parameters]
    if dice.random() < 0.5:
        values = values[: dice.randint(0, len(values))]
    if dice.random() < 0.1:
        values += ["1"] * dice.randint(1, 9)
    return f"{command.full_name}={','.join(values)}"


def mutated(dice, line):
    """The line with a few bytes changed; still one line, and not empty."""
    for _ in range(dice.choice((0, 0, 1, 2, 5))):
        at = dice.randrange(len(line) + 1)
        before, after = line[:at], line[at:]
        line = dice.choice(
            (
                before + bytes([dice.choice(BYTES)]) + after,
                before + bytes([dice.randrange(256)]) + after[1:],
                before + after[dice.randint(1, 3) :],
                before * dice.choice((2, 2, 30)) + after,
                before,
                before + after.swapcase(),
            )
        )
    return line.replace(b"\n", b"").rstrip(b"\r") or b"AT"


def answer(module, line):
    """Takes the final result of a line, and takes back the data that it asks for."""
    result = module.match(r".*?\r\n(OK|ERROR)\r\n")[1]
    if PROMPTED.match(line) and result == b"OK":
        module.expect("⏎>")
        time.sleep(GUARD)
        module.write(b"+++")
        sent = module.match(r".*?\r\n(?:SEND|WRITE) (OK|FAIL|Canceled|CANCELLED)\r\n")[1]
        if sent in (b"OK", b"FAIL"):
            # Of three bytes or less it is the data, and the rest of it begins a line, which has to end.
            module.write(b"\r\nAT\r\n")
            module.match(r".*?\r\nOK\r\n")


@pytest.mark.parametrize("part", range(PARTS))
def test_each_line_gets_one_final_result(start, part):
    module = start("--board", ("esp8266", "esp32")[part % 2], wifi=NETWORK)
    dice = random.Random(part)
    peer = Peer()
    module.send('AT+CWJAP="mpy-at","12345678"')
    answer(module, b"")
    module.command("AT+CIPMUX=1")
    module.send(f'AT+CIPSTART=0,"TCP","127.0.0.1",{peer.port}')
    answer(module, b"")
    for number in range(LINES):
        line = mutated(dice, whole(dice, peer.port).encode("latin-1"))
        if RESTARTS.match(line):
            continue
        try:
            module.write(line + b"\r\n")
            answer(module, line)
            assert not re.search(rb"\r\n(OK|ERROR)\r\n", module.received), "a second result"
        except AssertionError as error:
            raise AssertionError(f"line {number}, {line!r}: {error}\n{module.console()}") from error
    module.write(b"ATE0\r\n")
    answer(module, b"")
    module.send("AT")
    # Reports may still come, but no result that belongs to none of the lines.
    module.match(r"((WIFI|\d,)[^\r\n]*\r\n)*\r\nOK\r\n")
    peer.close()
