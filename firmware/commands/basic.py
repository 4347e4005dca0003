"""The Basic chapter: the module itself, its port, its memory, its settings.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

import gc
import sys

from firmware import buildinfo, commands
from firmware.at import messages
from firmware.at.command import ALWAYS, STORE, command
from firmware.at.messages import ATError

_UART = "baud:80..5000000, bits:5..8, stop:1..3, parity:0..2, flow:0..3"


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


@command("AT+RST", anytime=True)
class Restart:
    """Restarts the module, even while another command runs."""

    async def execute(at):
        at.port.write(messages.OK)
        await at.restart()
        return messages.NOTHING


@command("AT+GMR")
class Version:
    """Tells versions: the AT dialect that is claimed, MicroPython, this firmware."""

    def execute(at):
        mark = buildinfo.HASH
        at.line("AT version:%s(%s - %s - %s)", at.board.COMPAT, mark, at.board.CHIP, buildinfo.DATE)
        at.line("SDK version:v%d.%d.%d", *sys.implementation.version[:3])
        at.line("compile time(%s):%s", mark, buildinfo.DATE)
        at.line("Bin version:%s(%s)", buildinfo.VERSION, at.board.CHIP)


@command("AT+CMD")
class Commands:
    """Lists all commands and which forms each has: test, query, set, execute."""

    async def query(at):
        for number, (name, flags) in enumerate(commands.every()):
            await at.port.room()
            forms = [flags >> i & 1 for i in range(4)]
            at.line('+CMD:%d,"%s",%d,%d,%d,%d', number, name, *forms)


@command("AT+SYSRAM")
class Memory:
    """Free heap now, and the least that a collection ever found, in bytes."""

    def query(at):
        gc.collect()
        free = gc.mem_free()
        at.line("+SYSRAM:%d,%d", free, min(free, at.loop.lowest))


@command("AT+SYSLOG", "status:0..1")
class ErrorLog:
    """1: an ERROR is preceded by a line with the error's code."""

    def query(at):
        at.line("+SYSLOG:%d", at.interpreter.log)

    def set(at, status):
        at.interpreter.log = bool(status)


@command("AT+SYSSTORE", "mode:0..1")
class Store:
    """0: settings change in RAM only. 1, as at start: they go to flash too."""

    def query(at):
        at.line("+SYSSTORE:%d", at.settings.store)

    def set(at, mode):
        at.settings.store = bool(mode)


@command("AT+SYSMSG", "state:0..7", saved=STORE)
class Prompts:
    """Which reports come, by bits: 0 +QUITT after passthrough, 1 +LINK_CONN for CONNECT, 2 links in passthrough."""

    def query(at):
        at.line("+SYSMSG:%d", at.settings.get("SYSMSG", [0])[0])

    def set(at, state):
        at.reports.detailed = bool(state & 2)


@command("AT+UART_CUR", _UART)
class UartNow:
    """The UART's settings until the next start. The OK leaves at the old rate."""

    def query(at):
        at.line("+UART_CUR:%d,%d,%d,%d,%d", *at.line_settings)

    async def set(at, *values):
        _check_uart(at, *values)
        return await _change_uart(at, values)


@command("AT+UART_DEF", _UART, saved=ALWAYS)
class UartSaved:
    """The UART's settings, kept in flash. The OK leaves at the old rate."""

    def query(at):
        at.line("+UART_DEF:%d,%d,%d,%d,%d", *at.settings.get("UART_DEF", [at.board.BAUD, 8, 1, 0, 0]))

    async def set(at, *values):
        _check_uart(at, *values)
        # The OK must leave at the old rate, so it comes before the interpreter would save.
        at.settings.put("UART_DEF", list(values), ALWAYS)
        return await _change_uart(at, values)


def _check_uart(at, baud, bits, stop, parity, flow):
    """ATError for what this chip's UART cannot do: 1.5 stop bits no port can."""
    if baud > at.board.BAUD_MAX:
        raise ATError(messages.E_RANGE, 0)
    if stop == 2:
        raise ATError(messages.E_RANGE, 2)
    if flow and not at.board.FLOW_CONTROL:
        raise ATError(messages.E_RANGE, 4)


async def _change_uart(at, values):
    at.port.write(messages.OK)
    # The host has its OK before this is over, so its next line must not meet `busy p...`.
    at.port.deaf = True
    try:
        await at.port.empty()
        at.board.configure(at.uart, values)
    finally:
        at.port.deaf = False
    at.line_settings = values
    return messages.NOTHING


@command("AT+RESTORE")
class Restore:
    """Forgets all settings on flash and restarts."""

    async def execute(at):
        at.settings.clear()
        at.port.write(messages.OK)
        await at.restart()
        return messages.NOTHING
