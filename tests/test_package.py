"""The package for `mpremote mip install`: the real mpremote gets it from a web server and writes it to a simulated
chip, where it starts."""

import functools
import http.server
import json
import subprocess
import sys
import threading

import bundles
import pytest
from module import LIMIT
from mpyat import board_port, package
from mpyat.build import build
from test_deploy import at_the_prompt

# Leaves nothing but what brings MicroPython's prompt to the terminal, which on a board has another port.
EMPTY = """
import os
def remove(path):
    for name, kind, *_ in os.ilistdir(path):
        if kind & 0x4000:
            remove(path + name + "/")
        elif path != "/firmware/board/" and path + name not in ("/boot.py", "/firmware/__init__.mpy"):
            os.remove(path + name)
remove("/")
print(os.listdir("/"))
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "package"
    package.write(folder)
    return folder


@pytest.fixture
def server(folder):
    """The address of the folder on a web server on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("where", ["server", "folder"])
def test_install(start, folder, server, where):
    """As docs/getting-started.md has it, from a web server and from the folder itself."""
    module = start()
    assert "main.py" not in at_the_prompt(module, EMPTY)
    place = {"server": server, "folder": folder}[where]
    mpremote = [sys.executable, "-m", "mpremote", "connect", module.port]
    command = [*mpremote, "mip", "install", "--target", "/", f"{place}/package.json", "+", "reset"]

    result = subprocess.run(command, capture_output=True, text=True, timeout=2 * LIMIT, check=False)
    assert result.returncode == 0 and "Done" in result.stdout, result.stdout + result.stderr
    said = board_port.version(module.port, 115200)
    assert all(text in said for text in build("esp32").info), said


def test_what_is_in_it(folder):
    """All that it names is there and the other way round, and it starts last."""
    named = json.loads((folder / "package.json").read_text())["urls"]
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {url for _, url in named} == there - {"package.json"} == {name for name, _ in named}
    assert named[-2:] == [["boot.py", "boot.py"], ["main.py", "main.py"]]
    assert "firmware/commands/index.mpy" in there


def test_with_the_key_of_updates(tmp_path, capsys, monkeypatch):
    """It is in the package; a file that holds none is named in one line."""
    monkeypatch.setattr(sys, "argv", ["package", str(tmp_path / "package"), "--update-key", str(bundles.public())])
    package.main()
    assert capsys.readouterr().out == f"{tmp_path}/package/package.json\n"
    assert len((tmp_path / "package/firmware/update_key.mpy").read_bytes()) > 256
    (tmp_path / "noise").write_text("noise")
    monkeypatch.setattr(sys, "argv", ["package", str(tmp_path / "package"), "--update-key", str(tmp_path / "noise")])
    with pytest.raises(SystemExit, match=f"^package: {tmp_path}/noise [^\n]+$"):
        package.main()
