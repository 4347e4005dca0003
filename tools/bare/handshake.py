"""The least that a TLS link can be in MicroPython: read a line, connect, make TLS of it, close, write OK.
Arguments: the descriptor of the terminal, which does not block, and the port of 127.0.0.1 to connect to."""

import select
import socket
import sys

import tls

terminal = open(int(sys.argv[1]), "r+b")
address = socket.getaddrinfo("127.0.0.1", int(sys.argv[2]))[0][-1]
poll = select.poll()
poll.register(terminal, select.POLLIN)
while True:
    for _ in poll.ipoll(-1):
        if terminal.readline():
            sock = socket.socket()
            sock.connect(address)
            context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
            context.verify_mode = tls.CERT_NONE
            context.wrap_socket(sock).close()
            terminal.write(b"\r\nOK\r\n")
