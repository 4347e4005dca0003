"""The Basic chapter: what a module is brought back to.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from firmware.at import messages
from firmware.at.command import command


@command("AT+RESTORE")
class Restore:
    """Forgets all settings on flash and restarts."""

    async def execute(at):
        at.settings.clear()
        at.port.write(messages.OK)
        await at.restart()
        return messages.NOTHING
