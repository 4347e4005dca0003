"""Bringing the firmware onto a board: the real mpremote writes it through the terminal, and AT+GMR answers afterwards.
The simulated chip runs what was written, from its flash or from its ROMFS partition."""

import subprocess
import sys
from types import SimpleNamespace

import bundles
import pytest
from module import LIMIT
from mpyat import board_port, deploy
from mpyat.board_port import BoardError
from peers import Peer


def run_deploy(*words):
    """Runs the tool; returns its status and what it has said."""
    command = [sys.executable, "-m", "mpyat.deploy", *map(str, words)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=3 * LIMIT)
    return result.returncode, result.stdout + result.stderr


def at_the_prompt(module, code):
    """Runs code at MicroPython's prompt, where the module then stays, its terminal closed; returns what is printed."""
    module.send("AT+MPYREPL")
    module.match(r".*OK\r\nMicroPython .*?\r\n>>> ")
    module.close()
    command = [sys.executable, "-m", "mpremote", "connect", module.port, "exec", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=LIMIT).stdout


# What leaves a chip without a firmware that starts, as an interrupted deployment does.
BROKEN = {
    "esp32": """
import os
os.remove("/main.py")
os.remove("/firmware/buildinfo.mpy")
open("/firmware/app.mpy", "w").close()
os.mkdir("/firmware/old")
open("/firmware/old/module.mpy", "w").close()
""",
    "esp8266": """
import os, vfs
os.remove("/main.py")
vfs.umount("/rom")
vfs.rom_ioctl(3, 0, 8192)
os.mkdir("/firmware")
open("/firmware/__init__.mpy", "w").close()
""",
}
# And what an update has left.
UPDATED = """
os.mkdir("/b")
os.mkdir("/b/firmware")
open("/b/firmware/app.mpy", "w").close()
for name in "/slot", "/slot.1":
    with open(name, "w") as file:
        file.write("0 0 0 0.1.0 9.0.0")
"""
LIST = """
import os
print(sorted(os.listdir("/")))
print("firmware" in os.listdir("/") and "old" in os.listdir("/firmware"))
"""


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
@pytest.mark.parametrize("board", BROKEN)
def test_from_the_prompt(start, board):
    """A board without a firmware that runs; what is outdated goes, so that it does not hide what is new."""
    module = start("--board", board)
    at_the_prompt(module, BROKEN[board] + UPDATED)
    status, said = run_deploy(module.port, "--at-port", module.port)
    assert status == 0, said
    assert said.splitlines()[-1].startswith(f"{module.port}: AT+GMR answers with version ")
    module.open()
    found = at_the_prompt(module, LIST)
    files = {"esp32": "['boot.py', 'firmware', 'main.py']", "esp8266": "['boot.py', 'main.py', 'rom']"}[board]
    assert found == f"{files}\nFalse\n"


def test_past_a_running_firmware(start):
    """Also in passthrough, and at another rate, which the firmware has again afterwards."""
    module = start("--update-key", bundles.public())
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    peer = Peer()
    module.command("AT+UART_DEF=921600,8,1,0,0")
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    module.command("AT+CIPMODE=1")
    module.send("AT+CIPSEND")
    module.expect("⏎OK⏎⏎>")
    module.close()
    status, said = run_deploy(module.port, "--baud", 921600)
    assert status == 0, said
    assert f"{module.port}: AT firmware" in said and "Up to date: main.py" not in said
    assert said.splitlines()[-1].startswith(f"{module.port}: AT+GMR answers with version ")
    assert "updates over the air end with this, as no KEY= is given" in said
    peer.close()


@pytest.mark.roomy(reason="the MicroPython for 32 bits has no raw REPL")
def test_a_key_for_updates_is_noticed_in_romfs(start):
    for options, updates in (("--update-key", bundles.public()), True), ((), False):
        module = start("--board", "esp8266", *options)
        at_the_prompt(module, "")
        assert deploy.Board(module.port).updates == updates


def test_another_version_is_noticed(start, monkeypatch):
    module = start()
    other = SimpleNamespace(info=["0.1.0", "abcdef0", "Jan 01 2000 00:00:00"])
    with pytest.raises(BoardError, match="AT\\+GMR answers with another version: AT version:4"):
        deploy.checked(module.port, module.port, 115200, other)
    # Without an AT port the prompt is asked, and the board starts again after that.
    at_the_prompt(module, "")
    monkeypatch.setattr(board_port, "START", 0)
    with pytest.raises(BoardError, match=r"the prompt finds another version: built: 0\.1\.0"):
        deploy.checked(module.port, None, 115200, other)
    assert "Bin version:0.1.0(ESP32)" in board_port.version(module.port, 115200)
    module.open()


def test_dry_run(tmp_path):
    """It names each step and touches no port."""
    for board, step in ("ESP8266_GENERIC", "romfs deploy "), ("ESP32_GENERIC_C3", "cp -r "):
        status, said = run_deploy(tmp_path / "port", "--dry-run", board)
        assert status == 0 and f"connect {tmp_path}/port resume {step}" in said, said
        assert "+ cp " in said and said.splitlines()[-1].startswith("AT+GMR: version ")


@pytest.mark.parametrize(
    "words, said",
    [
        (["{port}"], "deploy: cannot open {port}: "),
        (["{port}", "--dry-run", "PICO"], "deploy: PICO is no board that is known: ESP32... or ESP8266...\n"),
        (["{port}", "--dry-run", "ESP32", "--source", "{port}"], "deploy: {port} has no boot.py\n"),
    ],
    ids=["no port", "no board", "no source"],
)
def test_in_one_line(tmp_path, words, said):
    port = tmp_path / "port"
    status, text = run_deploy(*(word.format(port=port) for word in words))
    assert status == 1 and text.startswith(said.format(port=port)) and text.count("\n") == 1, text
