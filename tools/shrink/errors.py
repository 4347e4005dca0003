"""What the passes end a build with."""


class ShrinkError(Exception):
    """A pass does not understand a source; the message is one line that says which one and what to write instead."""
