"""Runs firmware/net/url.py alone under MicroPython. Arguments: the firmware's folder, a base, and references to it.
Prints a line for each: what it means there."""

import sys

root, base, *references = sys.argv[1:]
sys.path.insert(0, root)

from firmware.net.url import join  # noqa: E402

for reference in references:
    print(join(base, reference))
