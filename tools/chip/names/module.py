"""Prints the names in one module of MicroPython: one line, with blanks between them."""

import sys

print(" ".join(dir(__import__(sys.argv[1]))))
