"""The Basic chapter: what a module is brought back to, and the chip's registers.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

import machine

from firmware.at.command import command
from firmware.at.messages import ATError


@command("AT+RESTORE")
class Restore:
    """Forgets all settings on flash and restarts."""

    async def execute(at):
        at.settings.clear()
        at.interpreter.answer()
        await at.restart()


@command("AT+SYSREG", "direct:0..1, address:0..4294967295, value:0..4294967295?")
class Register:
    """Reads (0) or writes (1) a register of the pins, GPIO_... in the chip's reference manual. All others are an ERROR,
    as most of them can stop the chip or damage the flash."""

    def set(at, direct, address, value):
        offset = address - at.board.REGISTERS.get(at.board.CHIP, address + 1)
        if not 0 <= offset < at.board.REGISTERS_SIZE or address & 3 or (value is None) == bool(direct):
            raise ATError()
        if direct:
            machine.mem32[address] = value
        else:
            at.line("+SYSREG:0x%x", machine.mem32[address])
