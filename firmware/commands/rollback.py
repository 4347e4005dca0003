"""The part of the Basic chapter about the two slots of the firmware, and updates from a URL, which the manual has among
the user's commands. Manual: Basic_AT_Commands.rst and user_at_commands.rst of espressif/esp-at, HEAD."""

from firmware import commands
from firmware.at import messages
from firmware.at.command import command
from firmware.at.messages import ATError


@command("AT+SYSROLLBACK")
class Rollback:
    """Starts the firmware in the other slot, if that was ready before and is still whole. The query tells the slots and
    their versions: of the one that runs, and of the other one, with - where there is none."""

    def query(at):
        from firmware import buildinfo, slots

        slot = slots.running()
        other = slots.read()[4 - slot]
        at.line('+SYSROLLBACK:%d,"%s",%d,"%s"', slot, buildinfo.VERSION, 1 - slot, other)

    async def execute(at):
        from firmware import update

        return await update.back(at)


@command("AT+USEROTA", "url_len:1..2048")
class FromUrl:
    """Updates as CIUPDATE does, from the URL of a bundle, which the prompt asks for. The bundle has to be newer.
    With https MPYUPDATE says what is verified."""

    async def set(at, length):
        from firmware.at.data import collect

        if not at.radio.online():
            raise ATError()
        url = bytearray(length)
        if not await collect(at, url):
            return messages.SEND_CANCELED
        at.port.write(messages.RECEIVED % length)
        commands.drop()  # there is never too much memory for an update
        from firmware import update

        try:
            url = url.decode()
        except UnicodeError:
            raise ATError()
        return await update.wait(at, url, None, None)
