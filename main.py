# Starts the firmware; when that ends, by AT+RST or by a fault, the chip starts anew.
import sys

import machine

from firmware import app

try:
    app.run()
except Exception as fault:  # whatever went wrong, the host gets its module back
    sys.print_exception(fault)
machine.reset()
