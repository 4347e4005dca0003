"""The package for `mpremote mip install`: the real mpremote gets it from a web server and writes it to a simulated
chip, where it starts."""

import contextlib
import functools
import http.server
import json
import subprocess
import sys
import threading
from types import SimpleNamespace

import bundles
import pytest
from module import LIMIT
from mpyat import board_port, package
from mpyat.branch import BranchError, commit
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


@contextlib.contextmanager
def serving(folder):
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


def install(start, place, program=("-m", "mpremote")):
    """Installs a package on a chip that has MicroPython alone, and starts it."""
    module = start()
    assert "main.py" not in at_the_prompt(module, EMPTY)
    command = [sys.executable, *program, "connect", module.port, "mip", "install", "--target", "/", place, "+", "reset"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=2 * LIMIT, check=False)
    assert result.returncode == 0 and "Done" in result.stdout, result.stdout + result.stderr
    said = board_port.version(module.port, 115200)
    assert all(text in said for text in build("esp32").info[:3]), said


@pytest.mark.parametrize("where", ["server", "folder"])
def test_install(start, folder, where):
    """As docs/getting-started.md has it, from a web server and from the folder itself."""
    with serving(folder) as server:
        place = {"server": server, "folder": folder}[where]
        install(start, f"{place}/package.json")


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


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository with one commit, which has a bare one as its origin, and in whose index and work tree is more."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    (tmp_path / "gitconfig").write_text("[user]\nname = A\nemail = a@example.com\n[core]\nautocrlf = true\n")
    path = tmp_path / "repository"
    git(tmp_path, "init", "--quiet", "--bare", "origin")
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", path)
    git(path, "remote", "add", "origin", tmp_path / "origin")
    (path / "source.py").write_text("one\n")
    git(path, "add", ".")
    git(path, "commit", "--quiet", "-m", "one")
    (path / "source.py").write_text("two\n")
    git(path, "add", ".")
    (path / "source.py").write_text("three\n")
    (path / "boot.py").write_text("not tracked")
    return path


def git(folder, *words):
    command = ["git", "-C", folder, *words]
    return subprocess.run(command, check=True, capture_output=True, timeout=LIMIT).stdout


def state(repository):
    """All that a branch is not to change."""
    shown = [
        git(repository, *words) for words in (["status", "--porcelain=2", "--branch"], ["diff"], ["stash", "list"])
    ]
    return shown, (repository / ".git/index").read_bytes(), sorted(path.name for path in repository.iterdir())


def test_a_branch(repository, folder):
    """It has the folder's files and nothing else, and goes on with what it had; nothing else is touched."""
    before = state(repository)
    first = commit(repository, folder, "package", "Version 1")
    assert commit(repository, folder, "package", "Version 1") == first
    names = git(repository, "ls-tree", "-r", "--name-only", "package").decode().splitlines()
    assert names == sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    for name in ("firmware/app.mpy", "boot.py"):
        assert git(repository, "show", f"package:{name}") == (folder / name).read_bytes()

    (folder / "boot.py").write_text("new")
    (folder / "firmware/app.mpy").unlink()
    second = commit(repository, folder, "package", "Version 2")
    assert git(repository, "log", "--format=%H %s", "package").decode() == f"{second} Version 2\n{first} Version 1\n"
    assert git(repository, "diff", "--name-status", first, second) == b"M\tboot.py\nD\tfirmware/app.mpy\n"
    assert state(repository) == before

    # A new clone goes on with what was published.
    git(repository, "push", "--quiet", "origin", "package")
    git(repository, "branch", "--quiet", "-D", "package")
    (folder / "boot.py").write_text("newer")
    third = commit(repository, folder, "package", "Version 3")
    assert git(repository, "rev-parse", "package^").decode() == f"{second}\n"
    git(repository, "push", "--quiet", "origin", "package")
    assert git(repository, "ls-remote", "origin", "package").decode().split()[0] == third


def test_no_branch(repository, folder, tmp_path):
    """What would touch other things is refused in one line."""
    git(repository, "branch", "other")
    head = git(repository, "rev-parse", "HEAD")
    before = state(repository)
    for name, said in {
        "main": "main is checked out: give another name, ",
        "other": "other is a branch with other things, and is left alone: give another name",
        "a b": "a b cannot be the name of a branch",
        "-x": "-x cannot be the name of a branch",
        "other/package": "fatal: ",
    }.items():
        with pytest.raises(BranchError) as caught:
            commit(repository, folder, name, "Version 1")
        assert str(caught.value).startswith(said) and "\n" not in str(caught.value), str(caught.value)
    with pytest.raises(BranchError, match=f"^{tmp_path} is no git repository"):
        commit(tmp_path, folder, "package", "Version 1")
    (tmp_path / "gitconfig").write_text("[user]\nuseConfigOnly = true\n")
    with pytest.raises(BranchError, match=r"^fatal: [^\n]+$"):
        commit(repository, folder, "package", "Version 1")
    assert git(repository, "for-each-ref", "--format=%(refname)") == b"refs/heads/main\nrefs/heads/other\n"
    assert git(repository, "rev-parse", "other") == head and state(repository) == before


# mpremote, which finds in the place of GitHub what a server on loopback has below the same path.
AT_GITHUB = """
import sys, urllib.request
server, real = sys.argv.pop(1), urllib.request.urlopen
urllib.request.urlopen = lambda url: real(url.replace("https://raw.githubusercontent.com", server))
from mpremote.main import main
sys.exit(main())
"""


def test_install_from_github(start, repository, folder, tmp_path, monkeypatch, capsys):
    """The branch, made and pushed as docs/getting-started.md has it."""
    monkeypatch.setattr(package, "sources", SimpleNamespace(root=lambda: repository))
    monkeypatch.setattr(sys, "argv", ["package", str(folder), "--branch", "package"])
    package.main()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{folder}/package.json"
    assert said[1].startswith("branch package: ") and said[1].endswith("; git push origin package publishes it")
    git(repository, "push", "origin", "package")
    served = tmp_path / "site/owner/repository/package"
    git(tmp_path, "clone", "--quiet", "--config", "core.autocrlf=false", "--branch", "package", "origin", served)
    with serving(tmp_path / "site") as server:
        install(start, "github:owner/repository@package", ("-c", AT_GITHUB, server))
