"""The Basic chapter: the list of commands, the memory, and how the module behaves.
Manual: Basic_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266."""

import gc

from firmware import commands
from firmware.at.command import STORE, command


@command("AT+CMD")
class Commands:
    """Lists all commands and which forms each has: test, query, set, execute."""

    async def query(at):
        for number, (name, flags) in enumerate(commands.every()):
            await at.port.room()
            forms = [flags >> i & 1 for i in range(4)]
            at.line('+CMD:%d,"%s",%d,%d,%d,%d', number, name, *forms)


@command("AT+SYSRAM", "caps:0..4294967295")
class Memory:
    """Free heap now, and the least that a collection ever found, in bytes. Set: largest free block, free, least free
    and all bytes, on the ESP32 of the memory with these capabilities of ESP-IDF, on the ESP8266 of the heap."""

    def query(at):
        gc.collect()
        free = gc.mem_free()
        at.line("+SYSRAM:%d,%d", free, min(free, at.loop.lowest))

    def set(at, caps):
        try:
            from esp32 import idf_heap_info
        except ImportError:
            gc.collect()
            free = gc.mem_free()
            heaps = [(free + gc.mem_alloc(), free, _largest(free), min(free, at.loop.lowest))]
        else:
            heaps = idf_heap_info(caps)
        largest = max([heap[2] for heap in heaps] or [0])
        at.line("+SYSRAM:%d,%d,%d,%d", largest, *[sum([heap[i] for heap in heaps]) for i in (1, 3, 0)])


def _largest(high):
    """The largest block that the heap has, to 32 bytes: no port tells it."""
    low = 0
    while high - low > 32:
        middle = (low + high) // 2
        try:
            bytearray(middle)
            low = middle
        except MemoryError:
            high = middle
    return low


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
