# Starts the firmware. When that ends, by AT+RST or by a fault, the chip starts anew; after AT+MPYREPL it does not,
# and MicroPython goes on to its prompt.
import sys

import machine

# On trial boot.py has left a function. A firmware that cannot even be imported is left to somebody at the prompt,
# unless there is another one.
restart = callable(news)  # noqa: F821
if restart:
    news = news()  # noqa: F821
try:
    from firmware import app

    restart = True
    restart = app.run(news)
except Exception as fault:  # whatever went wrong, the host gets its module back
    sys.print_exception(fault)
if restart:
    machine.reset()
