"""`make bench`: what the firmware costs beside other ways to do the same, measured in one run on one machine.
Prints tables with ratios and what they mean for a chip, and writes them as JSON and as a picture."""

import argparse
import itertools
import json
import platform
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from . import bench_measure as measure
from .bench_subjects import Bare, BenchError, Firmware, Redirect, Socat

BAUDS = (115200, 921600, 3000000)
# So often each thing that is compared is measured.
_ROUNDS = 3
# A piece of heap has at least so many bytes; what is less for each chunk is not the chunk's, but comes with the time.
_PIECE = 16
# The budgets: the most that the firmware may take, the least that it must carry, of what is named.
_CHUNK_BUDGET, _STREAM_BUDGET, _COMMAND_BUDGET, _START_BUDGET = 2.0, 0.9, 4.0, 1.5
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


class _AtPort(Firmware):
    """The firmware at its AT port, joined and without a link."""

    def open(self, port):
        self.start()


def main():
    """Entry point: returns 0, or 1 when something could not be measured."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.5, help="for each figure (default: 0.5)")
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
    for table in _tables(results):
        console.print(table)
    console.print(_for_a_chip(results))
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
    """All figures: {"passthrough": {subject: {direction: {size: {...}}}}, "firmware": {...}, ...}."""
    subjects = [Firmware, Bare, *([Socat] if Socat.there() else []), Redirect]
    singles = _singles(seconds)
    progress = Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True)
    )
    steps = _ROUNDS * len(subjects) * len(measure.DIRECTIONS) * len(measure.SIZES) + len(singles)
    results = {"machine": f"{platform.machine()}, {platform.system()} {platform.release()}", "passthrough": {}}
    with progress:
        task = progress.add_task("", total=steps)
        # What is compared runs one after the other, several times, as no machine is equally fast all the time.
        for direction, size, kind in itertools.product(measure.DIRECTIONS, measure.SIZES, subjects * _ROUNDS):
            progress.update(task, description=f"{kind.name}, {direction}, {size} bytes")
            with kind() as subject:
                figures = measure.chunks(subject, direction, size, seconds)
                figures["bytes_per_s"] = measure.stream(subject, direction, size, seconds)
            sizes = results["passthrough"].setdefault(kind.name, {}).setdefault(direction, {})
            sizes[size] = _better(sizes.get(size, figures), figures)
            progress.advance(task)
        for name, run in singles.items():
            progress.update(task, description=name)
            results[name] = run()
            progress.advance(task)
    return results


def _better(one, other):
    """The least time and the highest rate of two measurements: what disturbs the machine only ever adds."""
    return {
        "user_us": min(one["user_us"], other["user_us"]),
        "us": min(one["us"], other["us"]),
        "bytes_per_s": max(one["bytes_per_s"], other["bytes_per_s"]),
    }


def _singles(seconds):
    def at(kind, run, *arguments):
        def measured():
            with kind() as subject:
                return run(subject, *arguments, seconds)

        return measured

    def least(run):
        def measured():
            found = [run() for _ in range(_ROUNDS)]
            return min(found, key=lambda figure: figure["user_us"])

        return measured

    return {
        "AT": least(at(_AtPort, measure.command)),
        "AT, bare loop": least(at(lambda: Bare("lines.py"), measure.command)),
        "CIPSEND of 2048 bytes": at(_AtPort, measure.blocks),
        "+IPD of 256 bytes": at(_AtPort, measure.reports, 256),
        "+IPD of 1460 bytes": at(_AtPort, measure.reports, 1460),
        "five links, bytes/s": at(_AtPort, measure.five_links),
        "clients of the server/s": at(_AtPort, measure.accepts),
        "start, s": _start,
        "start of MicroPython, s": measure.start,
        "heap bytes for a chunk up": lambda: _allocated(measure.up),
        "heap bytes for a chunk down": lambda: _allocated(measure.down),
    }


def _start():
    with tempfile.TemporaryDirectory() as folder:
        return measure.start(Path(folder, "control"))


def _allocated(direction, size=256, count=2000):
    """Bytes of the heap that a chunk in passthrough takes, between two looks from the AT port."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "bench.py").write_text(_COMMAND)
        with Firmware("--commands", folder) as subject:
            taken = []
            for chunks in (0, count):
                measure.leave(subject)
                before = subject.allocated()
                subject.terminal.command("AT+CIPSEND", b">")
                for _ in range(chunks):
                    direction(subject, bytes(size))
                measure.leave(subject)
                taken.append(subject.allocated() - before)
                subject.terminal.command("AT+CIPSEND", b">")
    return (taken[1] - taken[0]) / count


def _tables(results):
    passthrough = results["passthrough"]
    bare = passthrough[Bare.name]
    for direction in measure.DIRECTIONS:
        table = Table(title=f"passthrough, {direction}: MB/s in full flow, user us for a chunk", title_justify="left")
        table.add_column("bytes")
        for name in passthrough:
            table.add_column(name, justify="right")
        table.add_column("us, times bare", justify="right")
        for size in measure.SIZES:
            row = [str(size)]
            for figures in passthrough.values():
                figure = figures[direction][size]
                row.append(f"{figure['bytes_per_s'] / 1e6:.1f} MB/s\n{figure['user_us']:.2f} us")
            ratio = passthrough[Firmware.name][direction][size]["user_us"] / bare[direction][size]["user_us"]
            table.add_row(*row, f"{ratio:.1f}")
        yield table
    table = Table(title=f"the AT port of {Firmware.name}", title_justify="left")
    for column in ("what", "user us", "us"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, figure in results.items():
        if isinstance(figure, dict) and "user_us" in figure:
            table.add_row(name, f"{figure['user_us']:.1f}", f"{figure['us']:.1f}")
        elif isinstance(figure, float):
            table.add_row(name, "", f"{figure:,.3g}" if figure < 1000 else f"{figure:,.0f}")
    yield table
    table = Table(title="budgets", title_justify="left")
    for column in ("what", "budget", "measured", ""):
        table.add_column(column)
    for name, budget, measured, met in budgets(results):
        table.add_row(name, budget, f"{measured:.2f}", "met" if met else "[bold]missed[/bold]")
    yield table


def budgets(results):
    """Rows of (what, budget as text, measured, whether it is met)."""
    passthrough = results["passthrough"]
    ours, bare = passthrough[Firmware.name], passthrough[Bare.name]
    for direction in ("up", "down"):
        ratio = ours[direction][256]["user_us"] / bare[direction][256]["user_us"]
        yield f"CPU for 256 bytes {direction}, times bare", f"<= {_CHUNK_BUDGET}", ratio, ratio <= _CHUNK_BUDGET
    if Socat.name in passthrough:
        for direction in ("up", "down"):
            ratio = ours[direction][2920]["bytes_per_s"] / passthrough[Socat.name][direction][2920]["bytes_per_s"]
            yield f"throughput {direction}, times socat's", f">= {_STREAM_BUDGET}", ratio, ratio >= _STREAM_BUDGET
    ratio = results["AT"]["user_us"] / results["AT, bare loop"]["user_us"]
    yield "CPU for AT, times bare", f"<= {_COMMAND_BUDGET}", ratio, ratio <= _COMMAND_BUDGET
    ratio = results["start, s"] / results["start of MicroPython, s"]
    yield "start, times bare", f"<= {_START_BUDGET}", ratio, ratio <= _START_BUDGET
    for direction in ("up", "down"):
        count = results[f"heap bytes for a chunk {direction}"]
        yield f"heap for a chunk {direction}, bytes", "0", count, count < _PIECE


def _for_a_chip(results):
    """What the CPU times mean for a chip, of which only the line's speed is known here."""
    ours = results["passthrough"][Firmware.name]["up"]
    lines = ["A chunk of 256 bytes in passthrough, to the network:"]
    for baud in BAUDS:
        wire = 256 * 10 / baud * 1e6
        lines.append(
            f"  at {baud} baud it takes {wire:.0f} us on the line, and {ours[256]['user_us']:.1f} us of this CPU: "
            f"a chip that is up to {wire / ours[256]['user_us']:.0f} times slower keeps up with the line."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
