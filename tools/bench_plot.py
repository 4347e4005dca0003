"""The picture of `make bench`: throughput and CPU time over the size of the chunks, one line for each subject."""

import matplotlib

matplotlib.use("agg")

from matplotlib import pyplot


def plot(results, path):
    """Writes a PNG to `path`."""
    passthrough = results["passthrough"]
    directions = list(next(iter(passthrough.values())))
    figure, axes = pyplot.subplots(2, len(directions), figsize=(12, 7), sharex=True, sharey="row", layout="constrained")
    for column, direction in enumerate(directions):
        for name, figures in passthrough.items():
            sizes = list(figures[direction])
            rates = [figures[direction][size]["bytes_per_s"] / 1e6 for size in sizes]
            costs = [figures[direction][size]["user_us"] for size in sizes]
            labels = [str(size) for size in sizes]
            axes[0][column].plot(labels, rates, marker="o", label=name)
            axes[1][column].plot(labels, costs, marker="o", label=name)
        axes[0][column].set_title(f"passthrough, {direction}")
        axes[1][column].set_xlabel("bytes in a chunk")
    axes[0][0].set_ylabel("MB/s in full flow")
    axes[1][0].set_ylabel("user CPU for a chunk alone, us")
    for row in axes:
        for axis in row:
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
    axes[0][0].legend()
    figure.suptitle(f"Between a terminal and a TCP connection on loopback ({results['machine']})")
    figure.savefig(path, dpi=100)
