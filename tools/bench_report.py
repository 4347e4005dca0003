"""What `make bench` prints: tables with ratios, the budgets, and what the figures mean for a chip."""

from rich.table import Table

from . import bench_measure as measure
from .bench_subjects import Bare, Firmware, Socat

BAUDS = (115200, 921600, 3000000)
# A piece of heap has at least so many bytes; what is less for each chunk is not the chunk's, but comes with the time.
_PIECE = 16
# The budgets: the most that the firmware may take, the least that it must carry, of what is named.
_CHUNK_BUDGET, _STREAM_BUDGET, _COMMAND_BUDGET, _START_BUDGET = 2.0, 0.9, 4.0, 1.5
# What the line carries for one AT without echo, and for one chunk.
_AT, _CHUNK = len("AT\r\n\r\nOK\r\n"), 256


def tables(results):
    for kind in measure.KINDS:
        for direction in measure.DIRECTIONS:
            if direction in results[kind][Firmware.name]:
                yield _passthrough(
                    f"{kind}, {direction}", {who: all_[direction] for who, all_ in results[kind].items()}
                )
    yield _at_port(results)
    yield _for_a_chip(results)
    table = Table(title="budgets", title_justify="left")
    for column in ("what", "budget", "measured", ""):
        table.add_column(column)
    for name, budget, measured, met in budgets(results):
        table.add_row(name, budget, f"{measured:.2f}", "met" if met else "[bold]missed[/bold]")
    yield table


def _at_port(results):
    table = Table(title=f"the AT port of {Firmware.name}", title_justify="left")
    for column in ("what", "user us", "us", "user us, times bare"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name, figure in results.items():
        if isinstance(figure, dict) and "user_us" in figure:
            bare = results.get(f"{name}, bare loop")
            ratio = f"{figure['user_us'] / bare['user_us']:.1f}" if bare else ""
            table.add_row(name, f"{figure['user_us']:.1f}", f"{figure['us']:.1f}", ratio)
        elif isinstance(figure, float):
            table.add_row(name, "", f"{figure:,.3g}" if figure < 1000 else f"{figure:,.0f}")
    return table


def budgets(results):
    """Rows of (what, budget as text, measured, whether it is met)."""
    passthrough = results["passthrough"]
    ours, bare = passthrough[Firmware.name], passthrough[Bare.name]
    for direction in ("up", "down"):
        ratio = ours[direction][256]["user_us"] / bare[direction][256]["user_us"]
        yield f"CPU for 256 bytes {direction}, times bare", f"<= {_CHUNK_BUDGET}", ratio, ratio <= _CHUNK_BUDGET
    if Socat.name in passthrough:
        largest = measure.SIZES[-1]
        for direction in ("up", "down"):
            rates = [passthrough[name][direction][largest]["bytes_per_s"] for name in (Firmware.name, Socat.name)]
            ratio = rates[0] / rates[1]
            yield f"throughput {direction}, times socat's", f">= {_STREAM_BUDGET}", ratio, ratio >= _STREAM_BUDGET
    ratio = results["AT"]["user_us"] / results["AT, bare loop"]["user_us"]
    yield "CPU for AT, times bare", f"<= {_COMMAND_BUDGET}", ratio, ratio <= _COMMAND_BUDGET
    ratio = results["start, s"] / results["start of MicroPython, s"]
    yield "start, times bare", f"<= {_START_BUDGET}", ratio, ratio <= _START_BUDGET
    for direction in ("up", "down"):
        count = results[f"heap bytes for a chunk {direction}"]
        yield f"heap for a chunk {direction}, bytes", "0", count, count < _PIECE


def _passthrough(what, subjects):
    """A table of {subject: {size: figures}}."""
    table = Table(title=f"{what}: MB/s in full flow, user us for a chunk", title_justify="left")
    table.add_column("bytes")
    for name in subjects:
        table.add_column(name, justify="right")
    table.add_column("us, times bare", justify="right")
    for size in measure.SIZES:
        row = [str(size)]
        for figures in subjects.values():
            row.append(f"{figures[size]['bytes_per_s'] / 1e6:.1f} MB/s\n{figures[size]['user_us']:.2f} us")
        ratio = subjects[Firmware.name][size]["user_us"] / subjects[Bare.name][size]["user_us"]
        table.add_row(*row, f"{ratio:.1f}")
    return table


def _for_a_chip(results):
    """What the CPU times mean for a chip, of which only the line's speed is known here."""
    title = "for a chip: us on the line, and how many times slower than this CPU a chip may be to keep up with that"
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("user us here", justify="right")
    for baud in BAUDS:
        table.add_column(f"{baud} baud", justify="right")
    rows = [("AT and its OK", _AT, results["AT"])]
    for kind in measure.KINDS:
        for direction in ("up", "down"):
            figures = results[kind][Firmware.name][direction]
            rows.append((f"{_CHUNK} bytes in {kind}, {direction}", _CHUNK, figures[_CHUNK]))
    for what, count, figure in rows:
        times = [count * 10 / baud * 1e6 for baud in BAUDS]
        cells = [f"{wire:.0f} us, {wire / figure['user_us']:.0f} times" for wire in times]
        table.add_row(what, f"{figure['user_us']:.1f}", *cells)
    return table
