"""The TCP/IP chapter: what hosts that were made for ESP-AT 1.x still send.
Manual: ESP8266 AT Instruction Set, version 3.0 (ESP-AT 1.7)."""

from firmware.at import messages
from firmware.at.command import command
from firmware.at.messages import ATError


@command("AT+CIPCLOSEMODE", "id:0..4, abort:0..1?")
class CloseMode:
    """How the module closes a link: 0 as usual, 1 at once, with a reset. Of a single link the abort alone will do."""

    def set(at, number, abort):
        if abort is None:
            if at.links.multiple:
                raise ATError(messages.E_COUNT, 0x201)
            number, abort = 0, number
            if abort > 1:
                raise ATError()
        at.links.set_options(number, (0 if abort else -1, None, None, None))
