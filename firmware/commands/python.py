"""What stock firmware does not have: the MicroPython below, and the version that is claimed.
These commands are of this firmware alone, so their names begin with MPY."""

import gc
import os
import sys
from time import ticks_diff, ticks_ms

from firmware.at import messages
from firmware.at.command import ALWAYS, command
from firmware.at.messages import ATError


@command("AT+MPYVERSION", "version:text15?", saved=ALWAYS)
class Claim:
    """The ESP-AT version that AT+GMR claims, as some hosts change their ways by it; "" is the chip's usual one."""

    def query(at):
        at.line('+MPYVERSION:"%s"', at.settings.get("MPYVERSION", [""])[0] or at.board.COMPAT)

    def set(at, version):
        for number in (version or "0").split("."):
            if not number.isdigit():
                raise ATError(messages.E_PARSE, 0)
        at.interpreter.keep(version or "")


@command("AT+MPYINFO")
class Info:
    """MicroPython's version, the board, free and used heap in bytes, seconds since the start; after 12 days the seconds
    begin at 0 again."""

    def query(at):
        gc.collect()
        heap = gc.mem_free(), gc.mem_alloc()
        # The chip's counter of milliseconds has 30 bits.
        uptime = ticks_diff(ticks_ms(), at.began) % (1 << 30) // 1000
        version = "%d.%d.%d" % tuple(sys.implementation.version[:3])
        at.line('+MPYINFO:"%s","%s",%d,%d,%d', version, os.uname().machine, *heap, uptime)


@command("AT+MPYREPL")
class Prompt:
    """Gives the port to MicroPython's prompt, for mpremote and its kin, after closing all links. The module's next
    start, by machine.reset() or Ctrl-D at the prompt, brings the AT port back."""

    async def execute(at):
        at.links.end_all()
        at.interpreter.answer()
        at.port.deaf = True  # what comes from now on is for the prompt
        await at.restart()
        at.returns = True
