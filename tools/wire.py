"""The serial line between the host's terminal and the chip.
Without --pace the chip holds the terminal's other end itself; with it, bytes pass through here."""

import array
import contextlib
import fcntl
import os
import pty
import socket
import termios
import tty

# Seconds between two looks at a busy line, and the most bytes moved at once.
_TICK = 0.001
_CHUNK = 4096


class Terminal:
    """A pseudo-terminal whose slave stays open here, so that hosts may come and go."""

    def __init__(self):
        self.fd, self._slave = pty.openpty()
        tty.setraw(self._slave)
        for fd in (self.fd, self._slave):
            os.set_blocking(fd, False)
        self.path = os.ttyname(self._slave)
        self._reset()

    def _reset(self):
        self._baudrate, self._bits, self._stop, self._parity, self._flow = 115200, 8, 1, None, 0

    def noise(self, data):
        """Puts bytes on the line to the chip; raises BlockingIOError if that is full."""
        if os.write(self._slave, data) != len(data):
            raise BlockingIOError

    def show(self, data):
        """Puts bytes on the line to the host, unless that is full."""
        with contextlib.suppress(BlockingIOError):
            os.write(self.fd, data)

    def plug(self):
        """Returns the descriptor that the chip's UART uses, for a chip that starts now."""
        self._reset()
        return self.fd

    def configure(self, baudrate, bits, parity, stop, flow):
        """Takes the UART's settings; 0 or -1 leaves one as it is, None as parity is none."""
        self._baudrate = baudrate or self._baudrate
        self._bits = bits or self._bits
        self._stop = stop or self._stop
        if parity != -1:
            self._parity = parity
        if flow != -1:
            self._flow = flow

    def settings(self):
        """The UART's settings as AT+UART_CUR numbers them."""
        stop, parity = {1: 1, 2: 3}[self._stop], {None: 0, 1: 1, 0: 2}[self._parity]
        return self._baudrate, self._bits, stop, parity, self._flow

    def idle(self):
        """Whether all that the chip has written is with the host's operating system."""
        return True


class PacedTerminal(Terminal):
    """A terminal that passes bytes at the pace of the UART's baud rate, in both directions."""

    def __init__(self, loop):
        super().__init__()
        self._loop = loop
        self._ends = self._directions = ()

    def plug(self):
        for direction in self._directions:
            direction.close()
        for end in self._ends:
            end.close()
        self._ends = self._near, chip = socket.socketpair()
        for end in self._ends:
            end.setblocking(False)
            # As little as the kernel allows: a chip's transmit buffer is small.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        self._reset()
        near = self._near.fileno()
        self._directions = (
            _Direction(self._loop, self.fd, near, self._byte_time),
            _Direction(self._loop, near, self.fd, self._byte_time),
        )
        return chip.fileno()

    def _byte_time(self):
        return (1 + self._bits + (self._parity is not None) + self._stop) / self._baudrate

    def idle(self):
        unread = array.array("i", [0])
        fcntl.ioctl(self._near.fileno(), termios.FIONREAD, unread)
        return not unread[0] and self._directions[1].idle()


class _Direction:
    """One direction of a paced line. A byte is passed on when its last bit would have arrived."""

    def __init__(self, loop, source, target, byte_time):
        self._loop, self._source, self._target, self._byte_time = loop, source, target, byte_time
        self._held = b""
        self._free_at = 0.0
        self._timer = None
        self._closed = False
        loop.watch(source, self._begin)

    def close(self):
        self._closed = True
        self._loop.forget(self._source)
        self._loop.cancel(self._timer)

    def idle(self):
        return not self._held and self._timer is None

    def _begin(self):
        """The first byte after silence: its bits start to arrive now."""
        self._loop.forget(self._source)
        self._free_at = self._loop.time()
        self._wait()

    def _wait(self):
        when = self._free_at + max(_TICK, self._byte_time())
        self._timer = self._loop.at(when, self._move)

    def _move(self):
        now = self._loop.time()
        if self._held and not self._pass_on():
            self._free_at = now
            return self._wait()
        count = int((now - self._free_at) / self._byte_time())
        try:
            data = os.read(self._source, min(count, _CHUNK)) if count else None
        except BlockingIOError:
            data = b""
        except OSError:
            # The chip is off; the line rests until it is plugged in again.
            self._timer = None
            return None
        if data == b"":
            self._timer = None
            if not self._closed:
                self._loop.watch(self._source, self._begin)
            return None
        if data:
            self._free_at += len(data) * self._byte_time()
            if len(data) < count:
                self._free_at = now
            self._held = data
            self._pass_on()
        return self._wait()

    def _pass_on(self):
        """Writes what is held; returns whether all of it went."""
        with contextlib.suppress(OSError):
            self._held = self._held[os.write(self._target, self._held) :]
        return not self._held
