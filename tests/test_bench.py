"""`make bench` for a moment, with one size: what it measures is there, and it tells of all of it.
What the figures are is not looked at, as the machine is busy with other tests."""

import io
import os

import pytest
from mpyat import bench, bench_cpu, bench_measure
from mpyat.bench_report import budgets, tables
from mpyat.bench_subjects import Bare, Firmware, Socat
from rich.console import Console


@pytest.fixture
def results(monkeypatch):
    monkeypatch.setattr(bench_measure, "SIZES", (256,))
    monkeypatch.setattr(bench_measure, "_STARTS", 1)
    monkeypatch.setattr(bench, "_CHUNKS", 50)
    return bench._measure(0.01)


def test_everything_is_measured(results):
    subjects = [Firmware.name, Bare.name, *([Socat.name] if Socat.there() else [])]
    assert list(results["passthrough"]) == [*subjects, "pyserial"]
    assert list(results["passthrough over TLS"]) == subjects
    for kind, directions in (("passthrough", ["up", "down", "both"]), ("passthrough over TLS", ["up", "down"])):
        for name, found in results[kind].items():
            assert list(found) == directions
            for sizes in found.values():
                assert list(sizes) == [256]
                for figures in sizes.values():
                    assert figures["us"] > 0 and figures["bytes_per_s"] > 0, (kind, name, sizes)
    shown = io.StringIO()
    # A busy machine may have found no moment of CPU time in so short a look, and nothing can be divided by that.
    for figures in _figures(results):
        figures["user_us"] = figures["user_us"] or 1.0
    console = Console(file=shown, width=200)
    for table in tables(results):
        console.print(table)
    assert all(
        text in shown.getvalue() for text in ("passthrough over TLS, down", "3000000 baud", "clients of the server")
    )
    assert len([*budgets(results)]) == (8 if Socat.there() else 6)


def _figures(results):
    """All dictionaries with CPU times."""
    if "user_us" in results:
        yield results
    for value in results.values():
        if isinstance(value, dict):
            yield from _figures(value)


def test_cpu_time_in_user_mode():
    """Both ways to look at a process agree on what this one does, as far as the ticks can tell."""
    meters = [bench_cpu.Ticks(os.getpid())]
    if bench_cpu.sampled():
        meters.append(bench_cpu.Samples(os.getpid()))
    before = [meter.seconds() for meter in meters]
    while meters[0].seconds() < before[0] + 0.2:
        sum(range(10000))
    used = [meter.seconds() - was for meter, was in zip(meters, before, strict=True)]
    for meter in meters:
        meter.close()
    assert all(0.1 < seconds < 0.4 for seconds in used), used
