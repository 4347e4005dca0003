"""The plugin for pytest leaves nothing behind: no simulator that a test has started, whatever went wrong."""

import os
import signal

import pytest
from mpyat.pytest_plugin import SimulatedModule, stop_all


def gone(process):
    return process.returncode is not None


def test_one_that_fails_to_stop(tmp_path):
    """The others are stopped all the same, and what failed is told."""
    modules = []
    for name in "abc":
        (tmp_path / name).mkdir()
        modules.append(SimulatedModule(tmp_path / name))
    os.kill(modules[1].process.pid, signal.SIGKILL)
    with pytest.raises(AssertionError, match="atsim ended with status -9"):
        stop_all(modules)
    assert all(gone(module.process) for module in modules)


@pytest.mark.parametrize(
    "options, said", [(("--heap", "100"), "may be too small"), (("--board", "x"), "invalid choice")]
)
def test_one_that_does_not_start(tmp_path, options, said):
    with pytest.raises(RuntimeError, match=f"atsim did not start: ''(.|\n)*{said}"):
        SimulatedModule(tmp_path, *options)


def test_one_that_does_not_say_its_port(tmp_path, monkeypatch):
    monkeypatch.setattr("mpyat.pytest_plugin.LIMIT", 0.2)
    monkeypatch.setattr("mpyat.pytest_plugin._BUILD", 0)
    with pytest.raises(RuntimeError, match="atsim does not say its port: b'half'"):
        SimulatedModule(tmp_path, inside=("sh", "-c", "printf half; exec sleep 60"))
