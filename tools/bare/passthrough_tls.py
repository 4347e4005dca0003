"""As passthrough.py, with TLS on the connection and nothing verified.
Arguments: the descriptor of the terminal, which does not block, and the port of 127.0.0.1 to connect to."""

import select
import socket
import sys

import tls

terminal = open(int(sys.argv[1]), "r+b")
sock = socket.socket()
sock.connect(socket.getaddrinfo("127.0.0.1", int(sys.argv[2]))[0][-1])
context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
context.verify_mode = tls.CERT_NONE
link = context.wrap_socket(sock)
sock.setblocking(False)
data = select.poll()
data.register(terminal, select.POLLIN)
data.register(sock, select.POLLIN)
room = select.poll()
room.register(terminal, select.POLLOUT)
room.register(sock, select.POLLOUT)
buffer = bytearray(2920)
while True:
    for readable, _ in data.ipoll(-1):
        source, target, full = (terminal, link, sock) if readable is terminal else (link, terminal, terminal)
        # What TLS keeps of a record that was not read to its end, no poll shows.
        while count := source.readinto(buffer):
            sent = 0
            while True:
                sent += target.write(buffer, sent, count - sent) or 0
                if sent == count:
                    break
                room.modify(sock, select.POLLOUT if full is sock else 0)
                room.modify(terminal, select.POLLOUT if full is terminal else 0)
                room.poll()
        if count == 0:
            sys.exit()
