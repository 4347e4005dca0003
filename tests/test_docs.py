"""The docs: their generated parts are up to date, and the session in the README runs as it stands there."""

import subprocess
import sys

import pytest
from module import encode
from mpyat import catalog, sources
from mpyat.tested import where
from peers import Peer


def test_generated_parts_are_up_to_date():
    result = subprocess.run([sys.executable, "-m", "mpyat.docs", "--check"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_session_of_the_readme(module):
    """What follows `>>>` is typed; the rest is what the module prints, with empty lines where it sends CR LF alone."""
    peer = Peer()
    text = (sources.root() / "README.md").read_text()
    session = text.split("<!-- session -->\n")[1].split("<!-- end of session -->")[0]
    lines = [line.removeprefix("    ") for line in session.strip("\n").splitlines()]
    for line in lines:
        typed, said = line.removeprefix(">>> "), line
        if line.startswith(">>> "):
            module.send(typed.replace("8000", str(peer.port)))
            continue
        if line.startswith(">"):
            module.expect("⏎>")
            peer.accept()
            module.write(encode(line[1:]))
            assert peer.get(5) == b"hello"
        elif line.startswith("+IPD"):
            peer.sock.sendall(b"hello back")
            peer.sock.close()
            module.match("(⏎)*" + line.replace("+", "\\+") + "⏎")
        elif said:
            module.match("(⏎)*" + said + "⏎")
    module.settled()
    peer.close()


@pytest.mark.parametrize("page", ["README.md", "docs/driver-ci.md"])
def test_drivers_tests_in_the_docs(page, tmp_path):
    """They run as they stand there, with the plugin that comes with the package."""
    text = (sources.root() / page).read_text()
    shown = text.split("<!-- driver test -->\n```python\n")[1].split("```\n<!-- end of driver test -->")[0]
    (tmp_path / "test_driver.py").write_text(shown)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 0 and "1 passed" in result.stdout, result.stdout


def test_each_command_is_tested():
    """Each row of the tables has a test that names the command; the ones that go through all of them do not count."""
    for command in catalog.load():
        assert where(command), command.full_name
