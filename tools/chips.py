"""The chips that a simulated module can be, and in which way MicroPython's ports for them differ from one version to
the next, as far as the firmware meets that; docs/ports.md has the sources of it."""

from dataclasses import dataclass

# MicroPython's versions of which the differences are known, oldest first; without a word it is the newest.
VERSIONS = ("1.24", "1.25", "1.26", "1.27", "1.28", "1.29")


@dataclass(frozen=True)
class Chip:
    """board: the family. module: how the port's generic board is called in os.uname(). pins: those that machine.Pin
    has. sensor, loader: whether there are esp32.mcu_temperature() and machine.bootloader()."""

    name: str
    board: str
    module: str
    pins: frozenset
    sensor: bool = True
    loader: bool = True

    def machine(self, version):
        """What os.uname().machine says: in the ESP32's port the chip has a hyphen since 1.29."""
        family, variant = self.name[:5], self.name[5:].partition("-")[0]
        if self.board == "esp8266":
            return f"{self.module} with {self.name}"
        return f"{self.module} with {family}{'-' if variant and version >= (1, 29) else ''}{variant}"


def _pins(*ranges):
    return frozenset(number for first, last in ranges for number in range(first, last + 1))


_ESP32 = _pins((0, 5), (12, 23), (25, 27), (32, 39))
_S2_S3 = _pins((0, 18), (21, 21), (26, 26), (33, 46))
_ALL = (
    Chip("ESP8266", "esp8266", "ESP module", _pins((0, 16)), False, False),
    Chip("ESP32", "esp32", "Generic ESP32 module", _ESP32, False, False),
    Chip("ESP32-SPIRAM", "esp32", "Generic ESP32 module with SPIRAM", _ESP32 - {16, 17}, False, False),
    Chip("ESP32C2", "esp32", "ESP32C2 module", _pins((0, 10), (18, 20))),
    Chip("ESP32C3", "esp32", "ESP32C3 module", _pins((0, 13), (20, 21))),
    Chip("ESP32C5", "esp32", "ESP32C5 module", _pins((0, 12), (23, 28)), loader=False),
    Chip("ESP32C6", "esp32", "ESP32C6 module", _pins((0, 11), (14, 23)), loader=False),
    Chip("ESP32S2", "esp32", "Generic ESP32S2 module", _S2_S3),
    Chip("ESP32S3", "esp32", "Generic ESP32S3 module", _S2_S3),
)
CHIPS = {chip.name: chip for chip in _ALL}
USUAL = {"esp8266": "ESP8266", "esp32": "ESP32"}


class Port:
    """MicroPython's port for a board in one version, (major, minor)."""

    def __init__(self, board, version):
        self.version = version
        esp32 = board == "esp32"
        # machine_timer.c: Timer(-1) is a ValueError.
        self.has_virtual_timers = not esp32 or not (1, 25) <= version < (1, 29)
        # machine_uart.c: init() drops what has come in; the ESP8266's what is still in the FIFO.
        self.init_drops = (65536 if version >= (1, 27) else 0) if esp32 else 16
