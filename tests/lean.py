"""A module whose memory is taken away: up to its last bytes, and each time some more are left."""

import random
import re

import pytest
from peers import Peer

BLOCK = 16  # bytes that MicroPython gives at a time on 32 bits
MOST = 8192  # what no command needs
ENOUGH = 12  # so often in a row a line has to work before more memory is not tried any more
SAMPLE = 6
RESULT = rb"\r\n(OK|ERROR|SEND OK|SEND FAIL)\r\n"


class Lean:
    """A module whose memory is taken away. `every` says that no amount of it is left out."""

    def __init__(self, module, every):
        self.module = module
        self._every = every
        self._dice = random.Random(1)
        self.freed = False

    def amounts(self):
        """Pairs of the bytes that are left, and whether no command is in memory at that time. `worked` says that the
        last amount was enough."""
        if not self._every:
            near = self._dice.sample(range(0, 1024, BLOCK), SAMPLE // 2)
            for left in sorted(near + self._dice.sample(range(1024, MOST // 2, BLOCK), SAMPLE - SAMPLE // 2)):
                yield left, bool(self._dice.randrange(2))
            return
        for cold in (False, True):
            row = 0
            for left in range(0, MOST, BLOCK):
                self.worked = False
                yield left, cold
                row = row + 1 if self.worked else 0
                if row == ENOUGH:
                    break

    def control(self, line):
        assert self.module.control(line) == "ok"

    def forget(self):
        """Has the module drop the commands that it has loaded."""
        self.control("memory leave 0")
        self.ask("AT")
        self.control("memory leave all")

    def take(self, left, cold):
        if cold:
            self.forget()
        self.control(f"memory leave {left}")

    def give(self):
        """All memory is there again, and the module is well."""
        self.control("memory leave all")
        self.module.write(b"AT\r\n")
        said = self.module.match(b".*?" + RESULT)[0]
        # MicroPython may take what is left on its stack for a hold on the memory, so it collects again elsewhere.
        self.control("memory leave all")
        self.module.write(b"AT\r\n")
        more = self.module.match(rb".*?\r\nOK\r\n")[0]
        assert len(re.findall(RESULT, said + more)) == 2, said + more
        assert b"ready" not in said + more, said + more
        return re.sub(rb"(ERR CODE:0x\w+\r\n)?" + RESULT, b"", said + more)

    def ask(self, line):
        """The answer to a line, with its one final result."""
        self.module.send(line)
        return self.module.match(b".*?" + RESULT)[0]

    def must(self, line):
        answer = self.ask(line)
        assert answer.endswith(b"\r\nOK\r\n"), (line, answer)
        return re.sub(rb"(WIFI [A-Z ]+|\+TIME_UPDATED)\r\n|\d,CLOSED\r\n", b"", answer)

    def attempt(self, line, left, cold):
        """The answer to a line when so much is left, with what came behind it."""
        self.take(left, cold)
        answer = self.ask(line)
        assert b"ready" not in answer, answer
        self.worked = answer.endswith(b"OK\r\n")
        return answer + self.give()


@pytest.fixture
def lean(start, small, request):
    *options, heap = small
    # The stand-in for select takes a little.
    module = start("--board", "esp8266", *options, str(int(heap) + 1024), "--memory").join()
    module.command("AT+SYSLOG=1")
    return Lean(module, request.config.getoption("every_allocation"))


@pytest.fixture
def peer():
    peer = Peer()
    yield peer
    peer.close()


def each(lean, line, verify=None):
    for left, cold in lean.amounts():
        try:
            verify(left, cold)
        except AssertionError as error:
            state = "without commands" if cold else "with the last commands"
            said = f"{line!r}, {left} bytes left, {state}: {error}\n{lean.module.console()}"
            raise AssertionError(said) from error


@pytest.fixture
def linked(lean, peer):
    """A lean module with a link to the peer."""
    lean.must(f'AT+CIPSTART="TCP","127.0.0.1",{peer.port}')
    peer.accept()
    return lean
