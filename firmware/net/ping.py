"""ICMP echo, over a raw socket as the ESP32 has it. On a PC where the user may open none, Linux's own ping socket
does, which fills in the identifier itself."""

import select
import socket
from os import urandom
from time import ticks_diff, ticks_us

from micropython import const

from firmware.loop import Signal
from firmware.net import address

_PAYLOAD = const(32)


async def ping(loop, ip, patience_ms):
    """Milliseconds until the answer, None when none came; OSError when the port or the network cannot."""
    v6 = ":" in ip
    sock, raw = icmp_socket(v6)
    try:
        sock.setblocking(False)
        sock.connect(address.resolved(ip, 0, socket.SOCK_DGRAM))
        packet = bytearray(8) + urandom(_PAYLOAD)
        packet[0] = 128 if v6 else 8
        packet[4:8] = urandom(4)  # identifier and sequence number
        if not v6:  # over IPv6 it covers addresses that only the stack knows, so that fills it in
            packet[2:4] = _checksum(packet)
        arrived = Signal(loop)
        loop.watch(sock, select.POLLIN, lambda _: arrived.set())
        began = ticks_us()
        sock.send(packet)
        while True:
            passed = ticks_diff(ticks_us(), began) // 1000
            if passed >= patience_ms or not await arrived.wait(patience_ms - passed):
                return None
            answer = sock.recv(128)
            if _is_answer(answer, packet, v6, raw):
                return ticks_diff(ticks_us(), began) // 1000
    finally:
        loop.forget(sock)
        sock.close()


def icmp_socket(v6):
    """The socket, and whether it is a raw one; OSError when the user may have neither."""
    family, protocol = (socket.AF_INET6, 58) if v6 else (socket.AF_INET, 1)
    try:
        return socket.socket(family, socket.SOCK_RAW, protocol), True
    except OSError:
        return socket.socket(family, socket.SOCK_DGRAM, protocol), False


def _is_answer(answer, packet, v6, raw):
    if raw and not v6:
        answer = answer[(answer[0] & 15) * 4 :]  # behind the IP header
    if len(answer) != len(packet) or answer[0] != (129 if v6 else 0):
        return False
    same = 4 if raw else 6
    return answer[same:] == packet[same:]


def _checksum(packet):
    total = 0
    for i in range(0, len(packet), 2):
        total += packet[i] << 8 | packet[i + 1]
    total = (total & 0xFFFF) + (total >> 16)
    total = ~(total + (total >> 16)) & 0xFFFF
    return bytes((total >> 8, total & 255))
