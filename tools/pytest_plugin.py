"""A plugin for pytest: modules in the simulator, for the tests of a driver.
It is there wherever mpy-at is installed; the fixture `atsim` starts a module, and ends it with the test."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import time
import tty

import pytest

# Seconds that nothing takes, the more the more the machine has to do; a test that passes never waits for it.
LIMIT = int(30 * max(1, os.getloadavg()[0] / (os.cpu_count() or 1)))
# What the first start may take in addition, as it builds the firmware.
_BUILD = 120


class SimulatedModule:
    """A module in a simulator of its own. `port` is the path of its terminal, to be opened like any serial port.

    folder: where its files go. options: those of the command `atsim`. inside: a command that runs another.
    Raises RuntimeError when it does not start."""

    def __init__(self, folder, *options, inside=()):
        self.control_path = str(folder / "control")
        self.errors = open(folder / "stderr", "w+b")
        command = [*inside, sys.executable, "-m", "mpyat.simulator", "--control", self.control_path, *map(str, options)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.errors, stdin=subprocess.DEVNULL)
        try:
            self.port = self._first_line()
        except BaseException:
            self._end()
            raise

    def _first_line(self):
        """The path of the terminal, which atsim tells first. The first start also builds the firmware."""
        line, deadline = b"", time.monotonic() + LIMIT + _BUILD
        while not line.endswith(b"\n"):
            if not select.select([self.process.stdout], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise RuntimeError(f"atsim does not say its port: {line!r} {self.console()}")
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                break
            line += piece
        if not line.startswith(b"AT port: "):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(LIMIT)  # until all that it has to say of that is there
            raise RuntimeError(f"atsim did not start: {line.decode()!r} {self.console()}")
        return line.decode().removeprefix("AT port: ").strip()

    def wait_until_ready(self):
        """Returns when the module has said `ready`; what it has sent until then is gone. Raises TimeoutError."""
        fd = os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            tty.setraw(fd, termios.TCSANOW)
            said = b""
            deadline = time.monotonic() + LIMIT
            while b"\r\nready\r\n" not in said:
                if not select.select([fd], [], [], max(deadline - time.monotonic(), 0))[0]:
                    raise TimeoutError(f"the module is not ready: {self.console()}")
                said += os.read(fd, 4096)
        finally:
            os.close(fd)

    def control(self, command):
        """Sends a line to the simulator's control socket, such as `ap down mpy-at`; returns the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(LIMIT)
            sock.connect(self.control_path)
            sock.sendall(command.encode() + b"\n")
            return sock.makefile().readline().strip()

    def console(self):
        """What the chip's console and atsim have printed so far."""
        self.errors.flush()
        with open(self.errors.name, "rb") as file:
            return file.read().decode(errors="replace")

    def _end(self):
        """Leaves no process and no open file behind; returns what was printed."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        console = self.console()
        self.errors.close()
        return console

    def stop(self):
        """Ends the simulator, unless that was done. AssertionError if it or the firmware has failed."""
        if self.errors.closed:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            status = "none, but had to be killed"
        console = self._end()
        assert status == 0, f"atsim ended with status {status}: {console}"
        assert "Traceback" not in console, console


def stop_all(modules):
    """Stops all of them, also when one fails; then that is raised."""
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.callback(module.stop)


@pytest.fixture
def atsim(tmp_path_factory):
    """A function that starts a module that is ready, with options of the command `atsim`; see SimulatedModule."""
    modules = []

    def start(*options):
        module = SimulatedModule(tmp_path_factory.mktemp("atsim"), *options)
        modules.append(module)
        module.wait_until_ready()
        return module

    yield start
    stop_all(modules)
