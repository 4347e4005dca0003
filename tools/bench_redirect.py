"""Carries a serial port to a TCP connection with pyserial: one thread for each direction.
What many use on a PC for this; `make bench` compares the firmware with it."""

import socket
import sys
import threading

import serial


def main():
    path, port = sys.argv[1:]
    with serial.Serial(path, 3000000) as terminal, socket.create_connection(("127.0.0.1", int(port))) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=_up, args=(terminal, sock), daemon=True).start()
        while data := sock.recv(4096):
            terminal.write(data)


def _up(terminal, sock):
    while data := terminal.read(terminal.in_waiting or 1):
        sock.sendall(data)


if __name__ == "__main__":
    main()
