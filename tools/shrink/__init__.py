"""Rewrites the firmware's sources before they are compiled, so that they take less of a small heap and flash.
README.md beside this file says what each pass does, why they stand in this order, and what they rely on."""

import os

from .constants import spread
from .errors import ShrinkError
from .flat import flatten
from .inline import inline
from .lines import follow
from .merge import PARTS, THEMES, TOGETHER, WHOLE, merge
from .prune import prune
from .rom_names import rom_names
from .rows import rows
from .shorten import shorten
from .trees import module_name
from .unclass import unclass

# In the order in which they run; each may be left out with WITHOUT in the environment, see README.md.
PASSES = ("prune", "rows", "unclass", "constants", "merge", "inline", "shorten", "rom_names", "flat", "lines")
# Those for an ESP32 whose firmware is on its flash.
ON_FLASH = ("prune", "constants", "themes")
WITHOUT = "MPYAT_WITHOUT"
# What a pass leaves, only the other one can make sense of: without that, it is left out as well.
_NEEDS = {
    "inline": "unclass",
    "unclass": "merge",
    "merge": "constants",
    "themes": "constants",
    "rom_names": "shorten",
}


def chosen(passes=PASSES):
    """The passes that run: these but for those that WITHOUT in the environment names. Raises ShrinkError."""
    without = os.environ.get(WITHOUT, "").replace(",", " ").split()
    known = (*PASSES, *(name for name in ON_FLASH if name not in PASSES))
    for name in without:
        if name not in known:
            raise ShrinkError(f"there is no pass {name} to leave out: they are {', '.join(known)}")
    found = [name for name in passes if name not in without]
    while lame := [name for name in found if _NEEDS.get(name, name) not in found]:
        found.remove(lame[0])
    return tuple(found)


class Shrunk:
    """The sources as the passes leave them. `texts`: {path: source}; `short`: {name: its new name}; `moved`: {name of a
    module: its name now} of those that are elsewhere; `merged`: {name of a module: that of the one that it is in}, for
    themes; `rom`: the new names that are in the chip's ROM; `lines`: {path:
    {line: (path, line) in the sources}} of those of which not all lines are where they were."""

    def __init__(self, texts):
        self.texts = texts
        self.short = {}
        self.moved = {}
        self.merged = {}
        self.rom = []
        self.lines = {}

    def take(self, texts, lines):
        """What a pass has made, that does not leave the lines where they are."""
        self.texts = texts
        self.lines = follow(self.lines, lines)


def shrink(texts, passes, chip, roots, others, own, names, options, known):
    """Runs the passes over {path: source} and returns what becomes of them.

    chip: whose firmware it is. roots: the modules of the commands. others: the modules that are imported by their names
    from outside. own: what commands of one's own use, as in
    "at.port.write"; names: all names that they have; options: those of them that are keywords. known: those that are
    not the firmware's."""
    done = Shrunk(texts)
    if "prune" in passes:
        done.texts = prune(done.texts, chip, [*others, *roots])
    if "rows" in passes:
        done.take(*rows(done.texts))
    # What the boards have in them is changed by name, see firmware/board/__init__.py.
    boards = {name for name in texts if name.startswith("firmware/board/")}
    if "unclass" in passes:
        paths = {module_name(path): path for path in done.texts}
        done.take(*unclass(done.texts, [paths[name] for name in PARTS if name in paths], own, known, boards))
    if "constants" in passes:
        done.texts = spread(done.texts, boards, names)
    if "merge" in passes:
        done.take(*merge(done.texts, others))
        for group in TOGETHER:
            done.take(*merge(done.texts, (), group, group[-1]))
    if "themes" in passes:
        for theme, parts in THEMES.items():
            there = [name for name in parts if name in map(module_name, done.texts)]
            if theme in there and len(there) > 1:
                done.take(*merge(done.texts, (), there, theme))
                done.merged |= dict.fromkeys(there, theme)
    if "inline" in passes:
        done.take(*inline(done.texts, f"{WHOLE.replace('.', '/')}.py", names))
    if "shorten" in passes:
        rom = rom_names() if "rom_names" in passes else ()
        done.texts, done.short = shorten(done.texts, known, rom, options)
        done.rom = sorted(set(rom) & set(done.short.values()))
    return done


def place(done, passes, stay):
    """The last pass, once all modules are there: moves all modules but those in `stay`."""
    if "flat" in passes:
        paths = {module_name(path): path for path in done.texts}
        rom = rom_names() if "rom_names" in passes else []
        done.texts, done.moved = flatten(done.texts, stay, rom)
        done.rom = sorted({*done.rom, *(set(rom) & set(done.moved.values()))})
        for name, now in done.moved.items():
            # The lines of those that only move are where they were.
            lines = done.lines.pop(paths[name], None)
            done.lines[f"{now}.py"] = lines or {
                line: (paths[name], line) for line in range(1, done.texts[f"{now}.py"].count("\n") + 2)
            }
    return done
