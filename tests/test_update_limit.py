"""The limits of an update's time: a server that says nothing, and three minutes for everything.
The bench lets that time pass."""

import time

import bundles
import pytest
from test_download import bundle, update  # noqa: F401  a fixture
from test_update import board, restarted, server, slots, version  # noqa: F401  fixtures

CONNECTIONS = 1000  # more than are tried
KEPT = 2000  # bytes that commands may take, and no update does
MOMENT = 0.05  # seconds for what happens at once, before more time passes


@pytest.fixture
def module(start, server, board, bundle):  # noqa: F811
    module = start("--board", board, "--update-key", bundles.public(), "--time")
    module.join()
    module.command(f'AT+MPYUPDATE="{server.url}"')
    return module


def later(module, seconds, condition):
    """Lets so much time pass, again and again, until the condition holds."""
    for _ in range(40):
        assert module.control(f"time pass {seconds}") == "ok"
        end = time.monotonic() + MOMENT
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.002)
    raise AssertionError(f"nothing happens: {module.received}")


def free(module):
    module.send("AT+SYSRAM?")
    return int(module.match(r"\+SYSRAM:(\d+),\d+\r\n\r\nOK\r\n")[1])


def test_silence(module, server, bundle):  # noqa: F811
    """A server that says nothing for ten seconds is asked again; before that it is not."""
    server.next(stall=len(bundle) // 2)
    server.next("versions", stall=3)
    module.send('AT+CIUPDATE=0,"9.0.0",,1')
    module.expect("⏎OK⏎+CIPUPDATE:1⏎+CIPUPDATE:2⏎")
    server.wait(1, "versions")
    module.control("time pass 9")
    module.settled()
    assert len(server.asked("versions")) == 1
    later(module, 4, lambda: server.asked(".atb"))
    module.expect("+CIPUPDATE:3⏎")
    later(module, 10, lambda: len(server.asked(".atb")) > 1)
    module.expect("+CIPUPDATE:4⏎")
    module.settled()
    assert len(server.asked("versions")) == 2
    first, second = server.ranges()
    assert first is None and second.startswith("bytes=")


def test_three_minutes(module, server, board, bundle):  # noqa: F811
    """Whatever the server does: nothing is switched, the memory is given back, and the next update works."""
    left = []
    reached = r"(\+CIPUPDATE:\d\r\n|\+MPYUPDATE:\d+,\d+\r\n)*"
    # The last one would get there, but too late.
    for blocking, plan in ((1, dict(stall=0)), (0, dict(drop=0)), (0, dict(drop=100))):
        server.next(drop=len(bundle) // 2)
        server.next(times=CONNECTIONS, **plan)
        before = len(server.requests)
        module.send("AT+SYSLOG=1")
        module.expect("⏎OK⏎")
        module.send(f'AT+CIUPDATE=0,"9.0.0",,{1 - blocking}')
        server.wait(before + 3)
        later(module, 9.5, lambda: module.said() and b"the time is over" in module.received)
        if blocking:
            module.match(reached + r"the time is over\r\nERR CODE:0x010a\w\w\w\w\r\n\r\nERROR\r\n")
        else:
            module.match(rf"\r\nOK\r\n{reached}the time is over\r\n\+CIPUPDATE:-1\r\n")
        module.command("AT+SYSLOG=0")
        module.send("AT+CIUPDATE?")
        module.expect("+CIPUPDATE:-1⏎⏎OK⏎")
        assert version(module) == "0.1.0"
        assert slots(module) == '0,"0.1.0",1,"-"'
        server.forget()
        left.append(free(module))
        assert left[-1] > left[0] - KEPT, left
        if board == "esp8266":  # which has not the memory for many of them, see docs/updates.md
            module.send("AT+RST")
            module.expect("⏎OK⏎")
            restarted(module)
    update(module)
