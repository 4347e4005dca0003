"""What a module has saved, asked for by its commands, and the files on its flash, seen without it.
The flash may be looked at and changed only while the chip is off."""

import re
import select
import time

from flashimage import contents, has_power
from module import LIMIT

# Each setting that a query shows, as it is at first.
DEFAULTS = {
    "CWMODE": "1",
    "CWSTATE": '""',
    "SYSMSG": "0",
    "UART_DEF": "115200,8,1,0,0",
    "CIPDNS": "0",
    "CIPRECONNINTV": "1",
    "CIPTCPOPT": "0,-1,0,0",
    "CWAUTOCONN": "1",
    "CIPV6": "0",
}


def files(flash, fill=False):
    """{name: text} of the files of the settings on the flash image; with `fill`, the flash is full afterwards."""
    found = next(contents(flash, fill=fill))
    return {path[1:]: data.decode(errors="replace") for path, data in found.items() if path.startswith("/settings")}


def answers(module, count=1):
    """What the module says up to its count-th OK; None if the power goes before."""
    deadline = time.monotonic() + LIMIT
    while module.received.count(b"\r\nOK\r\n") < count:
        assert b"ERROR" not in module.received, module.received
        assert time.monotonic() < deadline, module.received
        if select.select([module.fd], [], [], 0.002)[0]:
            module._read()
        elif not has_power(module):
            return None
    said = module.received.decode()
    module.answered(module.received)
    module.received.clear()
    return said


def settings(module):
    """All settings, as DEFAULTS has them."""
    module.write("".join(f"AT+{name}?\r\n" for name in DEFAULTS).encode())
    said = answers(module, len(DEFAULTS))
    found = dict(re.findall(r"^\+(\w+):(.*?)\r$", said, re.MULTILINE))
    # The servers that the network gives, and whether it has been joined by now, are no settings.
    found["CIPDNS"] = re.sub("^0.*", "0", found["CIPDNS"])
    # An ESP8266 does not show the fifth, keep-alive.
    found["CIPTCPOPT"] = ",".join(found["CIPTCPOPT"].split(",")[:4])
    found["CWSTATE"] = found["CWSTATE"].partition(",")[2]
    return found
