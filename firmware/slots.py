"""The two slots of the flash that hold a firmware each, and the file that says which of them is started.
boot.py reads it, and starts slot 1 from /b; see there for what is in it."""

import os
import sys

FILE = "/slot"
_NEW = "/slot.new"


def running():
    """The number of the slot that this firmware was started from."""
    return int(sys.path[0] == "/b")


def read():
    """The five words of the file, or what they would be if nothing was ever updated."""
    try:
        with open(FILE) as file:
            words = file.read(99).split()
        if len(words) == 5:
            return words
    except (OSError, ValueError):
        pass
    return [str(running()), "0", "0", "-", "-"]


def write(words):
    """Replaces the file in one step."""
    with open(_NEW, "w") as file:
        file.write(" ".join(words))
    os.rename(_NEW, FILE)


def spoil(slot, version):
    """Says that a slot is going to be written, and the version of the one that runs, and starts next as well."""
    words = [str(1 - slot), "0", "0", "-", "-"]
    words[4 - slot] = version
    write(words)


def switch(slot, version, running_version):
    """Has the next start begin the trial of a slot."""
    words = [str(slot), "1", "0", version, version]
    words[4 - slot] = running_version
    write(words)


def kind(board):
    """The module for the slot that does not run."""
    if board.ROM_SLOTS:
        try:
            os.stat("/firmware")
        except OSError:
            from firmware import slot_rom

            return slot_rom
    from firmware import slot_files

    return slot_files


def settle(at, news):
    """Once the firmware is ready: it is on trial no longer, and a host whose update has failed hears of that. `news` is
    the timer that would have ended the trial, or a number."""
    from firmware.buildinfo import VERSION

    words = read()
    slot = running()
    if isinstance(news, int):
        at.port.write(b"+CIPUPDATE:-1\r\n")
        at.port.flush()
    else:
        news.deinit()
    words[:3] = str(slot), "0", "0"
    words[3 + slot] = VERSION
    write(words)
