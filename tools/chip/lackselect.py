"""Stands in for the chip's module select where the bench takes memory away: a poll that, when something has happened,
looks first whether the heap is to be full. Until then, and while it polls, it takes no memory itself."""

import gc
import select as _select
import sys

_BLOCK = 32 if sys.maxsize >> 32 else 16
_bench = None  # see lack: the number of the order, whether memory is to be taken, and how many bytes to leave
_done = 0
_taken = None


class poll:
    def __init__(self):
        own = _select.poll()
        self.register, self.modify, self.unregister, self._ipoll = own.register, own.modify, own.unregister, own.ipoll

    def ipoll(self, _ms=-1, _flags=0):
        found = self._ipoll(_ms)
        if _bench[0] != _done:
            _obey()
        return found


def _obey():
    # Tuples of one item, a block of the heap each, fill every gap; what is left is the end of the last one.
    global _done, _taken
    _done = _bench[0]
    _taken = None
    gc.collect()
    if _bench[1]:
        chain = None
        try:
            while True:
                chain = (chain,)
        except MemoryError:
            pass
        for _ in range((_bench[2] | _bench[3] << 8) // _BLOCK):
            if chain:
                chain = chain[0]
        _taken = chain
        chain = None
        gc.collect()


def __getattr__(name):
    return getattr(_select, name)
