"""`+++` among everything else: random streams of chunks, silences and pluses, and a model that knows what must become
of them. A stream ends with the host outside passthrough, because of the stream itself or of a last `+++`."""

import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from module import Module
from peers import Peer

# Silences (s) that are clearly less or clearly more than the 20 ms around `+++`; a loaded machine adds to both.
SHORT = (0, 0, 0.001, 0.003)
LONG = (0.05, 0.07)
GUARD = 0.02
# So many simulators at a time: most of a stream is waiting, so they share the processors well.
TOGETHER = 12


def stream(dice):
    """A stream: pieces of data, each with the silence before it."""
    pieces = []
    for _ in range(dice.randint(1, 8)):
        kind = dice.random()
        if kind < 0.45:
            data = b"+" * dice.choice((1, 1, 1, 2, 2, 3, 3, 3, 3, 4, 6))
        elif kind < 0.6:
            data = b"+" * dice.randint(0, 4) + dice.randbytes(dice.randint(1, 4)) + b"+" * dice.randint(0, 4)
        else:
            data = dice.randbytes(dice.choice((1, 2, 3, 50, 253, 256, 259, 600)))
        # The first silence is long, as the time since the command before it is not known.
        silences = LONG if not pieces or dice.random() < 0.45 else SHORT
        pieces.append((dice.choice(silences), data))
    return pieces


def model(pieces):
    """What the peer gets of a stream that a long silence follows, and how many pieces belong to passthrough."""
    bursts = []  # what comes without a long silence in it
    for number, (silence, data) in enumerate(pieces):
        if silence > GUARD or not bursts:
            bursts.append([b"", 0])
        bursts[-1] = [bursts[-1][0] + data, number + 1]
    got = b""
    for data, used in bursts:
        if data == b"+++":
            return got, used
        got += data
    return got, None


def test_the_model():
    assert model([(0, b"a"), (0.05, b"+++")]) == (b"a", 2)
    assert model([(0, b"a"), (0.05, b"+"), (0, b"++"), (0.05, b"AT")]) == (b"a", 3)
    assert model([(0, b"a"), (0, b"+++")]) == (b"a+++", None)
    assert model([(0, b"a"), (0.05, b"+++"), (0, b"b")]) == (b"a+++b", None)
    assert model([(0, b"a"), (0.05, b"++++")]) == (b"a++++", None)
    assert model([(0, b"a"), (0.05, b"+"), (0.05, b"++")]) == (b"a+++", None)


class Runner:
    """A module in passthrough, and the peer of its link."""

    def __init__(self, folder, *options, baud=None):
        folder.mkdir(parents=True)
        self.module = module = Module(folder, *options)
        self.peer = Peer()
        self.baud = baud
        self.busy_until = 0
        module.send('AT+CWJAP="mpy-at","12345678"')
        module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
        # With flow control, as no stream of data is to be lost at any speed; and with a word when passthrough ends.
        if baud:
            module.command(f"AT+UART_CUR={baud},8,1,0,3")
        module.command("AT+SYSMSG=1")
        module.send(f'AT+CIPSTART="TCP","127.0.0.1",{self.peer.port}')
        self.peer.accept()
        module.expect("CONNECT⏎⏎OK⏎")
        module.command("AT+CIPMODE=1")

    def run(self, pieces):
        """Plays a stream; returns what is wrong with what became of it, or None."""
        module = self.module
        wanted, used = model(pieces)
        module.send("AT+CIPSEND")
        module.expect("⏎OK⏎⏎>")
        for silence, data in pieces[:used]:
            self.write(silence, data)
        if wanted and self.peer.get(len(wanted)) != wanted:
            return f"wanted {wanted!r}: {pieces!r}"
        if used is None:
            if module.said():
                return f"left too early: {pieces!r}"
            self.write(LONG[0], b"+++")
        module.expect("⏎+QUITT⏎")
        return None

    def write(self, silence, data):
        """Writes after a silence, which begins when the line has carried what was written before."""
        # The silence is the host's: there is no event to wait for.
        if silence > GUARD:
            silence += max(self.busy_until - time.monotonic(), 0)
        time.sleep(silence)
        self.module.write(data)
        if self.baud:
            self.busy_until = max(self.busy_until, time.monotonic()) + len(data) * 10 / self.baud

    def stop(self):
        self.peer.close()
        self.module.stop()


def play(folder, streams, *options, baud=None):
    """Plays streams on a module of their own; returns the faults.

    The silences of a stream are real time, which a busy machine can stretch or swallow. So a stream with a fault is
    played again, on a new module: what the firmware does wrong, it does wrong each time."""
    runner = None
    faults = []
    modules = itertools.count()
    for pieces in streams:
        for last in (False, False, True):
            runner = runner or Runner(folder / str(next(modules)), *options, baud=baud)
            try:
                fault = runner.run(pieces)
            except (AssertionError, OSError) as error:
                fault = f"{error!r}: {pieces!r}"
            if not fault:
                break
            runner.stop()
            runner = None
            if last:
                faults.append(fault)
    if runner:
        runner.stop()
    return faults


def play_all(folder, streams, *options, baud=None):
    with ThreadPoolExecutor(TOGETHER) as pool:
        lots = [streams[number::TOGETHER] for number in range(TOGETHER)]
        jobs = [pool.submit(play, folder / f"lot{number}", lot, *options, baud=baud) for number, lot in enumerate(lots)]
        return [fault for job in jobs for fault in job.result()]


def test_two_thousand_streams(tmp_path):
    dice = random.Random(2000)
    streams = [stream(dice) for _ in range(2000)]
    left = sum(model(pieces)[1] is not None for pieces in streams)
    assert 300 < left < 1700  # both answers are common
    assert not play_all(tmp_path, streams)


@pytest.mark.parametrize("baud", [115200, 921600])
def test_streams_at_the_pace_of_the_line(tmp_path, baud):
    dice = random.Random(baud)
    assert not play_all(tmp_path, [stream(dice) for _ in range(160)], "--pace", baud=baud)
