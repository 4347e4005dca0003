"""The picture of `make bench`: throughput and CPU time over the size of the chunks, one line for each subject, and
below that what each thing takes on the builds of both boards."""

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot

from .bench_boards import START
from .bench_measure import KINDS


def plot(results, path):
    """Writes a PNG to `path`."""
    # The same subject has the same colour everywhere.
    boards = {board: found for board, found in results["boards"].items() if isinstance(found, dict)}
    names = [name for kind in KINDS for name in results[kind]]
    colours = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(names))}
    width = 4 * sum(len(next(iter(results[kind].values()))) for kind in KINDS)
    figure = pyplot.figure(figsize=(width, 12 if boards else 7), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=(7, 5)) if boards else (figure, None)
    _over_sizes(upper, results, colours)
    if boards:
        for axis, (board, found) in zip(lower.subplots(1, len(boards), squeeze=False)[0], boards.items(), strict=True):
            _bars(axis, f"the build for the {board}", found, colours)
    figure.suptitle(f"Between a terminal and a connection on loopback ({results['machine']})")
    figure.savefig(path, dpi=100)


def _over_sizes(figure, results, colours):
    parts = [(kind, direction) for kind in KINDS for direction in next(iter(results[kind].values()))]
    axes = figure.subplots(2, len(parts), sharex=True)
    for (upper, lower), (kind, direction) in zip(axes.T, parts, strict=True):
        for name, directions in results[kind].items():
            sizes = list(directions[direction].values())
            labels = [str(size) for size in directions[direction]]
            rates, costs = ([size[key] for size in sizes] for key in ("bytes_per_s", "user_us"))
            upper.plot(labels, [rate / 1e6 for rate in rates], marker="o", label=name, color=colours[name])
            lower.plot(labels, costs, marker="o", color=colours[name])
        upper.set_title(f"{kind}, {direction}")
        lower.set_xlabel("bytes in a chunk")
    axes[0][0].set_ylabel("MB/s in full flow")
    axes[1][0].set_ylabel("user CPU for a chunk alone, us")
    for axis in axes.flat:
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    # Over the panels, as there is no corner that is empty in each run.
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))


def _costs(found):
    return [cell["user_us"] for cells in found.values() for cell in cells.values()]


def _bars(axis, title, found, colours):
    """User CPU of each thing, a bar for each subject; on a scale by powers of ten, as they are far apart."""
    found = {what: cells for what, cells in found.items() if what != START}
    names = list(dict.fromkeys(name for cells in found.values() for name in cells))
    height = 0.8 / len(names)
    for number, name in enumerate(names):
        places = [place + number * height for place, cells in enumerate(found.values()) if name in cells]
        costs = [cells[name]["user_us"] for cells in found.values() if name in cells]
        bars = axis.barh(places, costs, height, align="edge", label=name, color=colours[name])
        axis.bar_label(bars, fmt="%.1f", padding=3)
    axis.set_yticks([place + 0.4 for place in range(len(found))], list(found))
    axis.invert_yaxis()
    axis.set_xscale("log")
    axis.set_xlim(1, 3 * max(_costs(found)))
    axis.set_xlabel("user CPU, us")
    axis.set_title(title)
    axis.legend()
