"""How many instructions the firmware takes for one thing, on a MicroPython for 32 bits under Valgrind: a figure that no
other work of the machine changes, and the nearest to what a chip does that a PC can tell."""

import functools
import re
import subprocess
import tempfile
import time
from pathlib import Path

from . import bench_measure as measure
from . import micropython32
from .bench_boards import AT, BOARDS, DOWN, IPD, SEND, SIZE, UP
from .bench_subjects import LIMIT, ATPort, Bare, BenchError, Firmware

_TOTAL = re.compile(r"I\s+refs:\s+([\d,]+)")
# Each is done so often before, for what happens only the first times, and so often more for the figure.
_BEFORE, _MORE = 20, 300
_AT_PORT = {
    AT: measure.at,
    SEND: functools.partial(measure.block, size=SIZE),
    IPD: functools.partial(measure.report, size=SIZE),
}
_THROUGH = {
    UP: functools.partial(measure.up, data=bytes(SIZE)),
    DOWN: functools.partial(measure.down, data=bytes(SIZE)),
}
# There the firmware is not on the heap of the ESP32's simulator, as it is here.
_ESP32 = "--board", "esp32", "--heap", "200K"
# Runs for one version and one board, and for the bare loop.
RUNS, BARE_RUNS = len(_AT_PORT) + len(_THROUGH) + 2, len(_THROUGH) + 1


def counted(versions, begins):
    """{board: {what: {name: instructions}}}; micropython32.Unavailable. begins() is told each run."""
    program = str(micropython32.counter())
    found = {}
    bare = _each(_THROUGH, functools.partial(Bare, micropython=program), lambda: begins(f"instructions, {Bare.name}"))
    for board in BOARDS:
        found[board] = {what: {} for what in (*_AT_PORT, *_THROUGH)}
        for version in versions:
            if board == "ESP8266":
                options = ["--micropython", program, *version.small(micropython=False)]
            else:
                options = ["--micropython", program, *_ESP32]

            def begin(what=f"instructions, {board}, {version.name}"):
                begins(what)

            for steps, kind in ((_AT_PORT, ATPort), (_THROUGH, Firmware)):
                made = functools.partial(kind, *options, version=version)
                for what, count in _each(steps, made, begin).items():
                    found[board][what][version.name] = count
        for what, count in bare.items():
            found[board][what][Bare.name] = count
    return found


def _each(steps, make, begin):
    """{name: step} -> {name: instructions of one}: what a run takes in which it is done more often than the others."""
    begin()
    least = _run(make, steps, "")
    found = {}
    for name in steps:
        begin()
        found[name] = round((_run(make, steps, name) - least) / _MORE)
    return found


def _run(make, steps, more):
    """All instructions of a run with each of the steps, and with more of one of them."""
    subject = make()
    with tempfile.TemporaryDirectory() as folder:
        subject.environment["INSTRUCTIONS"] = f"{folder}/log"
        subject.errors = subprocess.DEVNULL  # that the chip ends, which it shall
        with subject:
            if type(subject) is ATPort:
                subject.sock = measure.connect(subject)
            for name, step in steps.items():
                for _ in range(_BEFORE + (_MORE if name == more else 0)):
                    step(subject)
            return _total(Path(f"{folder}/log.{subject.end()}"))


def _total(path):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = _TOTAL.search(path.read_text())
        if found:
            return int(found[1].replace(",", ""))
        time.sleep(0.01)
    raise BenchError("Valgrind has counted nothing")
