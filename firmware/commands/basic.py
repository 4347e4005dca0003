"""The Basic chapter: what every host sends first. The rest of it is in modules of its own, as few hosts send that.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

import sys

import machine

from firmware import buildinfo
from firmware.at.command import command
from firmware.at.messages import ATError


@command("AT")
class Attention:
    """Answers OK, so that a host can find the module."""

    def execute(at):
        pass


@command("ATE0")
class EchoOff:
    """Stops the echo, from the next line on."""

    def execute(at):
        at.port.echo = False


@command("ATE1")
class EchoOn:
    """Echoes each byte as it arrives. This is so at start."""

    def execute(at):
        at.port.echo = True


@command("AT+RST", "mode:0..1", anytime=True)
class Restart:
    """Restarts the module, even while another command runs. mode 1: into the chip's loader, where esptool finds it; an
    ERROR on the ESP8266, the plain ESP32, and the C5 and C6, whose ports cannot."""

    async def execute(at):
        at.interpreter.answer()
        await at.restart()

    async def set(at, mode):
        loader = getattr(machine, "bootloader", None)
        if mode and not loader:
            raise ATError()
        at.interpreter.answer()
        await at.restart()
        if mode:
            loader()


@command("AT+GMR")
class Version:
    """Tells versions: the AT dialect that is claimed, MicroPython, this firmware."""

    def execute(at):
        mark = buildinfo.HASH
        compat = at.settings.get("MPYVERSION", [""])[0] or at.board.COMPAT
        at.line("AT version:%s(%s - %s - %s)", compat, mark, at.board.CHIP, buildinfo.DATE)
        at.line("SDK version:v%d.%d.%d", *sys.implementation.version[:3])
        at.line("compile time(%s):%s", mark, buildinfo.DATE)
        at.line("Bin version:%s(%s)", buildinfo.VERSION, at.board.CHIP)
