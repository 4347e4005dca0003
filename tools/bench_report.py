"""What `make bench` prints: tables with ratios, the budgets, and what the figures mean for a chip."""

import itertools

from rich.table import Table

from . import bench_measure as measure
from .bench_boards import AT, DOWN, IPD, SEND, SIZE, START, TLS_DOWN, UP
from .bench_subjects import Bare, Firmware, Socat
from .size import HEAP

BAUDS = (115200, 921600, 3000000)
# A piece of heap has at least so many bytes; what is less for each chunk is not the chunk's, but comes with the time.
_PIECE = 16
# The budgets: the most that the firmware may take of what another version takes, or a bare loop; the least that it must
# carry of what socat does; bytes of the ESP8266's heap and image.
_OF_ANOTHER = {AT: 0.40, SEND: 0.75, IPD: 0.75}
_OF_BARE = {UP: 1.5, DOWN: 1.6, TLS_DOWN: 1.2, START: 1.3}
_OF_SOCAT = 0.9
_IDLE, _WORST, _LARGEST, _IMAGE = 17408, 32768, 2048, 92000
# Bytes on the line for each of them, command and answers, without echo.
_LINE = {
    AT: len("AT\r\n\r\nOK\r\n"),
    SEND: len("AT+CIPSEND=256\r\n\r\nOK\r\n\r\n>\r\nRecv 256 bytes\r\n\r\nSEND OK\r\n") + SIZE,
    IPD: len("\r\n+IPD,256:") + SIZE,
    UP: SIZE,
    DOWN: SIZE,
}
# MHz that the chips start with. How many cycles an instruction takes there nobody has measured here.
_MHZ = {"ESP32": 160, "ESP8266": 80}
_CYCLES = 2


def tables(results):
    for kind in measure.KINDS:
        for direction in measure.DIRECTIONS:
            if direction in results[kind][Firmware.name]:
                yield _passthrough(
                    f"{kind}, {direction}", {who: all_[direction] for who, all_ in results[kind].items()}
                )
    yield _at_port(results)
    for board, found in results["boards"].items():
        if isinstance(found, str):
            yield _table(found)
        else:
            yield _side_by_side(f"the build for the {board}: user us, for the start s", found, "user_us")
    counted = results["instructions"]
    if isinstance(counted, str):
        yield _table(f"instructions were not counted: {counted}")
        yield _slower(results)
    else:
        for board, found in counted.items():
            yield _side_by_side(f"the build for the {board} on a MicroPython for 32 bits: instructions", found)
        yield _for_a_chip(counted)
    yield _heap(results["heap"])
    table = _table("budgets", "what", "budget", "measured", "")
    for name, budget, measured, met in budgets(results):
        table.add_row(
            name,
            budget,
            f"{measured:,}" if isinstance(measured, int) else f"{measured:.2f}",
            "met" if met else "[bold]missed[/bold]",
        )
    yield table


def markdown(table):
    """A table as docs/figures.md has it."""
    rows = [[_plain(str(column.header)) for column in table.columns], ["---"] * len(table.columns)]
    rows += zip(*([_plain(cell) for cell in column.cells] for column in table.columns), strict=True)
    return "\n".join([_plain(f"{table.title}:"), "", *(f"| {' | '.join(row)} |" for row in rows)])


def _plain(cell):
    return cell.replace(":\n", ", ").replace("\n", " ").replace("[bold]", "**").replace("[/bold]", "**")


def _table(title, *columns):
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left")
    return table


def _at_port(results):
    table = _table(f"the AT port of {Firmware.name}", "what", "user us", "us", "user us, times bare")
    for name, figure in results.items():
        if isinstance(figure, dict) and "user_us" in figure:
            bare = results.get(f"{name}, bare loop")
            ratio = f"{figure['user_us'] / bare['user_us']:.1f}" if bare else ""
            table.add_row(name, f"{figure['user_us']:.1f}", f"{figure['us']:.1f}", ratio)
        elif isinstance(figure, float):
            table.add_row(name, "", f"{figure:,.3g}" if figure < 1000 else f"{figure:,.0f}")
    return table


def _figure(cell):
    """The one number that is compared."""
    return cell.get("user_us", cell.get("s")) if isinstance(cell, dict) else cell


def _ratio(found, what, name):
    """How many times as much as another the firmware of today takes; None where that was not measured."""
    cells = found.get(what, {})
    return _figure(cells[Firmware.name]) / _figure(cells[name]) if name in cells and _figure(cells[name]) else None


def _side_by_side(title, found, unit=None):
    """{what: {name: figures}} as a table, with what today's is beside the others."""
    names = list(dict.fromkeys(itertools.chain.from_iterable(found.values())))
    others = [name for name in names if name != Firmware.name]
    table = _table(title, "what", *names, *(f"times {name}" for name in others))
    for what, cells in found.items():
        row = []
        for name in names:
            figure = _figure(cells[name]) if name in cells else None
            form = ",.0f" if unit is None else ".3f" if name in cells and "s" in cells[name] else ".1f"
            row.append("" if figure is None else format(figure, form))
        ratios = [_ratio(found, what, name) for name in others]
        table.add_row(what, *row, *("" if ratio is None else f"{ratio:.2f}" for ratio in ratios))
    return table


def _heap(heap):
    if isinstance(heap, str):
        return _table(f"the heap of an ESP8266 was not measured: {heap}")
    title = f"make size: bytes of the ESP8266's image, and of its heap of {HEAP} bytes, by phase"
    table = _table(title, "what", *heap)
    for what in dict.fromkeys(itertools.chain.from_iterable(heap.values())):
        table.add_row(what, *(f"{found[what]:,}" if what in found else "" for found in heap.values()))
    return table


def budgets(results):
    """Rows of (what, budget as text, measured, whether it is met)."""
    counted = results["instructions"] if isinstance(results["instructions"], dict) else {}
    for what, board, found in [
        *(("user CPU", board, found) for board, found in results["boards"].items() if isinstance(found, dict)),
        *(("instructions", board, found) for board, found in counted.items()),
    ]:
        for other in [name for name in found[AT] if name not in (Firmware.name, Bare.name)]:
            yield from _at_most(_OF_ANOTHER, found, other, f"{board}, {what}")
        yield from _at_most(_OF_BARE, found, Bare.name, f"{board}, {what}")
    passthrough = results["passthrough"]
    if Socat.name in passthrough:
        for direction, size in itertools.product(("up", "down"), measure.SIZES):
            if size >= SIZE:
                rates = [passthrough[name][direction][size]["bytes_per_s"] for name in (Firmware.name, Socat.name)]
                ratio = rates[0] / rates[1]
                what = f"throughput {direction}, {size} bytes, times {Socat.name}"
                yield what, f">= {_OF_SOCAT}", ratio, ratio >= _OF_SOCAT
    for direction in ("up", "down"):
        count = results[f"heap bytes for a chunk {direction}"]
        yield f"heap for a chunk {direction}, bytes", "0", count, count < _PIECE
    if isinstance(results["heap"], dict):
        yield from _of_the_heap(results["heap"][Firmware.name])


def _at_most(most, found, name, of_what):
    for what, budget in most.items():
        ratio = _ratio(found, what, name)
        if ratio is not None:
            measured = "time" if what == START else of_what.partition(", ")[2]
            board = of_what.partition(", ")[0]
            yield f"{board}: {what}, {measured}, times {name}", f"<= {budget}", ratio, ratio <= budget


def _of_the_heap(figures):
    image, least = figures["image"], [name for name in figures if "free" in name]
    worst = max(figure for name, figure in figures.items() if name != "image" and name not in least)
    for what, most, figure in (("image", _IMAGE, image), ("idle", _IDLE, figures["idle"]), ("worst", _WORST, worst)):
        yield f"ESP8266: {what}, bytes", f"<= {most:,}", figure, figure <= most
    yield f"ESP8266: {least[0]}, bytes", f">= {_LARGEST:,}", figures[least[0]], figures[least[0]] >= _LARGEST


def _passthrough(what, subjects):
    """A table of {subject: {size: figures}}."""
    table = _table(f"{what}: MB/s in full flow, user us for a chunk", "bytes", *subjects, "us, times bare")
    for size in measure.SIZES:
        row = [str(size)]
        for figures in subjects.values():
            row.append(f"{figures[size]['bytes_per_s'] / 1e6:.1f} MB/s,\n{figures[size]['user_us']:.2f} us")
        ratio = subjects[Firmware.name][size]["user_us"] / subjects[Bare.name][size]["user_us"]
        table.add_row(*row, f"{ratio:.1f}")
    return table


def _for_a_chip(counted):
    """How busy a chip is while the line carries this as fast as it can. Over 100 % it cannot keep up."""
    speeds = ", ".join(f"{board} at {mhz} MHz" for board, mhz in _MHZ.items())
    title = (
        f"for a chip: % of the line's time that it computes. Assumed, not measured: as many instructions as this PC's\n"
        f"MicroPython for 32 bits takes, {_CYCLES} cycles for each; {speeds}. Over 100 %: the line waits for the chip"
    )
    names = [name for name in counted["ESP32"][AT] if name != Bare.name]
    table = _table(
        title,
        "what",
        *(f"{baud} baud" if len(names) == 1 else f"{baud} baud:\n{name}" for baud in BAUDS for name in names),
    )
    for board, found in counted.items():
        for what, cells in found.items():
            busy = {name: cells[name] * _CYCLES / _MHZ[board] / 1e6 for name in names}
            row = [busy[name] / (_LINE[what] * 10 / baud) for baud in BAUDS for name in names]
            table.add_row(f"{board}: {what}", *(f"{part:.0%}" for part in row))
    return table


def _slower(results):
    """What the CPU times mean for a chip, of which only the line's speed is known here."""
    title = "for a chip: us on the line, and how many times slower than this CPU a chip may be to keep up with that"
    table = _table(title, "what", "user us here", *(f"{baud} baud" for baud in BAUDS))
    for board, found in results["boards"].items():
        for what in _LINE if isinstance(found, dict) else ():
            us = _figure(found[what][Firmware.name])
            times = [_LINE[what] * 10 / baud * 1e6 for baud in BAUDS]
            table.add_row(f"{board}: {what}", f"{us:.1f}", *(f"{wire:.0f} us, {wire / us:.0f} times" for wire in times))
    return table
