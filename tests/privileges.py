"""What the user who runs the tests may do, where a PC does not allow everybody what a chip can."""

import socket

import pytest


def _may_ping():
    """Whether this user may send echoes: as root, or where Linux lets everybody."""
    for kind in (socket.SOCK_RAW, socket.SOCK_DGRAM):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except OSError:
            continue
        return True
    return False


pings = pytest.mark.skipif(not _may_ping(), reason="this user may not send ICMP echoes (net.ipv4.ping_group_range)")
