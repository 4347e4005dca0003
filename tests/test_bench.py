"""`make bench` for a moment, with one size: what it measures is there, and it tells of all of it.
What the figures are is not looked at, as the machine is busy with other tests."""

import io
import os

import pytest
from mpyat import against, bench, bench_boards, bench_count, bench_cpu, bench_measure, micropython32
from mpyat.bench_report import budgets, markdown, tables
from mpyat.bench_subjects import ATPort, Bare, Firmware, Socat
from rich.console import Console


@pytest.fixture
def results(monkeypatch):
    monkeypatch.setattr(bench_measure, "SIZES", (256,))
    monkeypatch.setattr(bench_measure, "_STARTS", 1)
    monkeypatch.setattr(bench, "_CHUNKS", 50)
    monkeypatch.setattr(bench_count, "_BEFORE", 2)
    monkeypatch.setattr(bench_count, "_MORE", 5)
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
    check_boards(results)
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
    told = [name for name, *_ in budgets(results)]
    assert sum("heap for a chunk" in name for name in told) == 2
    assert sum("times socat" in name for name in told) == (2 if Socat.there() else 0)
    assert sum("ESP32" in name and "bare" in name for name in told) >= 4
    for table in tables(results):
        rows = markdown(table).splitlines()[2:]
        assert len({row.count("|") for row in rows}) == 1, rows


def check_boards(results):
    """Each board's build beside the bare loop, as far as the MicroPython for 32 bits can be had."""
    try:
        micropython32.get()
    except micropython32.Unavailable:
        assert "not measured" in results["boards"]["ESP8266"]
        assert isinstance(results["heap"], str)
    else:
        assert list(results["boards"]["ESP8266"]) == [*list(results["boards"]["ESP32"])[:5], bench_boards.START]
        assert results["heap"][Firmware.name]["idle"] > 10000
    for found in results["boards"].values():
        if isinstance(found, dict):
            assert found[bench_boards.START][Firmware.name]["s"] > 0
            assert Bare.name in found[bench_boards.UP]
    if isinstance(results["instructions"], dict):
        for found in results["instructions"].values():
            assert all(Firmware.name in cells for cells in found.values()), found


def test_another_version():
    """It runs with its own tools: this one, as it was committed last."""
    with against.unpacked("HEAD") as other:
        assert other.run("-c", "import mpyat.size; print(mpyat.__path__[0])").strip().endswith("/path/mpyat")
        with ATPort(version=other) as subject:
            assert subject.name == other.name != Firmware.name
            assert b"AT version:" in subject.terminal.command("AT+GMR")
    with pytest.raises(against.VersionError), against.unpacked("no-such-version"):
        pass


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
