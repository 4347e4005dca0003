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
    """The words of the file, or what they would be if nothing was ever updated."""
    try:
        with open(FILE) as file:
            words = file.read(99).split()
        if len(words) in (5, 7):
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
    """Has the next start begin the trial of a Slot; ValueError if the chip does not take its image of MicroPython."""
    before = read()
    words = [str(slot.number), "1", "0", version, version]
    words[4 - slot.number] = running_version
    write(words + list(slot.labels))
    if slot.labels:
        slot.boot(before)


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
    return board.images()


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
    if not at.board.ROM_SLOTS:
        at.board.images().confirm()
    words[:3] = str(slot), "0", "0"
    words[3 + slot] = VERSION
    write(words)
