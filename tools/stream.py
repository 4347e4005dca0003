"""The module's byte stream taken apart as it arrives: lines, prompts, data blocks, passthrough.
Pure: bytes go in, events come out; nothing in here knows of ports, terminals or time."""

import re
from dataclasses import dataclass

# The final results, and whether each of them is a failure. `FAIL` is how 1.7 ends a failed CWJAP.
_FINALS = {
    b"OK": False,
    b"SEND OK": False,
    b"SEND Canceled": False,
    b"SEND CANCELLED": False,
    b"ERROR": True,
    b"FAIL": True,
    b"SEND FAIL": True,
}

# Lines that explain the failure that follows them.
_FAILURE = re.compile(rb"ERR CODE:|\+ERRNO:|\+CWJAP:\d+$|\+PING:TIMEOUT$|ALREADY CONNECTED$|CONNECT FAIL$")

# Lines that belong to no command and may come at any time.
_REPORT = re.compile(
    rb"(?:\d+,)?(?:CONNECT|CLOSED)$|WIFI |ready$|busy [ps]\.\.\.$|Will force to restart"
    rb"|\+(?:IPD,|LINK_CONN:|TIME_UPDATED$|QUITT$|STA_CONNECTED:|STA_DISCONNECTED:|DIST_STA_IP:)"
)

# +IPD,[id,]len: or, with CIPDINFO=1, +IPD,[id,]len,"ip",port: (1.7 leaves the quotes out).
_IPD = re.compile(rb'\+IPD,(?:\d+,)?(\d+)(?:,(?:"[^"]*"|[^",:]*),\d+)?:')
# +CIPRECVDATA:len,data; with CIPDINFO=1 +CIPRECVDATA:len,"ip",port,data; 1.7 has +CIPRECVDATA,len:data.
_RECVDATA = re.compile(rb"\+CIPRECVDATA(?::(\d+),|,(\d+):)")
_RECVDATA_INFO = re.compile(rb'\+CIPRECVDATA:(\d+),"[^"]*",\d+,')

# What ends CIPSENDEX early: the two characters \0, unless the backslash is itself escaped.
_END_OF_DATA = re.compile(rb"(?<!\\)(?:\\\\)*\\0")

# A line without an end is given out in pieces of this many bytes: at a wrong baud rate none may ever come.
_LONGEST = 4096


@dataclass(frozen=True)
class Line:
    """One line without its CR LF. `kind` is "echo", "response", "report" or "error"."""

    text: bytes
    kind: str
    final: bool = False


@dataclass(frozen=True)
class Prompt:
    """A `>`. `length` is the number of bytes wanted, None in passthrough, where there is no end."""

    length: int | None


@dataclass(frozen=True)
class Data:
    """A block of received data and the header it came with; `report` is True for +IPD."""

    header: bytes
    data: bytes
    report: bool


@dataclass(frozen=True)
class Raw:
    """Bytes that came in passthrough: no lines, no ends."""

    data: bytes


@dataclass
class _Sent:
    """A line on its way: what its answer ends with ("final", "prompt" or "ready"), and the data it asks for."""

    ends_with: str
    length: int | None = None
    ends_at_zero: bool = False
    info: bool | None = None
    python: bool = False


def _describe(line: bytes) -> _Sent:
    """Work out how the answer to a command line ends."""
    match = re.match(rb"AT\+(\w+)(?:=(.*))?$", line.strip(), re.IGNORECASE | re.DOTALL)
    if not match:
        return _Sent("final")
    name, parameters = match[1].upper(), match[2]
    if name in (b"RST", b"RESTORE", b"SYSROLLBACK", b"CIUPDATE") and parameters is None:
        return _Sent("ready")
    if name == b"CIUPDATE" and not re.match(rb"(?:[^,]*,){3}1$", parameters):
        # Only an update that the host does not wait for leaves the restart to it.
        return _Sent("ready")
    if name == b"MPYREPL" and parameters is None:
        return _Sent("final", python=True)
    if name == b"GSLP" and (parameters or b"").isdigit():
        # Nothing is heard while it sleeps.
        return _Sent("ready")
    if name == b"CIPDINFO" and parameters in (b"0", b"1"):
        return _Sent("final", info=parameters == b"1")
    if name in (b"CIPSEND", b"CIPSENDEX", b"CIPSENDL"):
        # [id,]n or, for UDP, [id,]n,"host",port: the length is the last integer before any string.
        length = re.match(rb"(?:\d+,)?(\d+)", parameters or b"")
        if length or parameters is None:
            return _Sent("prompt", int(length[1]) if length else None, name == b"CIPSENDEX")
    if name == b"SYSFLASH":
        # Writing is 1,"partition",offset,length; the other operations take no data.
        length = re.match(rb'1,"[^"]*",\d+,(\d+)', parameters or b"")
        if length:
            return _Sent("prompt", int(length[1]))
    if name == b"SYSMSGFILTERCFG":
        lengths = re.match(rb"[12],(\d*)(?:,(\d*))?", parameters or b"")
        if lengths:
            return _Sent("prompt", int(lengths[1] or 0) + int(lengths[2] or 0))
    if name == b"SYSMFG":
        # Writing is 2,"namespace","key",type,length.
        length = re.match(rb'2,"[^"]*","[^"]*",8,(\d+)', parameters or b"")
        if length:
            return _Sent("prompt", int(length[1]))
    if name == b"FS":
        # Writing is type,1,"name",offset,length.
        length = re.match(rb'\d+,1,"[^"]*",\d+,(\d+)', parameters or b"")
        if length:
            return _Sent("prompt", int(length[1]))
    return _Sent("final")


# What ends MicroPython's prompt.
_START = b"\r\nready\r\n"


class Stream:
    """Splits what the module sends into events, given what the host sent.

    The host side calls `sent_line`, `sent_data` and `sent_escape` as it sends; `feed` returns the events
    in what arrived. Between calls `waiting`, `data_left` and `passthrough` tell what may be sent next.
    """

    def __init__(self):
        self.data_left = None  # bytes that the module still wants after `>`, None when it wants lines
        self.passthrough = False
        self.python = False  # passthrough to MicroPython's prompt, until the module starts again
        self._ends_at_zero = False
        self._buffer = bytearray()
        self._echoes = []
        self._sent = []
        self._last = _Sent("final")
        self._block = None  # (header, length, report) of the data block that is being received
        self._info = False

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come to what was sent."""
        return bool(self._sent)

    @property
    def unfinished(self) -> bytes:
        """What has arrived of a line or data block that is not complete."""
        return bytes(self._buffer)

    def sent_line(self, line: bytes) -> None:
        """Note a command line that was sent; its echo is recognised and its answer awaited."""
        line = line.strip(b"\r\n ")
        if line:
            self._echoes.append(line)
            self._last = _describe(line)
            self._sent.append(self._last)

    def accepts(self, data: bytes) -> int:
        """How many of these bytes the module still takes as data."""
        end = _END_OF_DATA.search(data) if self._ends_at_zero else None
        wanted = end.end() if end else len(data)
        return wanted if self.data_left is None else min(wanted, self.data_left)

    def sent_data(self, data: bytes) -> None:
        """Note data that was sent after `>`; with the last wanted byte the final result is awaited."""
        if self.data_left is None:
            return
        ended = self._ends_at_zero and _END_OF_DATA.search(data)
        self.data_left = 0 if ended else max(0, self.data_left - len(data))
        if not self.data_left:
            self._await_result()

    def sent_escape(self) -> None:
        """Note a `+++` between its guard times: data modes end, and an unfinished data block is given up."""
        self._block = None
        self.passthrough = self.python
        if self.data_left is not None:
            self._await_result()

    def feed(self, data: bytes) -> list:
        """Take bytes from the module and return the events that they complete, in order."""
        self._buffer += data
        events = []
        while (event := self._next()) is not None:
            events.append(event)
        return events

    def _await_result(self):
        self.data_left = None
        self._sent = [_Sent("final")]

    def _take(self, count):
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _next(self):
        if self._block:
            return self._take_block()
        if self.python:
            return self._take_python()
        if self.passthrough:
            return Raw(self._take(len(self._buffer))) if self._buffer else None
        # Blank lines only frame the others; 1.7 puts a space after the prompt.
        blank = len(self._buffer) - len(self._buffer.lstrip(b"\r\n "))
        del self._buffer[:blank]
        # After AT+RST a chip writes its boot messages at another baud rate: noise, in which `>` is no prompt.
        if self._buffer.startswith(b">") and not (self._sent and self._sent[-1].ends_with == "ready"):
            return self._take_prompt()
        if self._buffer.startswith((b"+IPD,", b"+CIPRECVDATA")) and self._take_header():
            return self._take_block()
        end = self._buffer.find(b"\n")
        if end >= 0:
            return self._line(self._take(end + 1).strip(b"\r\n "))
        if len(self._buffer) >= _LONGEST:
            return Line(self._take(_LONGEST), "response")
        return None

    def _take_python(self):
        """What MicroPython says, up to the start of the firmware."""
        start = self._buffer.find(_START)
        if start == 0:
            self.python = self.passthrough = False
            return self._next()
        # The beginning of a start may have come by now.
        part = next(size for size in range(len(_START) - 1, -1, -1) if self._buffer.endswith(_START[:size]))
        end = start if start > 0 else len(self._buffer) - part
        return Raw(self._take(end)) if end else None

    def _take_prompt(self):
        self._take(1)
        self._sent.clear()
        self._echoes.clear()
        self.data_left = self._last.length
        self.passthrough = self.data_left is None
        self._ends_at_zero = self._last.ends_at_zero
        return Prompt(self.data_left)

    def _take_header(self):
        """Whether the line is the header of a data block, which then has been taken off the buffer."""
        report = self._buffer.startswith(b"+IPD")
        pattern = _IPD if report else _RECVDATA_INFO if self._info else _RECVDATA
        match = pattern.match(self._buffer)
        if match:
            # The length is read first: the match refers to the buffer, which changes as bytes are taken.
            length = int(next(filter(None, match.groups())))
            self._block = (self._take(match.end()), length, report)
        return bool(match)

    def _take_block(self):
        header, length, report = self._block
        if len(self._buffer) < length:
            return None
        self._block = None
        return Data(header, self._take(length), report)

    def _line(self, text):
        if text in self._echoes:
            self._echoes.remove(text)
            return Line(text, "echo")
        if text in _FINALS:
            self._finish(text)
            return Line(text, "error" if _FINALS[text] else "response", True)
        if text == b"ready":
            self._restarted()
        elif text.startswith(b"busy") and len(self._sent) > 1:
            # The newest line was dropped; the answer to the one before it is still to come.
            self._sent.pop()
            self._last = self._sent[-1]
        kind = "error" if _FAILURE.match(text) else "report" if _REPORT.match(text) else "response"
        return Line(text, kind)

    def _finish(self, text):
        sent = self._sent[-1] if self._sent else None
        if sent and text == b"OK":
            if sent.ends_with != "final":
                return
            if sent.info is not None:
                self._info = sent.info
            self.python = self.passthrough = sent.python
        self._sent.clear()
        self._echoes.clear()
        self.data_left = None

    def _restarted(self):
        self._sent.clear()
        self._echoes.clear()
        self.data_left = None
        self._info = False
        # A `>` that follows a start is that of a saved passthrough link.
        self._last = _Sent("final")
