"""Runs firmware/net/ping.py alone under MicroPython: what it sends as ICMP goes to a UDP port of the test instead.
Arguments: the firmware's folder, that port, 4 or 6, `raw` or `own`, the patience in ms. Prints what ping() returns."""

import socket
import sys

root, port, version, kind, patience = sys.argv[1:]
sys.path.insert(0, root)

from firmware.loop import Loop  # noqa: E402
from firmware.net import ping  # noqa: E402

peer = socket.getaddrinfo("127.0.0.1", int(port))[0][-1]


class Wire:
    """In the place of firmware.net.address."""

    @staticmethod
    def resolved(ip, port, kind):
        return peer


def ended(result, error):
    print(result if error is None else repr(error))
    loop.stop()


ping.address = Wire
ping.icmp_socket = lambda v6: (socket.socket(socket.AF_INET, socket.SOCK_DGRAM), kind == "raw")
loop = Loop()
loop.start(ping.ping(loop, "10.0.0.1" if version == "4" else "2001:db8::1", int(patience)), ended)
loop.run()
