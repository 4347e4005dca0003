"""docs/updates.md, followed by a new user: what is for a terminal is run, and the module says what stands there."""

import re
import shlex
import subprocess
import sys

import bundles
import pytest
from mpyat import sources


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
            subprocess.run([sys.executable, "-m", "mpyat.bundle", *words[1:]], check=True, stdout=subprocess.DEVNULL)
            if words[1] == "keygen":
                # What was built for the key of the tests need not be built again.
                (tmp_path / words[2]).write_bytes(bundles.key().read_bytes())
                (tmp_path / f"{words[2]}.pub").write_bytes(bundles.public().read_bytes())
    lines = shown("at the module", "end of the module's lines")
    for typed, said in re.findall(r">>> (.*)\n((?:(?!>>> ).*\n)*)", "\n".join(lines).strip("\n") + "\n"):
        module.send(typed.replace("8080", port))
        module.expect(said.replace("\n", "⏎"))
    module.send("ATE0")
    module.expect("ATE0⏎⏎OK⏎")
    module.send("AT+GMR")
    module.match(r".*Bin version:0\.2\.0\(ESP32\)\r\n\r\nOK\r\n")
