"""Stands in for the chip's module sys while the host is at the board's USB: MicroPython's own, but for stdin and
stdout, which are the simulator's terminal. Reading waits for all bytes that it is asked for, as on the chip."""

import io
import os
import select
import sys as _sys

import machine


class _Polled(io.IOBase):
    def ioctl(self, request, argument):
        # 10 asks for the descriptor, which select.poll then waits on itself.
        return machine._wire_fd if request == 10 else -1


class _Bytes(_Polled):
    def readinto(self, buffer):
        poll = select.poll()
        poll.register(self, select.POLLIN)
        for i in range(len(buffer)):
            poll.poll()
            buffer[i] = machine._wire.read(1)[0]
        return len(buffer)

    def write(self, *what):
        return machine._wire.write(*what) or 0


class _Text(_Polled):
    buffer = _Bytes()


stdin = _Text()
stdout = _Text()


def _left():
    # The program has ended, so MicroPython goes on to its prompt, which has stdin and stdout for itself.
    _sys.modules["sys"] = _sys
    os.dupterm(stdin)


def __getattr__(name):
    if name in ("atexit", "exc_info", "executable"):
        raise AttributeError(name)
    return getattr(_sys, name)
