"""`make bench`: what the firmware costs beside other ways to do the same, measured in one run on one machine.
Prints tables with ratios and what they mean for a chip, and writes them as JSON and as a picture."""

import argparse
import contextlib
import itertools
import json
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from . import bench_measure as measure
from .bench_cpu import sampled
from .bench_report import tables
from .bench_subjects import Bare, BenchError, Firmware, Redirect, Socat, TLSBare, TLSFirmware, TLSSocat

# A command of the bench's own on the module's flash. From the first time on nothing is collected.
_COMMAND = '''\
import gc
from firmware.at.command import command


@command("AT+BENCHMEM")
class Memory:
    """Bytes of the heap that are in use, garbage included."""

    def query(at):
        gc.disable()
        at.line("+BENCHMEM:%d", gc.mem_alloc())
'''
# So many chunks are looked at for what they take of the heap.
_CHUNKS = 2000
_TICKS = """\
The CPU times are the kernel's, which counts in ticks, and rough: this machine does not let a program look closer.
It does after: sudo sysctl kernel.perf_event_paranoid=2; without that, make bench BENCH="--seconds 20" helps."""


class _AtPort(Firmware):
    """The firmware at its AT port, joined and without a link."""

    def open(self, port):
        self.start()


class _TLSAtPort(_AtPort):
    tls = True


def main():
    """Entry point: returns 0, or 1 when something could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", default=Path("build/bench.json"))
    parser.add_argument("--plot", type=Path, metavar="FILE", default=Path("build/bench.png"))
    options = parser.parse_args()
    if options.seconds <= 0:
        parser.error("--seconds must be more than 0")
    console = Console()
    try:
        results = _measure(options.seconds)
    except (BenchError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    for table in tables(results):
        console.print(table)
    if not sampled():
        console.print(_TICKS)
    if not Socat.there():
        console.print("socat is not installed, so nothing is compared with it: apt-get install socat")
    for path in (options.json, options.plot):
        path.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(results, indent=1) + "\n")
    from .bench_plot import plot

    plot(results, options.plot)
    console.print(f"written: {options.json} {options.plot}")
    return 0


def _measure(seconds):
    """All figures: {"passthrough": {subject: {direction: {size: {...}}}}, "AT": {...}, ...}."""
    socat = Socat.there()
    kinds = {
        measure.PLAIN: [Firmware, Bare, *([Socat] if socat else []), Redirect],
        measure.TLS: [TLSFirmware, TLSBare, *([TLSSocat] if socat else [])],
    }
    cpu = "sampled" if sampled() else "the kernel's ticks"
    results = {"machine": f"{platform.machine()}, {platform.system()} {platform.release()}", "user CPU": cpu}
    singles = _singles(seconds)
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True)
    )
    with progress:
        steps = sum(len(measure.DIRECTIONS_OF[kind]) for kind in kinds) * len(measure.SIZES) + len(singles)
        task = progress.add_task("", total=steps)

        def begins(what):
            progress.update(task, description=what)
            progress.advance(task)

        for kind, classes in kinds.items():
            results[kind] = _side_by_side(kind, classes, seconds, begins)
        for names, run in singles.items():
            begins(names[0])
            found = run()
            results.update(zip(names, found, strict=True) if len(names) > 1 else {names[0]: found})
    return results


def _side_by_side(kind, classes, seconds, begins):
    """{subject: {direction: {size: figures}}}. All subjects are there at the same time, and take turns."""
    found = {}
    with contextlib.ExitStack() as stack:
        subjects = {each.name: stack.enter_context(each()) for each in classes}
        for direction, size in itertools.product(measure.DIRECTIONS_OF[kind], measure.SIZES):
            begins(f"{kind}, {direction}, {size} bytes")
            figures = measure.chunks(subjects, direction, size, seconds)
            rates = measure.streams(subjects, direction, size, seconds)
            for name in subjects:
                figures[name]["bytes_per_s"] = rates[name]
                found.setdefault(name, {}).setdefault(direction, {})[size] = figures[name]
    return found


def _singles(seconds):
    """{names of what it measures: function}."""

    def at(run, *arguments):
        def measured():
            with _AtPort() as subject:
                return run(subject, *arguments, seconds)

        return measured

    return {
        ("AT", "AT, bare loop"): lambda: _beside_bare(_AtPort, "lines.py", seconds),
        ("TLS link opened and closed", "TLS link opened and closed, bare loop"): lambda: _beside_bare(
            _TLSAtPort, "handshake.py", seconds
        ),
        ("CIPSEND of 2048 bytes",): at(measure.blocks),
        ("+IPD of 256 bytes",): at(measure.reports, 256),
        ("+IPD of 1460 bytes",): at(measure.reports, 1460),
        ("five links, bytes/s",): at(measure.five_links),
        ("clients of the server/s",): at(measure.accepts),
        ("start, s",): _start,
        ("start of MicroPython, s",): measure.start,
        ("heap bytes for a chunk up",): lambda: _allocated(measure.up),
        ("heap bytes for a chunk down",): lambda: _allocated(measure.down),
    }


def _beside_bare(kind, script, seconds):
    """Figures of the firmware at its AT port, and of a bare loop that does the same."""
    with kind() as subject, (TLSBare if kind.tls else Bare)(script) as bare:
        return (measure.handshakes if kind.tls else measure.commands)(subject, bare, seconds)


def _start():
    with tempfile.TemporaryDirectory() as folder:
        return measure.start(Path(folder, "control"))


def _allocated(direction, size=256):
    """Bytes of the heap that a chunk in passthrough takes, between two looks from the AT port."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bench.py").write_text(_COMMAND)
        # Nothing is collected meanwhile; the longer a busy machine takes, the more garbage is there beside the chunks.
        with Firmware("--commands", folder, "--heap", "4M") as subject:
            taken = []
            for chunks in (0, _CHUNKS):
                measure.leave(subject)
                before = subject.allocated()
                subject.terminal.command("AT+CIPSEND", b">")
                for _ in range(chunks):
                    direction(subject, bytes(size))
                measure.leave(subject)
                taken.append(subject.allocated() - before)
                subject.terminal.command("AT+CIPSEND", b">")
    return (taken[1] - taken[0]) / _CHUNKS


if __name__ == "__main__":
    sys.exit(main())
