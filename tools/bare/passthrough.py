"""The least that passthrough can be in MicroPython: poll, read, write, both ways, with one buffer.
Arguments: the descriptor of the terminal, which does not block, and the port of 127.0.0.1 to connect to."""

import select
import socket
import sys

terminal = open(int(sys.argv[1]), "r+b")
sock = socket.socket()
sock.connect(socket.getaddrinfo("127.0.0.1", int(sys.argv[2]))[0][-1])
sock.setblocking(False)
data = select.poll()
data.register(terminal, select.POLLIN)
data.register(sock, select.POLLIN)
room = select.poll()
room.register(terminal, select.POLLOUT)
buffer = bytearray(2920)
while True:
    for source, _ in data.ipoll(-1):
        count = source.readinto(buffer)
        if not count:
            if count is None:
                continue
            sys.exit()
        target = sock if source is terminal else terminal
        sent = 0
        while True:
            sent += target.write(buffer, sent, count - sent) or 0
            if sent == count:
                break
            room.modify(target, select.POLLOUT)
            room.poll()
            room.modify(target, 0)
