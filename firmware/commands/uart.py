"""The Basic chapter: the AT port's own UART.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

from firmware import commands
from firmware.at import messages
from firmware.at.command import ALWAYS, command
from firmware.at.messages import ATError

_UART = "baud:80..5000000, bits:5..8, stop:1..3, parity:0..2, flow:0..3"


@command("AT+UART_CUR", _UART)
class UartNow:
    """The UART's settings until the next start. The OK leaves at the old rate; after a change the host waits 20 ms. The
    USB of an ESP32 takes only 115200,8,1,0,0."""

    def query(at):
        at.line("+UART_CUR:%d,%d,%d,%d,%d", *at.line_settings)

    async def set(at, *values):
        _check_uart(at, *values)
        await _change_uart(at, values)


@command("AT+UART_DEF", _UART, saved=ALWAYS)
class UartSaved:
    """The UART's settings, kept in flash. The OK leaves at the old rate; on USB and after a change as AT+UART_CUR."""

    def query(at):
        _show_saved(at, "_DEF")

    async def set(at, *values):
        await _save_uart(at, values)


@command("AT+UART", _UART)
class Uart:
    """The old name of AT+UART_DEF."""

    def query(at):
        _show_saved(at, "")

    async def set(at, *values):
        await _save_uart(at, values)


def _show_saved(at, ending):
    at.line("+UART%s:%d,%d,%d,%d,%d", ending, *at.settings.get("UART_DEF", [at.board.BAUD, 8, 1, 0, 0]))


async def _save_uart(at, values):
    _check_uart(at, *values)
    await _change_uart(at, values, True)


def _check_uart(at, *values):
    """ATError for what this chip's UART cannot do: 1.5 stop bits no port can, and on USB there is nothing to change."""
    if at.board.UART == "usb":
        for i, only in enumerate((at.board.BAUD, 8, 1, 0, 0)):
            if values[i] != only:
                raise ATError(messages.E_RANGE, i)
    baud, _, stop, _, flow = values
    if baud > at.board.BAUD_MAX:
        raise ATError(messages.E_RANGE, 0)
    if stop == 2:
        raise ATError(messages.E_RANGE, 2)
    if flow and not at.board.FLOW_CONTROL:
        raise ATError(messages.E_RANGE, 4)


async def _change_uart(at, values, saves=False):
    commands.need()  # behind the OK nothing may be missing
    if saves:
        # The OK must leave at the old rate, so it comes before the interpreter would save.
        at.settings.put("UART_DEF", list(values), ALWAYS)
    now = tuple(at.line_settings)
    same_rate = values[:4] == now[:4]
    at.interpreter.answer()
    if values == now:
        return messages.NOTHING
    # The host has its OK before this is over, so its next line must not meet `busy p...`.
    at.port.deaf = True
    try:
        # With the new settings the ports drop what was not read. At another rate what comes before the OK has left is
        # still right, and what comes after it is not.
        if not same_rate:
            at.port.fetch()
        await at.port.empty()
        if same_rate:
            at.port.fetch()
        at.board.configure(at.uart, values)
    finally:
        at.port.deaf = False
    at.line_settings = values
