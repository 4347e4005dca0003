"""The part of `make bench` that runs the builds of both boards: this version, another one if there is one, and a bare
loop on the same MicroPython, in turns."""

import contextlib
import tempfile
from pathlib import Path

from . import bench_measure as measure
from . import micropython32
from .bench_subjects import ATPort, Bare, BenchError, Firmware, TLSBare, TLSFirmware

SIZE = 256
AT, SEND, IPD = "AT", f"CIPSEND of {SIZE} bytes", f"+IPD of {SIZE} bytes"
UP, DOWN, TLS_DOWN = (f"{SIZE} bytes {how}" for how in ("up", "down", "down over TLS"))
START = "start"
STEPS = 7
BOARDS = "ESP32", "ESP8266"


def figures(board, versions, seconds, begins):
    """{what: {name: figures}} of the build for a board; micropython32.Unavailable, where that is needed and not there.
    The start is in seconds of the clock, as {name: {"s"}}. begins() is told each step."""
    micropython = str(micropython32.get()) if board == "ESP8266" else None
    options = {version: version.small() if micropython else () for version in versions}
    found = {}

    def step(what):
        begins(f"{board}, {what}")
        return what

    def there(stack, kind, *bare):
        subjects = [kind(*options[version], version=version) for version in versions]
        if bare:
            subjects.append(bare[0](*bare[1:], micropython=micropython))
        return {subject.name: stack.enter_context(subject) for subject in subjects}

    with contextlib.ExitStack() as stack:
        found[step(AT)] = measure.commands(there(stack, ATPort, Bare, "lines.py"), seconds)
    with contextlib.ExitStack() as stack:
        subjects = there(stack, ATPort)
        for subject in subjects.values():
            subject.sock = measure.connect(subject)
        found[step(SEND)] = measure.blocks(subjects, SIZE, seconds)
        found[step(IPD)] = measure.reports(subjects, SIZE, seconds)
    with contextlib.ExitStack() as stack:
        subjects = there(stack, Firmware, Bare)
        found[step(UP)] = measure.chunks(subjects, "up", SIZE, seconds)
        found[step(DOWN)] = measure.chunks(subjects, "down", SIZE, seconds)
    step(TLS_DOWN)
    if not micropython:
        # The ESP8266 has another TLS, axTLS, of which there is only a stand-in.
        with contextlib.ExitStack() as stack:
            found[TLS_DOWN] = measure.chunks(there(stack, TLSFirmware, TLSBare), "down", SIZE, seconds)
    step(START)
    found[START] = _starts(options, micropython)
    return found


def _starts(options, micropython):
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        firmware = {}
        for number, (version, given) in enumerate(options.items()):
            control = Path(folder, str(number))
            subject = stack.enter_context(ATPort(*given, "--control", control, version=version))
            firmware[version.name] = subject, control
        return {name: {"s": least} for name, least in measure.starts(firmware, micropython).items()}


def tried(board, versions, seconds, begins):
    """As figures(), or a line that says why there are none."""
    try:
        return figures(board, versions, seconds, begins)
    except (micropython32.Unavailable, BenchError) as error:
        return f"{board} was not measured: {error}"
