"""`make size`: how large the ESP8266's image is, by module, and what its heap holds, phase by phase.
The heap is that of a MicroPython for 32 bits; what the stand-ins for the chip's modules take of it is told apart.
What has grown by more than 1 % since `make size SIZE=--keep` is a failure; the figures are in size_figures.json."""

import argparse
import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
import tty
from pathlib import Path

from . import micropython32, shrink
from .build import BuildError, build, write_flash

HEAP = 38 * 1024  # of the chip
# MicroPython's tables of names, with 40, 80 and 160 places of 7 bytes, which the firmware needs too: start.py has
# filled them with the stand-ins' names and others, so that the fifth table is there from the start.
_OWN_TABLES = (40 + 80 + 160) * 7
_PROBE = "import gc\ngc.collect()\nprint('heap', gc.mem_alloc())\nraise SystemExit\n"
# In place of the firmware's package: starts the firmware, and tells what it has taken when it first waits.
_IDLE_PROBE = """\
import gc, os, select, sys
class Poll:
    def __init__(self):
        poll = select.poll()
        self.register, self.modify, self.ipoll = poll.register, poll.modify, self.first
        self.wait = poll.ipoll
    def first(self, ms):
        gc.collect()
        print('heap', gc.mem_alloc() - before)
        self.ipoll = self.wait
        return self.wait(ms)
class Select:
    poll, POLLIN, POLLOUT, POLLERR, POLLHUP = Poll, select.POLLIN, select.POLLOUT, select.POLLERR, select.POLLHUP
sys.modules['select'] = Select
del sys.modules['firmware']
os.remove('/firmware.py')
gc.collect()
before = gc.mem_alloc()
from firmware import app
"""
# What MicroPython has on its heap before boot.py without any stand-in: its own, and the file system.
_BARE = """\
import gc
gc.collect()
start = gc.mem_alloc()
import vfs
class Device:
    def __init__(self):
        self.file = open({flash!r}, "r+b")
    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buffer)
    def ioctl(self, operation, argument):
        return {{4: {blocks}, 5: 4096}}.get(operation)
device = Device()
gc.collect()
before = gc.mem_alloc()
mounted = vfs.VfsLfs2(device)
gc.collect()
print(start + gc.mem_alloc() - before)
"""
# A command of one's own that tells the largest piece that is free; it takes some memory itself.
_LARGEST = """\
import gc
from firmware.at.command import command
@command("ATLARGEST")
class Largest:
    def execute(at):
        gc.collect()
        low, high = 0, gc.mem_free()
        while low < high:
            size = (low + high + 1) // 2
            try:
                bytearray(size)
                low = size
            except MemoryError:
                high = size - 1
        at.line("+LARGEST:%d", low)
"""
_LIMIT = 20
_ROOMY = "200K"
_FIGURES = Path(__file__).with_name("size_figures.json")
# How much of a figure it may grow by.
_TOLERANCE = 0.01
_LARGEST_LEFT = "largest free piece in the worst phase"
_LEAST_FREE = "least free that a collection found, in all phases"
# Where the pieces are is a matter of chance, and so is when memory is collected.
_BY_CHANCE = _LARGEST_LEFT, _LEAST_FREE
# A line of what is printed about the heap: bytes, and the name of the figure without what is said beside it.
_LINE = re.compile(r"^ *(\d+)  (.+?)(?: after the start; .*| \(.*\))?$", re.MULTILINE)


def main():
    """Entry point of `make size`."""
    parser = argparse.ArgumentParser(prog="size")
    parser.add_argument("--without", default="", help=f"leave out passes of the build: {', '.join(shrink.PASSES)}")
    parser.add_argument("--keep", action="store_true", help="these are the figures to compare with from now on")
    parser.add_argument("--against", metavar="REVISION", help="also those of another version, by its own tools")
    options = parser.parse_args()
    if options.without:
        # The simulator, which is a process of its own, builds the same.
        os.environ[shrink.WITHOUT] = options.without
    try:
        figures = {"image": _print_image()}
        figures |= _print_heap(str(micropython32.get()))
        if options.against:
            from . import against

            with against.unpacked(options.against) as other:
                _print_both(figures, other.name, of(other))
    except (BuildError, micropython32.Unavailable, ValueError) as error:
        sys.exit(f"size: {error}")
    if options.keep:
        _FIGURES.write_text(json.dumps(figures, indent=4) + "\n")
    elif not options.without:
        sys.exit(grown(json.loads(_FIGURES.read_text()), figures))


def grown(before, now):
    """A line for each figure that is worse than it was by more than the tolerance; None if there is none."""
    worse = []
    for name, figure in now.items():
        old = before.get(name, figure)
        if name not in _BY_CHANCE and figure - old > old * _TOLERANCE:
            worse.append(f"size: {name}: {figure}, it was {old}")
    return "\n".join(worse) or None


def of(version):
    """{name: bytes} of a Version of the firmware, by what `make size` prints there. ValueError if it prints none."""
    command = [sys.executable, "-m", "mpyat.size"]
    # Its status may tell that something has grown since its own figures.
    said = subprocess.run(command, env=version.environment, capture_output=True, text=True, check=False)
    figures = told(said.stdout)
    if len(figures) < 2:
        raise ValueError(f"{version.name} tells no figures: {said.stderr.strip()}")
    return figures


def told(text):
    """{name: bytes} of what `make size` has printed."""
    image, _, heap = text.partition("\nheap of ")
    found = re.search(r"image of the ESP8266: (\d+)", image)
    figures = {"image": int(found[1])} if found else {}
    return figures | {name: int(figure) for figure, name in _LINE.findall(heap)}


def _print_both(figures, other, others):
    print(f"\n   today  {other}")
    for name in {**figures, **others}:
        print(f"{figures.get(name, '-'):>8}  {others.get(name, '-'):>{len(other)}}  {name}")


def standins(program):
    """Bytes of the heap that the stand-ins take, which on a chip are in its ROM."""
    return _probed(program, _PROBE) - _own(program)


def _own(program):
    """Bytes that MicroPython takes before the firmware, on the chip, too."""
    with tempfile.TemporaryDirectory() as folder:
        flash = Path(folder, "flash.img")
        write_flash(flash, build("esp8266").files)
        bare = _BARE.format(flash=str(flash), blocks=flash.stat().st_size // 4096)
        said = subprocess.run([program, "-c", bare], capture_output=True, text=True, check=True).stdout
    return int(said) + _OWN_TABLES


def _probed(program, probe):
    """What a module says of the heap that main.py imports in place of the firmware."""
    with tempfile.TemporaryDirectory() as folder:
        flash, path = Path(folder, "flash.img"), Path(folder, "probe.py")
        path.write_text(probe)
        # What main.py imports is found there first.
        write_flash(flash, build("esp8266").files | {"/firmware.py": path})
        command = _simulator(program, _ROOMY, "--flash", flash)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            used = next((int(line.split()[1]) for line in process.stderr if line.startswith("heap ")), None)
            process.terminate()
    if used is None:
        raise BuildError("the simulator has ended before it told the heap")
    return used


def _simulator(program, heap, *options):
    command = [sys.executable, "-m", "mpyat.simulator", "--board", "esp8266", "--micropython", program]
    return [str(word) for word in (*command, "--heap", heap, *options)]


def _print_image():
    built = build("esp8266")
    print(f"image of the ESP8266: {built.rom.stat().st_size} bytes\n")
    sizes = [((built.folder / "rom" / path).stat().st_size, name) for path, name in built.modules().items()]
    for size, name in sorted(sizes, reverse=True):
        print(f"{size:8d}  {name}")
    return built.rom.stat().st_size


def _print_heap(program):
    extra = standins(program)
    print(f"\nheap of {HEAP} bytes; the {extra} of the stand-ins are not counted\n")
    own = _own(program)
    figures = {"idle": own + _probed(program, _IDLE_PROBE)}
    print(f"{figures['idle']:8d}  idle after the start; MicroPython's own are {own} of them")
    with _Module(program) as module, _Peers() as peers:
        for phase in _phases(module, peers):
            figures[phase] = module.used() - extra
            print(f"{figures[phase]:8d}  {phase}")
    worst = max(figures, key=figures.get)
    with tempfile.TemporaryDirectory() as folder, _Peers() as peers:
        Path(folder, "largest.py").write_text(_LARGEST)
        # As on the chip: commands that are not in use are dropped.
        with _Module(program, HEAP + extra, "--commands", folder) as module:
            for phase in _phases(module, peers):
                if phase == worst:
                    figures[_LARGEST_LEFT] = int(module.send("ATLARGEST", r"\+LARGEST:(\d+)\r\n\r\nOK\r\n")[1])
            figures[_LEAST_FREE] = int(module.send("AT+SYSRAM?", r"\+SYSRAM:\d+,(\d+)\r\n\r\nOK\r\n")[1])
    print(f"{figures[_LARGEST_LEFT]:8d}  {_LARGEST_LEFT} ({worst})")
    print(f"{figures[_LEAST_FREE]:8d}  {_LEAST_FREE}")
    return figures


def _phases(module, peers):
    """Brings the module from one state to the next, and yields what it has come to."""
    yield "with the commands that tell the figures"
    module.command('AT+CWJAP="mpy-at","12345678"')
    yield "joined a network"
    module.command("AT+CIPMUX=1")
    yield "TCP/IP: links"
    for number in range(4):
        module.command(f'AT+CIPSTART={number},"TCP","127.0.0.1",{peers.port}')
    module.command(f'AT+CIPSTART=4,"UDP","127.0.0.1",{peers.port}')
    yield "five links, one of them UDP"
    module.send("AT+CIPSEND=0,5", r">$")
    module.send("hello", r"SEND OK\r\n")
    yield "TCP/IP: sending"
    module.command("AT+CIPRECVMODE=1")
    yield "TCP/IP: receiving, passive mode"
    module.command('AT+CIPDOMAIN="localhost"')
    yield "TCP/IP: names"
    module.command("AT+CIPSERVER?")
    yield "TCP/IP: server"
    module.command("AT+CIPCLOSE=5")
    module.command("AT+CIPSNTPTIME?")
    yield "TCP/IP: clock; the links are closed"
    module.command("AT+CIPRECVMODE=0")
    module.command("AT+CIPMUX=0")
    module.command("AT+CIPMODE=1")
    module.command(f'AT+CIPSTART="TCP","127.0.0.1",{peers.port}')
    module.send("AT+CIPSEND", r">$")
    time.sleep(0.1)  # the silence around +++
    module.send("+++", None, "")
    time.sleep(0.1)
    yield "passthrough, just left"


class _Peers:
    """A server that accepts whoever comes, and keeps silent."""

    def __enter__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        return self

    def __exit__(self, *_):
        self._server.close()


class _Module:
    """The firmware in the simulator, usually with so much heap that no command is ever dropped."""

    def __init__(self, program, heap=_ROOMY, *options):
        self._total = int(_run(program, "import gc; gc.collect(); print(gc.mem_free() + gc.mem_alloc())"))
        self._process = subprocess.Popen(_simulator(program, heap, *options), stdout=subprocess.PIPE, text=True)
        path = self._process.stdout.readline().split()[-1]
        self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._fd)

    def __enter__(self):
        self.send("", r"ready\r\n", "")
        self.command("ATE0")
        return self

    def __exit__(self, *_):
        os.close(self._fd)
        self._process.terminate()
        self._process.communicate()

    def used(self):
        return self._total - int(self.send("AT+SYSRAM?", r"\+SYSRAM:(\d+),\d+\r\n\r\nOK\r\n")[1])

    def command(self, line):
        if self.send(line, r"\r\n(OK|ERROR)\r\n")[1] != "OK":
            raise BuildError(f"{line} is an ERROR")

    def send(self, line, wanted, end="\r\n"):
        """Sends a line, and waits until the answer matches `wanted`."""
        os.write(self._fd, (line + end).encode())
        text = ""
        while wanted:
            found = re.search(wanted, text)
            if found:
                return found
            if not select.select([self._fd], [], [], _LIMIT)[0]:
                raise BuildError(f"{line} is not answered, but for {text!r}")
            with contextlib.suppress(BlockingIOError):
                text += os.read(self._fd, 4096).decode(errors="replace")
        return None


def _run(program, code):
    command = [program, "-X", f"heapsize={_ROOMY}", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    main()
