"""docs/updates.md, followed by a new user: what is for a terminal is run, and the module says what stands there."""

import re
import shlex
import subprocess
import sys

import bundles
import pytest
from mpyat import app_image, sources


@pytest.fixture
def serving():
    """A function that starts a command line which serves a folder, on a free port, and returns the port."""
    started = []

    def serving(words):
        words = [sys.executable, "-u", *words[1:-1], "--bind", "127.0.0.1", "0"]
        started.append(subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True))
        return re.search(r" port (\d+) ", started[-1].stdout.readline())[1]

    yield serving
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def shown(begin, end):
    """The lines between two comments of the page that stand there as they are typed or printed."""
    text = (sources.root() / "docs" / "updates.md").read_text()
    part = text.split(f"<!-- {begin} -->\n")[1].split(f"<!-- {end} -->")[0]
    return [line.removeprefix("    ") for line in part.splitlines() if line.startswith("    ") or not line]


def made(words, tmp_path):
    """Runs a line with atbundle."""
    subprocess.run([sys.executable, "-m", "mpyat.bundle", *words[1:]], check=True, stdout=subprocess.DEVNULL)
    if words[1] == "keygen":
        keep_key(tmp_path / words[2])


def keep_key(path):
    """What was built for the key of the tests need not be built again."""
    path.write_bytes(bundles.key().read_bytes())
    path.with_name(f"{path.name}.pub").write_bytes(bundles.public().read_bytes())


def told(module, lines, port=""):
    """The module is told what stands there, and answers so."""
    for typed, said in re.findall(r">>> (.*)\n((?:(?!>>> ).*\n)*)", "\n".join(lines).strip("\n") + "\n"):
        module.send(typed.replace("8080", port))
        module.expect(said.replace("\n", "⏎"))


def has_version(module, version):
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+GMR")
    module.match(rf".*Bin version:{re.escape(version)}\(ESP32\)\r\n\r\nOK\r\n")


def test_from_a_key_to_an_update(start, serving, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = port = None
    for line in filter(None, shown("in a terminal", "end of the terminal's lines")):
        words = shlex.split(line)
        if words[0] == "python3":
            port = serving(words)
        elif words[:2] == ["make", "run"]:
            module = start(*shlex.split(words[2].removeprefix("SIM=")))
        else:
            assert words[0] == ".venv/bin/atbundle"
            made(words, tmp_path)
    told(module, shown("at the module", "end of the module's lines"), port)
    has_version(module, "0.2.0")


def test_micropython_as_well(start, serving, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keep_key(tmp_path / "update.key")
    build, run = map(shlex.split, filter(None, shown("an image, in a terminal", "end of the image's terminal")))
    (tmp_path / build[build.index("--image") + 1]).write_bytes(app_image.make(b"MicroPython v1.29.0 on 2026-04-06"))
    made(build, tmp_path)
    port = serving(["python3", "-m", "http.server", "--directory", "updates", "8080"])
    module = start(*shlex.split(run[2].removeprefix("SIM=")))
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    module.command(f'AT+MPYUPDATE="http://127.0.0.1:{port}"')
    told(module, shown("an image, at the module", "end of the image's module"))
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎")
    has_version(module, "0.3.0")
