"""The least that an AT command can be in MicroPython: read a line, write OK.
Argument: the descriptor of the terminal, which does not block."""

import select
import sys

terminal = open(int(sys.argv[1]), "r+b")
poll = select.poll()
poll.register(terminal, select.POLLIN)
while True:
    for _ in poll.ipoll(-1):
        if terminal.readline():
            terminal.write(b"\r\nOK\r\n")
