"""A little of everything at the same time on an ESP8266 with a heap of nearly its size, again and again: no restart, no
ERROR, every byte, every end of a link, and every datagram or its place in the count. A day of 500 cycles, which takes a
while, is `make test TEST="tests/test_mixed_day.py -n 0 -s --cycles 500"`."""

import pytest
from clients import serving
from datagrams import network
from mixedday import HOSTS, Clock, Day
from nameserver import Responder


@pytest.fixture
def servers(tmp_path):
    """A file of access points with a name server and a time server behind it."""
    names, clock = Responder({name: ["127.0.0.1"] for name in HOSTS}), Clock()
    yield network(tmp_path, f'dns = "{names.ip}:{names.port}"', f"ntp_port = {clock.port}")
    names.close()
    clock.close()


# What is done beside the links, and by how many bytes the heap is larger than the chip's: that is too small for all.
DAYS = [((), 0), (("names", "hosts", "time", "mdns"), 8192)]


@pytest.mark.parametrize("others, more", DAYS, ids=["links", "all"])
def test_a_mixed_day(start, small, servers, neighbour, request, others, more):
    *options, heap = small
    module = start("--board", "esp8266", *options, str(int(heap) + more), "--wifi", servers).join()
    module.command("AT+SYSLOG=1")
    day = Day(module, serving(module), neighbour, others)
    cycles = request.config.getoption("cycles")
    for number in range(cycles):
        day.cycle(number)
    largest, free, lowest, _ = day.memory()
    print(
        f"{cycles} cycles, {day.host.commands} commands: {lowest} bytes were free at the least; now {free} are, "
        f"{largest} in one piece; {day.received} of {day.sent} datagrams came, {day.lost} were counted as dropped"
    )
    assert not day.host.problems, "\n".join(day.host.problems)
    assert day.received + day.lost == day.sent and day.dropped() == [0, day.lost, 0]
    module.settled()
