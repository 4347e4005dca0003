"""The AT port on the board's USB, where MicroPython's prompt is: {"uart": "usb"} in /board.json of an ESP32.
It is loaded for that alone."""

import io
import select
import sys

import esp
from micropython import RingIO, const, kbd_intr

# What poll asks a stream's ioctl().
_POLL = const(3)
# Bytes written at a time. Where the prompt has a UART the chip waits for that, and meanwhile has place for 259 of the
# host's bytes. Those are taken after each piece, and not too many in one go, as the links have to move, too.
_PIECE = const(64)
_FETCH = const(256)


def take_over(board):
    """Has the board give its USB where it would give its UART."""
    only, size = [board.BAUD, 8, 1, 0, 0], board.RX_BUFFER

    def uart(settings):
        if list(settings) != only:
            raise ValueError
        return Stream(size)

    board.uart, board.prompt = uart, _prompt


class Stream(io.IOBase):
    """Has what the AT port uses of a machine.UART, with MicroPython's stdin and stdout behind it."""

    def __init__(self, size):
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._ring = RingIO(size)
        self._room = size - 1
        self._byte = bytearray(1)
        self._readable = select.poll()
        self._readable.register(sys.stdin, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sys.stdout, select.POLLOUT)
        kbd_intr(-1)  # Ctrl-C is data
        esp.osdebug(0, esp.LOG_NONE)  # the SDK's errors would come between the answers

    def ioctl(self, request, flags):
        if request != _POLL:
            return -22  # EINVAL
        self._fetch()
        ready = select.POLLIN if self._ring.any() else 0
        if flags & select.POLLOUT and self._takes():
            ready |= select.POLLOUT
        return ready & flags

    def readinto(self, buffer):
        self._fetch()
        return self._ring.readinto(buffer)

    def write(self, buffer, start, size):
        """Hands over a part; 0 when the host has to read first, as far as MicroPython knows of that."""
        if not self._takes():
            return 0
        count = self._out.write(buffer, start, min(size, _PIECE))
        self._fetch()
        return count

    def txdone(self):
        """MicroPython does not tell, and what a chip has not sent yet is little."""
        return True

    def init(self, **settings):
        """There is nothing to set: the rate of a UART is that of the prompt, and the USB has none."""

    def _fetch(self):
        # Reading waits until all bytes that it asks for are there, and poll tells of one, so one at a time. What the
        # ring has no place for stays in the chip, which holds the host on a USB of its own.
        ring, byte = self._ring, self._byte
        for _ in range(min(_FETCH, self._room - ring.any())):
            for _ in self._readable.ipoll(0):
                break
            else:
                return
            self._in.readinto(byte)
            ring.write(byte)

    def _takes(self):
        for _ in self._writable.ipoll(0):
            return True
        return False


def _prompt(_port=None):
    # It is there by itself. Ctrl-C and the SDK's errors are its again.
    kbd_intr(3)
    esp.osdebug(None)
