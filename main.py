# Starts the firmware. When that ends, by AT+RST or by a fault, the chip starts anew; after AT+MPYREPL it does not,
# and MicroPython goes on to its prompt.
import sys

import machine

from firmware import app

restart = True
try:
    restart = app.run()
except Exception as fault:  # whatever went wrong, the host gets its module back
    sys.print_exception(fault)
if restart:
    machine.reset()
