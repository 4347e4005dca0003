"""Changes to the text of a source, at places of its syntax tree. Lines stay where they are, so that tracebacks of what
was changed tell the lines of the source."""


class Edits:
    """`replace` notes a change, and `result` is the text with all of them."""

    def __init__(self, source):
        # The columns of a syntax tree count bytes.
        self._lines = [line.encode() for line in source.splitlines(keepends=True)]
        self._changes = []

    def replace(self, node, text):
        """Puts text in one line in the place of a node."""
        self._changes.append((node.lineno, node.col_offset, node.end_lineno, node.end_col_offset, text))

    def result(self):
        for row, start, stop, end, text in sorted(self._changes, reverse=True):
            last = self._lines[stop - 1][end:]
            self._lines[row - 1] = self._lines[row - 1][:start] + text.encode() + last
            for i in range(row, stop):
                self._lines[i] = b"\n"
        return b"".join(self._lines).decode()
