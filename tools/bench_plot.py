"""The picture of `make bench`: throughput and CPU time over the size of the chunks, one line for each subject."""

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot

from .bench_measure import KINDS


def plot(results, path):
    """Writes a PNG to `path`."""
    # The same subject has the same colour with TLS and without.
    names = [name for kind in KINDS for name in results[kind]]
    colours = {name: f"C{i}" for i, name in enumerate(dict.fromkeys(names))}
    parts = [(kind, direction) for kind in KINDS for direction in next(iter(results[kind].values()))]
    figure, axes = pyplot.subplots(2, len(parts), figsize=(4 * len(parts), 7), sharex=True, layout="constrained")
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
    axes[0][0].legend()
    figure.suptitle(f"Between a terminal and a connection on loopback ({results['machine']})")
    figure.savefig(path, dpi=100)
