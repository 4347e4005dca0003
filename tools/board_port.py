"""The serial port of a real board, as the tools that write to it need it: a running AT firmware is made to let
MicroPython's prompt in, mpremote does the work, and AT+GMR tells what has become of it."""

import subprocess
import sys
import time

import serial

# What the prompt talks at after each new start, see firmware/board/.
PROMPT_BAUD = 115200
_QUIET = 0.3
# Seconds behind the OK of a new rate in which the firmware hears nothing.
_SETTLING = 0.02
# Seconds from a reset until MicroPython hears an interruption.
START = 3
_PROMPT = b">>> "
# Seconds that mpremote has for all its steps: the whole firmware at 115200 baud takes less than one minute.
_LONGEST = 300


class BoardError(Exception):
    """The board did not do what it should; the message is one line."""


def open_port(path, baud):
    """The port, of which reading waits a tenth of a second. Raises BoardError."""
    try:
        return serial.Serial(path, baud, timeout=0.1, write_timeout=5, exclusive=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BoardError(f"cannot open {path}: {reason}") from None


def ask(port, line, wanted, seconds):
    """Sends a line; returns what is said until one of `wanted` is in it, or until the time is up."""
    port.write(line + b"\r\n")
    said, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline and not any(each in said for each in wanted):
        said += port.read(port.in_waiting or 1)
    return said


def leave_at(path, baud):
    """Gets past a running AT firmware; True if there was one on this port, so that this is the AT port.

    Without one there is MicroPython's prompt, which mpremote finds by itself, or nothing."""
    with open_port(path, baud) as port:
        if not _answers(port):
            return False
        if baud != PROMPT_BAUD:
            ask(port, b"AT+UART_CUR=%d,8,1,0,0" % PROMPT_BAUD, [b"\r\nOK\r\n"], 5)
            port.baudrate = PROMPT_BAUD
            time.sleep(_SETTLING)
            _answers(port)
        said = ask(port, b"AT+MPYREPL", [_PROMPT, b"ERROR\r\n"], 15)
        if _PROMPT not in said:
            raise BoardError(f"{path}: an AT firmware that has no AT+MPYREPL; write MicroPython to the board first")
        return True


def _answers(port):
    """Whether AT is answered; what may be in the way is a mode that takes data, which `+++` ends."""
    for escape in (False, True):
        if escape:
            time.sleep(_QUIET)
            port.write(b"+++")
            time.sleep(_QUIET)
        said = ask(port, b"\r\nAT", [b"\r\nOK\r\n", _PROMPT], 1)
        while b"busy p" in said and b"\r\nOK\r\n" not in said:
            said = ask(port, b"AT", [b"OK\r\n", b"busy p"], 1.5)
        if b"OK\r\n" in said:
            return True
        if _PROMPT in said:
            return False
    return False


def mpremote(path, *steps, resume=True, shown=True):
    """Runs mpremote on the port; returns what it prints, unless that is shown. Raises BoardError.

    resume: the board is at the prompt with nothing loaded; else it starts anew first, without main.py."""
    command = [sys.executable, "-m", "mpremote", "connect", path, *(["resume"] if resume else []), *map(str, steps)]
    pipe = None if shown else subprocess.PIPE
    try:
        result = subprocess.run(command, stdout=pipe, stderr=pipe, text=True, check=False, timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        raise BoardError(
            f"{path}: mpremote did not come to an end in {_LONGEST} s: reset the board, and try again"
        ) from None
    if result.returncode:
        last = ((result.stdout or "") + (result.stderr or "")).strip().splitlines()[-1:] or ["see above"]
        raise BoardError(f"mpremote failed on {path}: {last[0]}")
    return result.stdout


def restarted(path, seconds=20):
    """Waits until the board has started and its port is there: a chip with a USB of its own takes it away meanwhile."""
    deadline = time.monotonic() + seconds
    time.sleep(START)
    while True:
        try:
            return open_port(path, PROMPT_BAUD).close()
        except BoardError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def version(path, baud, seconds=20):
    """What AT+GMR answers, once the module has started, and its port is there again. Raises BoardError."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return _version(path, baud, deadline)
        except (BoardError, OSError):  # of pyserial, too
            if time.monotonic() > deadline:
                raise
            time.sleep(_QUIET)


def _version(path, baud, deadline):
    with open_port(path, baud) as port:
        while time.monotonic() < deadline:
            if b"\r\nOK\r\n" in ask(port, b"AT", [b"\r\nOK\r\n"], 0.5):
                said = ask(port, b"AT+GMR", [b"\r\nOK\r\n", b"ERROR\r\n"], 5)
                return said.decode(errors="replace")
    raise BoardError(f"{path}: AT has no answer after the new start")
