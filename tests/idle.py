"""Whether a module that has nothing to do uses no time of the processor, told in a way that holds on a busy machine."""

import os
import pathlib
import time

# Seconds of the processor that the test uses itself meanwhile. One that spins would get about as much.
_BURNT = 0.4
_PART = 4


def chip(module):
    """The process that runs MicroPython."""
    pid = module.process.pid
    [child] = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return pathlib.Path("/proc", child)


def used(process):
    """Seconds of the processor that it has used."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def assert_idle(module):
    """It sleeps while nothing comes, but for what it does a few times a second."""
    process = chip(module)
    before = used(process)
    began = time.process_time()
    while time.process_time() - began < _BURNT:
        pass
    spent = used(process) - before
    assert spent < _BURNT / _PART, f"the module has used {spent:.2f} s of the processor while it was idle"
