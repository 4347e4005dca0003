"""Where the firmware's sources are: in the repository that holds these tools, or where the wheel has put them."""

import ast
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


def oldest_micropython(board, source=None):
    """The first MicroPython that runs the firmware on such a board, as (major, minor): firmware/board of these sources,
    or of the project's own, declares it."""
    for place in (Path(source or root()), root()):
        path = place / "firmware" / "board" / "__init__.py"
        if path.is_file():
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MICROPYTHON":
                    return ast.literal_eval(node.value)[board]
    raise FileNotFoundError("no MICROPYTHON in firmware/board/__init__.py")
