"""What parameters a signature has, for AT+X=?, the docs and the console. Runs under MicroPython and CPython.
A signature is text such as 'link, type:TCP|TCPv6=TCP, host:text64, port:1..65535, keepalive:0..7200?'."""

from firmware.at import syntax


class Parameter:
    """One parameter of a signature.

    `name:kind` with an optional `=default` or `?` (may be left out, then None). Kinds: `1..65535` an integer in
    that range, `text64` a string of at most 64 bytes, which must be UTF-8, `bytes64` one that need not be: the handler
    gets bytes in place of a str then; `TCP|UDP` one of these words as a string, in any case.
    `link` alone is the link's id, 0 to 4, and is there only with AT+CIPMUX=1. A `*` behind the last parameter's kind
    says that it may stand any number of times, also not at all (then None once)."""

    def __init__(self, text):
        self.link = text.startswith(b"link")
        self.repeats = text.endswith(b"*")
        self.optional = syntax.is_optional(text)
        self.name = str(text.split(b":", 1)[0], "utf-8")
        kind, self.default = syntax.parts(text)
        self.low = self.high = self.words = None
        self.size = syntax.size_of(kind)
        self.bytes = kind.startswith(b"bytes")
        kind = str(kind, "utf-8")
        if ".." in kind:
            low, high = kind.split("..")
            self.low, self.high = int(low), int(high)
            if self.default is not None:
                self.default = int(self.default)
        elif self.size is None:
            self.words = kind.split("|")

    def describe(self):
        """What AT+X=? prints for it, such as `<port>(1-65535)`."""
        if self.low is not None:
            text = "%d" % self.low
            if self.high > self.low:
                text += "-%d" % self.high
        elif self.size is not None:
            text = "%d bytes" % self.size
        else:
            text = ",".join('"%s"' % word for word in self.words)
        text = "<%s>(%s)" % (self.name, text)
        if self.repeats:
            text += "..."
        return "[%s]" % text if self.optional else text


def parameters(signature):
    """The list of Parameter of one signature."""
    return [Parameter(text) for text in syntax.texts(signature)] if signature else []
