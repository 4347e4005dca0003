"""The power goes at every single write to the flash, and again and again: each setting is the old one or the new one,
never neither, and the module always starts."""

import pytest
from flashimage import power_cycle
from saved import DEFAULTS, answers, settings

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
NETWORKS = "".join(f'[[ap]]\nssid = "{name}"\npassword = "{name * 4}"\njoin_ms = 0\n' for name in ("red", "blue"))
# Each change, and the answer to the query of its setting from then on.
CHANGES = [
    ("AT+SYSMSG=2", "SYSMSG:2"),
    ('AT+CWJAP="red","redredredred"', 'CWSTATE:"red"'),
    ("AT+CIPRECONNINTV=36000", "CIPRECONNINTV:36000"),
    ("AT+UART_DEF=9600,7,3,2,0", "UART_DEF:9600,7,3,2,0"),
    ("AT+CWMODE=3", "CWMODE:3"),
    ('AT+CIPDNS=1,"10.0.0.1","10.0.0.2"', 'CIPDNS:1,"10.0.0.1","10.0.0.2"'),
    ("AT+CIPTCPOPT=10,1,5000,7200", "CIPTCPOPT:0,10,1,5000"),
    ("AT+SYSMSG=7", "SYSMSG:7"),
    ("AT+CWMODE=1", "CWMODE:1"),
    ('AT+CWJAP="blue","blueblueblueblue"', 'CWSTATE:"blue"'),
    ('AT+CIPDNS=1,"10.0.0.3"', 'CIPDNS:1,"10.0.0.3"'),
    ("AT+CIPRECONNINTV=1", "CIPRECONNINTV:1"),
    ("AT+UART_DEF=4000000,8,1,0,0", "UART_DEF:4000000,8,1,0,0"),
    ("AT+CIPTCPOPT=-1,0", "CIPTCPOPT:0,-1,0,5000"),
    ("AT+CWMODE=3", "CWMODE:3"),
    ("AT+CIPDNS=0", "CIPDNS:0"),
    ("AT+SYSMSG=0", "SYSMSG:0"),
    ("AT+UART_DEF=115200,8,1,0,0", "UART_DEF:115200,8,1,0,0"),
    ("AT+CIPTCPOPT=0,1,1,1", "CIPTCPOPT:0,0,1,1"),
    ("AT+CWAUTOCONN=0", "CWAUTOCONN:0"),
]
# The tests of one board that share the writes among them, so that they can run side by side.
SHARES = 4


def after(changes):
    """The settings after so many of the changes."""
    expected = dict(DEFAULTS)
    for _, line in CHANGES[:changes]:
        name, _, value = line.partition(":")
        expected[name] = value
    if expected["CWAUTOCONN"] == "0":
        expected["CWSTATE"] = '""'
    return expected


def change_until_cut(module, changes):
    """Makes the changes one after the other; returns how many were answered OK before the power went."""
    for done, (command, _) in enumerate(changes):
        module.received.clear()
        module.send(command)
        if answers(module) is None:
            return done
    return len(changes)


@pytest.fixture
def bench(start, tmp_path):
    """A function that starts a module of one's own on a flash that can be looked at."""

    def bench(board):
        module = start("--board", board, "--flash", tmp_path / "flash.img", wifi=NETWORKS)
        module.flash = tmp_path / "flash.img"
        return module

    return bench


def renew(module, image, writes):
    """Switches a module that is off on with this on its flash, and has the power go after so many writes."""
    module.flash.write_bytes(image)
    power_cycle(module)
    assert module.control(f"power cut after {writes} writes") == "ok"


def switch_off(module):
    """Has the power go at the next write, and makes one: the flash may only be exchanged while the chip is off."""
    assert module.control("power cut after 1 writes") == "ok"
    module.send("AT+UART_DEF=300,5,1,0,0")
    assert answers(module) is None


@pytest.mark.parametrize("share", range(SHARES))
@BOARDS
def test_power_cut_at_every_write(bench, board, share):
    module = bench(board)
    image = module.flash.read_bytes()
    for writes in range(1 + share, 10000, SHARES):
        switch_off(module)
        renew(module, image, writes)
        done = change_until_cut(module, CHANGES)
        power_cycle(module)
        found, old, new = settings(module), after(done), after(done + 1)
        for name, value in found.items():
            assert value in (old[name], new[name]), (writes, done, name)
        if done == len(CHANGES):
            break
    # Saving anything takes more than one write.
    assert writes > 2 * len(CHANGES)
    assert "settings:" not in module.console()


@BOARDS
def test_power_cut_while_restoring(bench, board):
    module = bench(board)
    assert change_until_cut(module, CHANGES) == len(CHANGES)
    image = module.flash.read_bytes()
    writes = 0
    cut = True
    while cut:
        writes += 1
        switch_off(module)
        renew(module, image, writes)
        module.send("AT+RESTORE")
        cut = answers(module) is None
        power_cycle(module)
        found = settings(module)
        assert found == DEFAULTS or (cut and found == after(len(CHANGES)))
    assert writes > 1


@BOARDS
def test_twenty_power_cycles(bench, board):
    module = bench(board)
    assert change_until_cut(module, CHANGES[:-1]) == len(CHANGES) - 1
    for _ in range(20):
        power_cycle(module)
        assert settings(module) == after(len(CHANGES) - 1)


@BOARDS
def test_what_is_so_already_is_not_written(bench, board):
    module = bench(board)
    assert change_until_cut(module, CHANGES) == len(CHANGES)
    # The newest change of each setting is made again, before and after a restart, which writes nothing itself.
    newest = {line.partition(":")[0]: command for command, line in CHANGES}
    assert module.control("power cut after 1 writes") == "ok"
    for _ in range(2):
        for command in newest.values():
            module.received.clear()
            module.send(command)
            assert answers(module), command
        module.send("AT+RST")
        module.match(r".*\r\nOK\r\n\r\nready\r\n")
    assert settings(module) == after(len(CHANGES))
    switch_off(module)
