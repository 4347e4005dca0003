"""Stands in for the chip's module select where the bench takes memory away: a poll that, when something has happened,
looks first whether the heap is to be full. Until then, and while it polls, it takes no memory itself."""

import gc
import select as _select
import sys

_BLOCK = 32 if sys.maxsize >> 32 else 16
_bench = None  # see lack: the number of the order, whether memory is to be taken, and how many bytes to leave
_done = 0
_taken = _single = None


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
    # Lists of one item, two single blocks of the heap, fill every gap. What is given back is taken apart: what is left
    # of it on the stack, where the collector looks, too, would hold all that hangs on it.
    global _done, _taken, _single
    _done = _bench[0]
    chain = _taken
    _taken = _single = None
    while chain:
        chain = _next(chain)
    gc.collect()
    if _bench[1]:
        single = (None,)
        try:
            while True:
                chain = [chain]
        except MemoryError:
            pass
        blocks = (_bench[2] | _bench[3] << 8) // _BLOCK
        for _ in range(blocks >> 1):
            if chain:
                chain = _next(chain)
        _taken = chain
        _single = None if blocks & 1 else single
        chain = single = None
        gc.collect()


def _next(chain):
    rest = chain[0]
    chain[0] = None
    return rest


def __getattr__(name):
    return getattr(_select, name)
