"""`make bench`: what the firmware costs beside other ways to do the same, measured in one run on one machine.
Prints tables with ratios and what they mean for a chip, and writes them as JSON and as a picture."""

import argparse
import contextlib
import functools
import itertools
import json
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from . import against, bench_boards, bench_count, micropython32, size
from . import bench_measure as measure
from .bench_cpu import sampled
from .bench_report import markdown, tables
from .bench_subjects import (
    ATPort,
    Bare,
    BenchError,
    Firmware,
    Redirect,
    Socat,
    TLSATPort,
    TLSBare,
    TLSFirmware,
    TLSSocat,
)

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


def main():
    """Entry point: returns 0, or 1 when something could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure (default: 1)")
    parser.add_argument(
        "--against", metavar="REVISION", help="also run another version of this repository, such as a tag"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", default=Path("build/bench.json"))
    parser.add_argument("--plot", type=Path, metavar="FILE", default=Path("build/bench.png"))
    parser.add_argument(
        "--markdown",
        action="store_true",
        help="measure nothing, but print the tables of the last run for docs/figures.md",
    )
    options = parser.parse_args()
    if options.seconds <= 0:
        parser.error("--seconds must be more than 0")
    console = Console()
    try:
        results = _read(options.json) if options.markdown else _run(options)
    except (BenchError, against.VersionError, OSError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if options.markdown:
        print("\n\n".join(map(markdown, tables(results))))
        return 0
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


def _read(path):
    """The results that were written, with the sizes of chunks as the numbers that they were."""
    return json.loads(
        path.read_text(), object_hook=lambda found: {int(k) if k.isdigit() else k: value for k, value in found.items()}
    )


def _run(options):
    if not options.against:
        return _measure(options.seconds)
    with against.unpacked(options.against) as other:
        return _measure(options.seconds, other)


def _measure(seconds, *others):
    """All figures: {"passthrough": {subject: {direction: {size: {...}}}}, "boards": {...}, "TLS link ...": {...}, ...}.
    `others` are further versions."""
    versions = [against.TODAY, *others]
    socat = Socat.there()
    kinds = {
        measure.PLAIN: [*_each(Firmware, versions), Bare, *([Socat] if socat else []), Redirect],
        measure.TLS: [*_each(TLSFirmware, versions), TLSBare, *([TLSSocat] if socat else [])],
    }
    cpu = "sampled" if sampled() else "the kernel's ticks"
    results = {"machine": f"{platform.machine()}, {platform.system()} {platform.release()}", "user CPU": cpu}
    singles = _singles(seconds)
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True)
    )
    with progress:
        steps = sum(len(measure.DIRECTIONS_OF[kind]) for kind in kinds) * len(measure.SIZES) + len(singles)
        steps += len(bench_boards.BOARDS) * bench_boards.STEPS + len(versions)
        steps += bench_count.RUNS * len(bench_boards.BOARDS) * len(versions) + bench_count.BARE_RUNS
        task = progress.add_task("", total=steps)

        def begins(what):
            progress.update(task, description=what)
            progress.advance(task)

        results["boards"] = {
            board: bench_boards.tried(board, versions, seconds, begins) for board in bench_boards.BOARDS
        }
        results["instructions"] = _tried(lambda: bench_count.counted(versions, begins))
        results["heap"] = _tried(lambda: _heap(versions, begins))
        for kind, classes in kinds.items():
            results[kind] = _side_by_side(kind, classes, seconds, begins)
        for names, run in singles.items():
            begins(names[0])
            found = run()
            results.update(zip(names, found, strict=True) if len(names) > 1 else {names[0]: found})
    return results


def _each(kind, versions):
    return [functools.partial(kind, version=version) for version in versions]


def _tried(run):
    """What that returns, or a line that says why there is nothing."""
    try:
        return run()
    except (micropython32.Unavailable, against.VersionError, BenchError, ValueError) as error:
        return str(error)


def _heap(versions, begins):
    """{name of the version: figures of `make size`}."""
    found = {}
    for version in versions:
        begins(f"heap, {version.name}")
        found[version.name] = size.of(version)
    return found


def _side_by_side(kind, classes, seconds, begins):
    """{subject: {direction: {size: figures}}}. All subjects are there at the same time, and take turns."""
    found = {}
    with contextlib.ExitStack() as stack:
        entered = [stack.enter_context(each()) for each in classes]
        subjects = {subject.name: subject for subject in entered}
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
            with ATPort() as subject:
                return run(subject, *arguments, seconds)

        return measured

    def linked(run, size):
        def measured():
            with ATPort() as subject:
                subject.sock = measure.connect(subject)
                return run({subject.name: subject}, size, seconds)[subject.name]

        return measured

    return {
        ("TLS link opened and closed", "TLS link opened and closed, bare loop"): lambda: _handshakes(seconds),
        ("CIPSEND of 2048 bytes",): linked(measure.blocks, 2048),
        ("+IPD of 1460 bytes",): linked(measure.reports, 1460),
        ("five links, bytes/s",): at(measure.five_links),
        ("clients of the server/s",): at(measure.accepts),
        ("heap bytes for a chunk up",): lambda: _allocated(measure.up),
        ("heap bytes for a chunk down",): lambda: _allocated(measure.down),
    }


def _handshakes(seconds):
    """Figures of the firmware at its AT port, and of a bare loop that does the same."""
    with TLSATPort() as subject, TLSBare("handshake.py") as bare:
        found = measure.handshakes(subject, bare, seconds)
        return found[subject.name], found[bare.name]


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
