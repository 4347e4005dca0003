"""Rewrites the firmware's sources before they are compiled, so that they take less of a small heap and flash.
README.md beside this file says what each pass does, why they stand in this order, and what they rely on."""

import os

from .constants import spread
from .flat import flatten
from .merge import MergeError, merge
from .prune import prune
from .shorten import shorten

# In the order in which they run; each may be left out with WITHOUT in the environment, see README.md.
PASSES = ("prune", "constants", "merge", "shorten", "flat")
WITHOUT = "MPYAT_WITHOUT"


class ShrinkError(Exception):
    """A pass does not understand a source; the message is one line that says which one and what to write instead."""


def chosen():
    """The passes that run: all of them but those that WITHOUT in the environment names. Raises ShrinkError."""
    without = os.environ.get(WITHOUT, "").replace(",", " ").split()
    for name in without:
        if name not in PASSES:
            raise ShrinkError(f"there is no pass {name} to leave out: they are {', '.join(PASSES)}")
    return tuple(name for name in PASSES if name not in without)


class Shrunk:
    """The sources as the passes leave them. `texts`: {path: source}; `short`: {name: its new name}; `moved`: {name of a
    module: its name now} of those that are elsewhere."""

    def __init__(self, texts):
        self.texts = texts
        self.short = {}
        self.moved = {}


def shrink(texts, passes, chip, roots, others, own, known):
    """Runs the passes over {path: source} and returns what becomes of them.

    chip: whose firmware it is. roots: the modules of the commands. others: the modules that are imported by their names
    from outside. own: the names that commands of one's own use. known: those that are not the firmware's."""
    done = Shrunk(texts)
    if "prune" in passes:
        done.texts = prune(done.texts, chip, [*others, *roots])
    # What the boards have in them is changed by name, see firmware/board/__init__.py.
    boards = {name for name in texts if name.startswith("firmware/board/")}
    if "constants" in passes:
        done.texts = spread(done.texts, boards, own)
    if "merge" in passes:
        try:
            done.texts = merge(done.texts, others)
        except MergeError as error:
            raise ShrinkError(f"cannot merge the modules that stay in memory: {error}") from None
    if "shorten" in passes:
        done.texts, done.short = shorten(done.texts, known)
    return done


def place(done, passes, stay):
    """The last pass, once all modules are there: moves all modules but those in `stay`."""
    if "flat" in passes:
        done.texts, done.moved = flatten(done.texts, stay)
    return done
