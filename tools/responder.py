"""The mDNS responder of MicroPython's port for the ESP32: with each address that the station gets it takes UDP port
5353 without sharing it, unless the program has it by then, and gives it back when the network goes."""

import contextlib
import os
import socket

PORT = 5353


class Responder:
    def __init__(self):
        self._busy = None
        self.restart()

    def restart(self):
        self._online = self._taken = False

    def look(self, online, pid):
        """Says whether the station has an address now, and which process is the chip's."""
        if online and not self._online:
            self._taken = not _has_port(pid)
        self._online = online
        self._taken = self._taken and online

    def port(self):
        """What a program finds at its PORT: that, or if the responder has taken it one that is as busy. It cannot be
        the real one, which belongs to all that runs on this PC."""
        if not self._taken:
            return PORT
        if not self._busy:
            self._busy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._busy.bind(("0.0.0.0", 0))
        return self._busy.getsockname()[1]


def _has_port(pid):
    """Whether the process has a UDP socket at PORT, as /proc tells."""
    with open("/proc/net/udp") as file:
        rows = [line.split() for line in file]
    sockets = {f"socket:[{row[9]}]" for row in rows if row[1].endswith(f":{PORT:04X}")}
    folder = f"/proc/{pid}/fd"
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):  # closed meanwhile
            if os.readlink(f"{folder}/{name}") in sockets:
                return True
    return False
