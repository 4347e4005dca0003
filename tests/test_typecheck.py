"""The firmware uses nothing that MicroPython's port for the board does not have, and what it would use is found."""

import ast
import re
import shutil
import subprocess
import sys

import pytest
from mpyat import own_commands, sources, typecheck

# On which boards each line is to be found, when it stands in the firmware.
USES = """
both     os.getenv("HOME")
none     os.statvfs("/")
both     os.path.join("a", "b")
both     sys.getsizeof(1)
both     json.dumps([1], indent=1)
both     re.findall("a", text)
both     re.match("a", "b").groups()
none     re.match("a", "b").group(0)
both     io.BytesIO().truncate()
both     struct.Struct("H")
both     gc.get_objects()
both     time.monotonic()
none     time.ticks_diff(time.ticks_ms(), time.ticks_us())
both     select.epoll()
both     sock.getsockname()
both     sock.shutdown(2)
none     sock.write(text, 0, 2)
esp8266  sock.fileno()
both     socket.SO_KEEPALIVE
both     socket.inet_aton("1.2.3.4")
none     uart.readinto(text, 2)
both     uart.readinto(text, 0, 2)
both     uart.readchar()
esp8266  uart.sendbreak()
esp8266  at.uart.sendbreak()
esp8266  uart.init(115200, 8, None, 1, flow=1)
esp8266  machine.UART.RTS
both     machine.UART.RS485
esp8266  machine.Timer(1, period=1)
none     machine.Timer(1).init(period=1, callback=print)
both     machine.RTC().now()
esp8266  machine.RTC().init((2000, 1, 1, 0, 0, 0, 0, 0))
esp32    machine.RTC().alarm_left()
both     wlan.config(dhcp=True)
esp8266  wlan.config(reconnects=1)
none     wlan.config(pm=0, hostname="a")
esp8266  at.radio.station.config(max_clients=1)
both     at.radio.station.roam()
both     wlan.connect("a", key="b")
esp8266  network.WLAN.PROTOCOL_LR
both     network.WLAN.PM_FAST
esp8266  hashlib.md5()
both     hashlib.sha256().hexdigest()
esp8266  tls.SSLContext(0).set_ciphers([])
none     tls.SSLContext(0).wrap_socket(sock, server_hostname="a").setblocking(False)
both     tls.SSLContext(0).wrap_socket(sock).unwrap()
esp32    esp.flash_id()
esp8266  esp.osdebug(0, 1)
both     vfs.VfsPosix("/")
esp32    vfs.VfsRom(text)
both     micropython.RingIO(8).peek()
both     "text".removeprefix("t")
both     text.removeprefix("t")
esp8266  "text".partition("t")
esp8266  text.partition("t")
none     "text".find("t")
both     (5).bit_length()
both     open("a").fileno()
both     open("a", newline="")
both     bytearray(5).clear()
esp8266  compile("1", "", "eval")
both     ascii(text)
both     breakpoint()
both     raise TimeoutError
esp8266  import bluetooth
both     import threading
both     from collections import Counter
both     for event in at.loop.poll.ipoll(0, 1, 2): pass
"""
PROBE = """

import gc, hashlib, io, json, machine, micropython, network, os, re, select, socket, struct, sys, time, tls, vfs
import esp


def probe(at, sock, uart, wlan, text):
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A function that tells, by board, the lines of the uses above that are found."""
    root = tmp_path_factory.mktemp("misused")
    _copy(root)
    uses = [line.split(None, 1) for line in USES.strip().splitlines()]
    path = root / "firmware" / "wifi.py"
    text = path.read_text() + PROBE
    first = text.count("\n") + 1
    path.write_text(text + "".join(f"    if at: {use}\n" for _, use in uses).replace("if at: for", "for"))

    def found(board):
        lines = [re.match(r"\w+: firmware/wifi\.py:(\d+): ", line) for line in typecheck.problems(board, root)]
        assert all(lines)
        return {uses[int(line[1]) - first][1] for line in lines}

    return found


def _copy(root):
    shutil.copytree(sources.root() / "firmware", root / "firmware", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("boot.py", "main.py"):
        shutil.copyfile(sources.root() / name, root / name)


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_the_board_has_all_that_the_firmware_uses(board):
    assert typecheck.problems(board) == []


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_what_the_board_has_not_is_found(found, board):
    lines = USES.strip().splitlines()
    assert found(board) == {line.split(None, 1)[1] for line in lines if line.split()[0] in ("both", board)}


# What the firmware does with objects of the chip, which come a long way before.
CALLS = "uart.write( port.init( _rtc.datetime( wlan.ifconfig( poll.ipoll( sock.recv( _sock.accept( _sock.readinto("
CALLS += " _tls.readinto( wlan.status( context.load_cert_chain( station.connect("


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_the_chips_objects_are_followed(board, tmp_path):
    """From where the firmware makes them to where it uses them: a method of another name is found in each place."""
    _copy(tmp_path)
    other = "esp8266" if board == "esp32" else "esp32"
    calls, changed = set(), set()
    for path in (tmp_path / "firmware").rglob("*.py"):
        if path.stem == other:
            continue
        name, lines = str(path.relative_to(tmp_path)), path.read_text().splitlines()
        for number, line in enumerate(lines):
            for call in CALLS.split():
                if re.search(rf"\b{re.escape(call)}", line):
                    lines[number] = lines[number].replace(call, call[:-1] + "_at_once(")
                    changed.add((name, number + 1))
                    calls.add(call)
        path.write_text("\n".join(lines) + "\n")
    assert calls == set(CALLS.split())
    places = [re.match(r"\w+: (.+?):(\d+): .*_at_once", line) for line in typecheck.problems(board, tmp_path)]
    assert {(place[1], int(place[2])) for place in places} == changed


def test_what_a_board_loads_and_what_the_firmware_tries(tmp_path):
    """Commands of another board are not looked at, nor what is expected to fail; all the rest is."""
    _copy(tmp_path)
    power = tmp_path / "firmware" / "commands" / "power.py"
    own = '\n\n@command("AT+A"{})\nclass A{}:\n    def execute(at):\n        import esp32\n'
    tried = "\n\ndef tried(at):\n    try:\n        at.radio.station.{}\n    except {}:\n        pass\n"
    text = power.read_text()
    power.write_text(
        text
        + own.format(', board="esp32"', 1)
        + own.format("", 2)
        + tried.format("config(reconnects=0)", "ValueError")
        + tried.format("config(reconnects=0)", "OSError")
        + tried.format("roam()", "(OSError, AttributeError)")
    )
    first = text.count("\n")
    places = [
        re.match(r"esp8266: firmware/commands/power.py:(\d+): ", line)
        for line in typecheck.problems("esp8266", tmp_path)
    ]
    assert [int(place[1]) - first for place in places] == [12, 24]


def _run(*files):
    command = [sys.executable, "-m", "mpyat.typecheck", *files]
    return subprocess.run(command, cwd=sources.root(), capture_output=True, text=True, check=False)


def test_files_for_commands_of_ones_own(tmp_path):
    """The line that the docs show, and a file that uses what is not there."""
    docs = (sources.root() / "docs" / "your-own-command.md").read_text()
    shown = re.search(r"\$ \.venv/bin/python -m mpyat\.typecheck (\S+)", docs)[1]
    own = tmp_path / "own.py"
    own.write_text("def own(at, text):\n    at.radio.station.roam()\n    text.partition(':')\n    at.links.any()\n")
    result = _run(shown, own)
    assert (result.returncode, result.stderr) == (1, "")
    places = [line.split(": error: ")[0] for line in result.stdout.splitlines()]
    assert places == [
        "esp8266: commands/own.py:2",
        "esp8266: commands/own.py:3",
        "esp8266: commands/own.py:4",
        "esp32: commands/own.py:2",
        "esp32: commands/own.py:4",
    ]


@pytest.mark.parametrize(
    "line, refused",
    [
        ('at.line("+A:%d", at.board.CHIP)', None),
        ("await at.port.room()", None),
        ("at.radio.station.status('rssi')", None),
        ("at.settings.get('A', [0])[0]", None),
        ("port = at.port; port.write(b'')", None),
        ("at.line_settings", "at.line_settings"),
        ("at.port.send(b'', 0, 0)", "at.port.send"),
        ("at.board.BAUD", "at.board.BAUD"),
        ("at.radio.softap.active()", "at.radio.softap"),
        ("port = at.port; port.flush()", "at.port.flush"),
        ("links = at.links", "at.links"),
        ("from firmware.at.messages import ATError, E_COUNT", None),
        ("from firmware.at.messages import OK", "OK of firmware.at.messages"),
        ("from firmware.net.tcp import TCPLink", "TCPLink of firmware.net.tcp"),
        ("import firmware.app", "import firmware.app"),
    ],
)
def test_what_the_docs_do_not_list(line, refused):
    """It has another name on the ESP8266, so that the simulator's ESP32 alone would take it."""
    tree = ast.parse(f"async def execute(at):\n    {line}\n")
    assert [what for _, what in own_commands.beyond(tree)] == ([refused] if refused else [])


def test_the_docs_list_what_may_be_used():
    docs = (sources.root() / "docs" / "your-own-command.md").read_text()
    table = docs[docs.index("## What a command may use") :].split("\nOf MicroPython")[0]
    listed = set(re.findall(r"\b(?:at\.[\w.]+|[A-Z]+_[A-Z]+|ATError|STORE|ALWAYS|saved)", table))
    imported = set().union(*own_commands.IMPORTED.values()) - {"command"}
    assert listed == {*own_commands.OF_AT, *imported, "saved"}


def test_a_file_that_is_not_there_is_one_line():
    result = _run("none.py")
    assert result.returncode == 1
    assert re.fullmatch("typecheck: .*none.py.*\n", result.stderr)
