"""What stock firmware does not have: the MicroPython below, and the version that is claimed.
These commands are of this firmware alone, so their names begin with MPY."""

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
