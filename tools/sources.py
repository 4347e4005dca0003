"""Where the firmware's sources are: in the repository that holds these tools, or where the wheel has put them."""

import site
import sys
from pathlib import Path


def root():
    """The folder with boot.py, main.py and firmware/; FileNotFoundError when there is none."""
    places = [Path(__file__).resolve().parent.parent]
    places += [Path(base, "share/mpyat") for base in (sys.prefix, site.getuserbase())]
    for place in places:
        if (place / "main.py").is_file() and (place / "firmware").is_dir():
            return place
    raise FileNotFoundError(f"no firmware sources in {' or '.join(map(str, places))}")
