"""The TCP/IP chapter: TLS.
CIPSSLSIZE is of the manual for ESP-AT 1.x; hosts that know that one still send it at start-up."""

from firmware.at.command import command


@command("AT+CIPSSLSIZE", "size:2048..4096")
class BufferSize:
    """Accepted, and without effect: TLS has buffers of MicroPython's own size."""

    def set(at, size):
        pass
