"""What the user who runs the tests may do, where a PC does not allow everybody what a chip can."""

import shutil
import socket
import subprocess

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

# Runs what follows in a network of its own, in which nobody answers echoes.
MUTE_NETWORK = (
    *("unshare", "--map-root-user", "--net", "sh", "-c"),
    'ip link set lo up && echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all && exec "$@"',
    "sh",
)


def _may_have_a_network():
    """Whether this user may make networks, and has the tools for it."""
    if not (shutil.which("unshare") and shutil.which("ip")):
        return False
    return not subprocess.run([*MUTE_NETWORK, "true"], stderr=subprocess.DEVNULL, check=False).returncode


own_network = pytest.mark.skipif(not _may_have_a_network(), reason="this user may make no network (unshare, ip)")
