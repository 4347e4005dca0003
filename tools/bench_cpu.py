"""How much CPU a process uses in user mode, as exactly as the machine lets `make bench` see it.
The kernel itself counts it by the tick of its clock, of which a figure needs a great many."""

import ctypes
import mmap
import os
import platform
import struct
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds, the step in which the kernel tells CPU time

# What Linux has in <linux/perf_event.h>.
_SYSCALL = {"x86_64": 298, "aarch64": 241}.get(platform.machine())
_SOFTWARE, _TASK_CLOCK, _SAMPLE_TID = 1, 1, 2
_USER_MODE_ALONE = 1 << 5 | 1 << 6  # exclude_kernel, exclude_hv
_CLOSE_ON_EXEC = 8
_ATTRIBUTES = 128
# Nanoseconds of a thread's own time between two looks: a prime number, so that it keeps step with nothing.
_PERIOD = 47123
_RECORD = 16  # bytes of a sample: its header, and the thread
_HEAD = 1024  # where the ring tells how much was ever written to it


class Samples:
    """Looks at each thread of a process again and again while that runs, and counts when it finds it in user mode.

    OSError where the machine does not allow it: perf_event_paranoid above 2, as some distributions have it."""

    def __init__(self, pid):
        self._rings = []
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                self._rings.append(_ring(int(thread)))
        except OSError:
            self.close()
            raise

    def seconds(self):
        """What the process has used in user mode since this object was made."""
        return sum(struct.unpack_from("Q", ring, _HEAD)[0] for ring in self._rings) / _RECORD * _PERIOD / 1e9

    def close(self):
        for ring in self._rings:
            ring.close()


class Ticks:
    """The kernel's own figure."""

    def __init__(self, pid):
        self._path = Path(f"/proc/{pid}/stat")

    def seconds(self):
        return int(self._path.read_text().rsplit(")", 1)[1].split()[11]) * TICK

    def close(self):
        pass


def _ring(thread):
    if not _SYSCALL:
        raise OSError(f"not known for {platform.machine()}")
    attributes = ctypes.create_string_buffer(_ATTRIBUTES)
    struct.pack_into(
        "IIQQQQQ", attributes, 0, _SOFTWARE, _ATTRIBUTES, _TASK_CLOCK, _PERIOD, _SAMPLE_TID, 0, _USER_MODE_ALONE
    )
    fd = ctypes.CDLL(None, use_errno=True).syscall(_SYSCALL, attributes, thread, -1, -1, _CLOSE_ON_EXEC)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "perf_event_open")
    try:
        # A ring that cannot be written is written round and round, and its head counts on.
        return mmap.mmap(fd, 2 * mmap.PAGESIZE, mmap.MAP_SHARED, mmap.PROT_READ)
    finally:
        os.close(fd)


def sampled():
    """Whether there is more than the kernel's ticks."""
    try:
        Samples(os.getpid()).close()
    except OSError:
        return False
    return True
