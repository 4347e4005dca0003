"""The measurements of `make bench`. Each returns plain numbers: seconds, bytes per second, microseconds.
Everything that is compared runs in the same process, on the same machine, one after the other."""

import contextlib
import functools
import importlib.util
import os
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from .bench_cpu import sampled
from .bench_subjects import LIMIT, Bare, BenchError

SIZES = (64, 256, 1460, 2920)
_TOOLS = Path(__file__).resolve().parent
# More than the silence that must stand around `+++`, in seconds.
_PAUSE = 0.06
_STARTS = 10
BARE_BY_S = f"{Bare.name} by python -S"
# What is compared takes turns of so many seconds, as no machine is equally fast all the time.
_TURN = 0.1


def up(subject, data):
    subject.terminal.write(data)
    _take(subject.sock, len(data))


def down(subject, data):
    subject.sock.sendall(data)
    subject.terminal.take(len(data))


def both(subject, data):
    up(subject, data)
    down(subject, data)


DIRECTIONS = {"up": up, "down": down, "both": both}
PLAIN, TLS = "passthrough", "passthrough over TLS"
# A connection of Python's ssl cannot be read and written by two threads at the same time.
KINDS = PLAIN, TLS
DIRECTIONS_OF = {PLAIN: ("up", "down", "both"), TLS: ("up", "down")}


def _in_turns(steps, seconds, measured):
    """{name: step} -> {name: what `measured(name, step, seconds)` returned in each turn}."""
    # The kernel's ticks are too coarse for turns.
    turns = max(round(seconds / _TURN), 1) if sampled() else 1
    found = {name: [] for name in steps}
    for _ in range(turns):
        for name, step in steps.items():
            found[name].append(measured(name, step, seconds / turns))
    return found


def _quarter(values, of_the_largest=False):
    """What a quarter of the values does better than: what disturbs the machine only makes them worse."""
    return sorted(values, reverse=of_the_largest)[len(values) // 4]


def costs(subjects, steps, seconds):
    """Microseconds of CPU in user mode, and of the clock, for each call of a step, which takes `seconds` in all:
    {name: Subject} and {name: step} -> {name: {"user_us", "us"}}."""

    def turn(name, step, seconds):
        user = subjects[name].user
        for _ in range(2):
            step()
        count, before, began = 0, user(), time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            step()
            count += 1
        return (user() - before) / count * 1e6, passed / count * 1e6

    found = _in_turns(steps, seconds, turn)
    figures = {}
    for name, turns in found.items():
        users, times = zip(*turns, strict=True)
        figures[name] = {"user_us": _quarter(users), "us": _quarter(times)}
    return figures


def chunks(subjects, direction, size, seconds):
    """What one chunk costs that is on its way alone, for each of {name: Subject}."""
    data = bytes(range(256)) * (size // 256 + 1)
    data = data[:size]
    steps = {name: functools.partial(DIRECTIONS[direction], subject, data) for name, subject in subjects.items()}
    return costs(subjects, steps, seconds)


def streams(subjects, direction, size, seconds):
    """Bytes per second in full flow, for each of {name: Subject}."""
    found = _in_turns(subjects, seconds, lambda _, subject, seconds: stream(subject, direction, size, seconds))
    return {name: _quarter(rates, of_the_largest=True) for name, rates in found.items()}


def stream(subject, direction, size, seconds):
    """Bytes per second while one end writes pieces of `size` as fast as they are taken; for `both` the sum."""
    senders = {"up": [_send_up], "down": [_send_down], "both": [_send_up, _send_down]}[direction]
    results = [None] * len(senders)
    piece = bytes(size)

    def run(i):
        results[i] = senders[i](subject, piece, seconds)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(1, len(senders))]
    for thread in threads:
        thread.start()
    run(0)
    for thread in threads:
        thread.join()
    if None in results:
        raise BenchError("the bytes got stuck")
    return sum(results)


def _send_up(subject, piece, seconds):
    return _flow(subject.terminal.write, lambda count: _take(subject.sock, count), piece, seconds)


def _send_down(subject, piece, seconds):
    return _flow(subject.sock.sendall, lambda count: len(subject.terminal.take(count)), piece, seconds)


def _flow(write, take, piece, seconds):
    """Writes in a thread, takes here."""
    state = {"sent": 0, "ended": False}

    def send():
        end = time.monotonic() + seconds
        while not state["ended"]:
            state["sent"] += len(piece)  # before it is written, so that nobody waits for more than there will be
            state["ended"] = time.monotonic() >= end
            write(piece)

    thread = threading.Thread(target=send)
    began = time.monotonic()
    thread.start()
    taken = 0
    while not state["ended"] or taken < state["sent"]:
        taken += take(1)
    thread.join()
    return taken / (time.monotonic() - began)


def _take(sock, count):
    taken = 0
    while taken < count:
        data = sock.recv(65536)
        if not data:
            raise BenchError("the connection has ended")
        taken += len(data)
    return taken


def commands(subjects, seconds):
    """One AT, for each of {name: Subject}."""
    return costs(subjects, {name: functools.partial(at, subject) for name, subject in subjects.items()}, seconds)


def at(subject):
    subject.terminal.write(b"AT\r\n")
    subject.terminal.until(b"OK\r\n")


def handshakes(firmware, bare, seconds):
    """A TLS link that is opened and closed again, by the firmware and by the bare loop: figures by their names."""
    port = firmware.listener.getsockname()[1]

    def ours():
        firmware.terminal.command(f'AT+CIPSTART="SSL","127.0.0.1",{port}')
        firmware.terminal.command("AT+CIPCLOSE")

    threads = [threading.Thread(target=_serve, args=(subject.listener,)) for subject in (firmware, bare)]
    for thread in threads:
        thread.start()
    try:
        steps = {firmware.name: ours, bare.name: functools.partial(at, bare)}
        return costs({firmware.name: firmware, bare.name: bare}, steps, seconds)
    finally:
        for subject, thread in zip((firmware, bare), threads, strict=True):
            subject.listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener):
    """Accepts connections and closes each when its peer does, until the listener is closed."""
    with contextlib.suppress(OSError):
        while True:
            with listener.accept()[0] as sock:
                sock.settimeout(LIMIT)
                sock.recv(1)


def connect(firmware, kind="TCP", number=None):
    """A link of the firmware to this process; returns the socket."""
    before = "" if number is None else f"{number},"
    firmware.terminal.command(f'AT+CIPSTART={before}"{kind}","127.0.0.1",{firmware.listener.getsockname()[1]}')
    return firmware.accept()


def blocks(subjects, size, seconds):
    """CIPSEND of `size` bytes, with the answers before and after, for each of {name: Subject} with a link."""
    return costs(subjects, {name: functools.partial(block, each, size) for name, each in subjects.items()}, seconds)


def block(firmware, size):
    firmware.terminal.command(f"AT+CIPSEND={size}", b">")
    firmware.terminal.write(bytes(size))
    _take(firmware.sock, size)
    firmware.terminal.until(b"SEND OK\r\n")


def reports(subjects, size, seconds):
    """One +IPD with `size` bytes, for each of {name: Subject} with a link."""
    return costs(subjects, {name: functools.partial(report, each, size) for name, each in subjects.items()}, seconds)


def report(firmware, size):
    firmware.sock.sendall(bytes(size))
    firmware.terminal.take(len(f"\r\n+IPD,{size}:") + size)


def five_links(firmware, seconds):
    """Bytes per second that come through five links at once."""
    firmware.terminal.command("AT+CIPMUX=1")
    socks = [connect(firmware, number=number) for number in range(5)]
    for sock in socks:
        sock.setblocking(False)
    data = bytes(65536)
    taken, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        readable, writable, _ = select.select([firmware.terminal.fd], socks, [], LIMIT)
        for sock in writable:
            sock.send(data)
        if readable:
            taken += len(firmware.terminal.read())
    return taken / (time.monotonic() - began)


def accepts(firmware, seconds):
    """Clients of the server per second: connect, be accepted, close, be told."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    firmware.terminal.command("AT+CIPMUX=1")
    firmware.terminal.command(f"AT+CIPSERVER=1,{port}")
    count, began = 0, time.monotonic()
    while time.monotonic() < began + seconds:
        with socket.create_connection(("127.0.0.1", port), LIMIT):
            firmware.terminal.until(b"CONNECT\r\n")
        firmware.terminal.until(b"CLOSED\r\n")
        count += 1
    return count / (time.monotonic() - began)


def leave(subject):
    """Out of passthrough."""
    time.sleep(_PAUSE)
    subject.terminal.write(b"+++")
    time.sleep(_PAUSE)
    subject.terminal.command("AT")


def starts(firmware, micropython=None):
    """Seconds from a new process to its `ready`, the least of some. `firmware` is {name: (Firmware, path)}; they are
    switched off and on through the simulator's control socket at the path; MicroPython alone is the bundled one, or
    the one at `micropython`. Returns {name: seconds}."""
    bare = [_TOOLS / "launch.py", *(["--micropython", micropython] if micropython else [])]
    bare += ["--script", _TOOLS / "bare/ready.py"]
    # The second is how the simulator starts it: without Python's module `site`, which finds the packages otherwise.
    packages = os.environ | {"PYTHONPATH": str(Path(importlib.util.find_spec("micropython_unix").origin).parent)}
    launches = {Bare.name: [sys.executable, *bare], BARE_BY_S: [sys.executable, "-S", *bare]}
    found = {}
    for _ in range(_STARTS):
        for name, (subject, control) in firmware.items():
            began = time.monotonic()
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(str(control))
                sock.sendall(b"power cycle\n")
                subject.terminal.until(b"ready\r\n")
            found.setdefault(name, []).append(time.monotonic() - began)
        for name, command in launches.items():
            began = time.monotonic()
            with subprocess.Popen(command, stdout=subprocess.PIPE, env=packages) as process:
                process.stdout.readline()
                found.setdefault(name, []).append(time.monotonic() - began)
    return {name: min(times) for name, times in found.items()}
