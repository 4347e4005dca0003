"""What the console talks to: a serial port or pseudo-terminal that never blocks, and an atsim of its own.
Whatever goes wrong is a ConsoleError, whose text is the one line that a person should read."""

import contextlib
import ctypes
import errno
import grp
import os
import select
import signal
import subprocess
import sys
import termios
import tty

import serial
from serial.tools import list_ports

_PR_SET_PDEATHSIG = 1


class ConsoleError(Exception):
    """Something went wrong; the text says in one line what, and what to do about it."""


class Port:
    """A serial port, opened without waiting and without blocking reads or writes.

    `simulated` ports are opened as they are: they need no baud rate, and what has arrived already (the
    module's `ready`) must not be flushed, as pyserial does when it opens a port.
    """

    def __init__(self, path: str, baud: int = 115200, simulated: bool = False):
        self.path = path
        self._serial = None
        self._queue = bytearray()
        if simulated:
            self._fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self._fd, termios.TCSANOW)
        else:
            self._serial = _open_serial(path, baud)
            self._fd = self._serial.fileno()

    def fileno(self) -> int:
        return self._fd

    def read(self) -> bytes:
        """Return what has arrived, perhaps nothing. Raises ConsoleError when the port is gone."""
        try:
            data = os.read(self._fd, 16384)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            raise ConsoleError(f"{self.path} has gone away; is the module still plugged in?")
        return data

    def send(self, data: bytes) -> None:
        """Queue bytes and write as many as the port takes now; the rest follows with `push`."""
        self._queue += data
        self.push()

    def push(self) -> None:
        """Write what is queued, as far as the port takes it."""
        try:
            while self._queue:
                del self._queue[: os.write(self._fd, self._queue)]
        except BlockingIOError:
            pass
        except OSError as error:
            raise ConsoleError(f"{self.path} cannot be written: {error.strerror}") from None

    @property
    def backlog(self) -> int:
        """The number of bytes that the port has not taken yet."""
        return len(self._queue)

    def drain(self) -> None:
        """Wait until everything written is on the wire. That a port is gone shows at the next read."""
        with contextlib.suppress(termios.error):
            termios.tcdrain(self._fd)

    def set_baud(self, baud: int) -> None:
        """Follow the module to another baud rate; a pseudo-terminal has none."""
        if self._serial:
            self.drain()
            self._serial.baudrate = baud

    def close(self) -> None:
        if self._serial:
            self._serial.close()
        else:
            os.close(self._fd)


def _open_serial(path, baud):
    try:
        # DTR and RTS stay as Linux sets them on opening, both asserted: ESP boards take that as "run". Taking
        # them back one after the other would pass through the state that means "reset".
        return serial.Serial(path, baud, timeout=0, exclusive=True)
    except (serial.SerialException, ValueError, termios.error, OSError) as error:
        raise ConsoleError(_explain(path, getattr(error, "errno", None), error)) from None


def _explain(path, code, error):
    if code == errno.ENOENT:
        return f"no port {path}; {describe_ports()}"
    if code == errno.EACCES:
        group = grp.getgrgid(os.stat(path).st_gid).gr_name
        group = "dialout" if group in ("root", "tty") else group
        return f"no permission for {path}: run `sudo usermod -aG {group} $USER`, then log in again"
    if code in (errno.EBUSY, errno.EAGAIN) or "lock" in str(error):
        return f"{path} is in use by another program; close that first"
    if "configure" in str(error):
        return f"{path} is no serial port; {describe_ports()}"
    return f"cannot open {path}: {error}"


def describe_ports() -> str:
    """Say which serial ports there are."""
    ports = [port.device for port in list_ports.comports() if port.vid is not None]
    if ports:
        return "the serial ports here are " + ", ".join(ports)
    return "no USB serial port is plugged in; --simulator needs none"


class Simulator:
    """An atsim that belongs to the console: started by `start`, ended by `stop`."""

    def __init__(self, options: list[str], stderr=None):
        # A session of its own keeps Ctrl-C from reaching it; PR_SET_PDEATHSIG ends it however we end.
        libc = ctypes.CDLL(None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mpyat.simulator", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
            preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),
        )

    def wait_for_port(self, timeout: float) -> str:
        """Return the path of the terminal that atsim announces. Raises ConsoleError after `timeout` seconds."""
        readable, _, _ = select.select([self.process.stdout], [], [], timeout)
        line = self.process.stdout.readline().decode(errors="replace").strip() if readable else ""
        if not line.startswith("AT port: "):
            raise ConsoleError(self.failure() or f"atsim announced no port within {timeout:g} s")
        return line.removeprefix("AT port: ")

    def failure(self) -> str:
        """Say with which status atsim ended, or nothing while it runs."""
        try:
            # Its terminal closes a moment before the process can be seen to have ended.
            status = self.process.wait(0.5)
        except subprocess.TimeoutExpired:
            return ""
        return f"atsim ended with status {status}; its own messages say why"

    def stop(self) -> None:
        """End atsim, gently at first; what it still had to say goes to stderr."""
        self.process.terminate()
        try:
            self.process.wait(3)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stderr:
            os.set_blocking(self.process.stderr.fileno(), False)
            sys.stderr.write((self.process.stderr.read() or b"").decode(errors="replace"))
