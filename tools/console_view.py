"""The console with a person: a line editor below, what the module says above it, each kind in its own colour.
Everything runs in one asyncio loop; the terminal is written only between two redraws of the editor."""

import asyncio
import contextlib
import os
import re
import sys
import time
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.application.run_in_terminal import in_terminal
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input.vt100 import Vt100Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.shortcuts import print_formatted_text
from prompt_toolkit.styles import Style

from .catalog import FORMS, Command
from .console_port import ConsoleError, Port
from .console_script import GUARD
from .console_text import completions, readable, readable_rows, reminder, unescape
from .stream import Data, Line, Prompt, Raw, Stream

_STYLE = Style.from_dict(
    {
        "sent": "bold",
        "response": "",
        "ok": "ansigreen",
        "report": "ansicyan",
        "error": "ansired bold",
        "data": "ansiyellow",
        "note": "ansibrightblack",
        "time": "ansibrightblack",
        "prompt": "bold",
        "current": "bold underline",
        "bottom-toolbar": "noreverse bg:ansibrightblack fg:ansiwhite",
    }
)

# Rows that wait for the screen; with more of them the port is left unread until they have been shown.
_MOST_ROWS = 500

# What the console follows once the module has said OK: another baud rate, and whether commands name a link.
_NEW_BAUD = re.compile(r"AT\+UART_(?:CUR|DEF)=(\d+),", re.IGNORECASE)
_DECLARED = re.compile(r'\+CMD:\d+,"([^"]+)",([01](?:,[01]){3})$')
_NEW_LINKS = re.compile(r"AT\+CIPMUX=([01])$", re.IGNORECASE)


def declared(line: bytes, commands: list) -> None:
    """Learn a command of the module's own, which no declaration here knows of, from a line of AT+CMD?."""
    match = _DECLARED.match(line.decode("ascii", "replace"))
    if match and all(command.full_name != match[1] for command in commands):
        forms = zip(FORMS, match[2].split(","), strict=True)
        present = frozenset(form for form, there in forms if there == "1")
        commands.append(Command(match[1].removeprefix("AT+"), "own", "", "A command of the module's own.", present))


class _History(FileHistory):
    """Command lines only: what is typed as data stays out of the file."""

    def store_string(self, string: str) -> None:
        if string.upper().startswith("AT"):
            super().store_string(string)


class _Input(Vt100Input):
    """Leaves the terminal raw while rows are printed: it would echo what is typed then, and eat a Ctrl-D."""

    def cooked_mode(self):
        return contextlib.nullcontext()

    def detach(self):
        return contextlib.nullcontext()


class _Completer(Completer):
    def __init__(self, view):
        self._view = view

    def get_completions(self, document, complete_event):
        text = document.text_before_cursor
        if self._view.takes_lines:
            for name, meaning in completions(text, self._view.commands):
                yield Completion(name, -len(text), display_meta=meaning)


def _history_path():
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    path = Path(state) / "mpy-at" / "history"
    path.parent.mkdir(parents=True, exist_ok=True)
    # Lines may hold passwords, so nobody else may read them.
    path.touch(mode=0o600)
    return path


class View:
    """The interactive console on one port. `log` is a pipe with the messages of the console's own atsim, or None."""

    def __init__(self, port: Port, commands: list, timestamps: bool, log=None):
        self.commands = list(commands)  # and those that the module tells of
        self._port = port
        self._log = log
        self._timestamps = timestamps
        self._line_ends = False
        self._stream = Stream()
        self._rows = []
        self._printer = None
        self._pasted = []
        self._line = ""  # the command line sent last
        self._links = False
        self._lost = None  # a future with the error that ends it all
        self._input = _Input(sys.stdin)
        self._session = PromptSession(
            message=self._prompt,
            input=self._input,
            history=_History(str(_history_path())),
            completer=_Completer(self),
            complete_while_typing=True,
            bottom_toolbar=self._toolbar,
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            reserve_space_for_menu=6,
        )

    @property
    def takes_lines(self) -> bool:
        """Whether what is typed now is a command line rather than data."""
        return self._stream.data_left is None and not self._stream.passthrough

    async def run(self) -> None:
        """Talk until the person ends it (Ctrl-D). Raises ConsoleError when the port goes away."""
        loop = asyncio.get_running_loop()
        self._lost = loop.create_future()
        # The editor's own handler draws every error, also the one that drawing is not possible any more.
        loop.set_exception_handler(lambda _, context: self._lose(context.get("exception")))
        loop.add_reader(self._port, self._guarded(self._readable))
        if self._log:
            os.set_blocking(self._log.fileno(), False)
            loop.add_reader(self._log, self._read_log)
        self._note(f"{self._port.path}: F2 time stamps, F3 sends +++, F4 CR LF after data, Ctrl-D ends")
        editor = loop.create_task(self._edit())
        try:
            await asyncio.wait([editor, self._lost], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for descriptor in filter(None, (self._port, self._log)):
                loop.remove_reader(descriptor)
            loop.remove_writer(self._port)
            editor.cancel()
            # A limit, since in a terminal that was closed no redraw ever finishes.
            await asyncio.wait([editor, *([self._printer] if self._printer else [])], timeout=1)
        if self._lost.done():
            self._lost.result()
        editor.result()

    async def _edit(self):
        with self._input.raw_mode():
            while True:
                try:
                    self._accept(await self._session.prompt_async(set_exception_handler=False))
                except KeyboardInterrupt:
                    self._pasted.clear()
                except EOFError:
                    return

    # What is typed

    def _accept(self, text):
        if not self.takes_lines:
            self._send_data(text)
            return
        # What was pasted as several lines goes out line by line, each after the answer to the one before.
        lines = text.splitlines()
        self._pasted += lines[1:]
        if lines:
            self._send_line(lines[0])

    def _send_line(self, text):
        if not text.strip():
            return
        line = text.encode("utf-8", "surrogateescape")
        self._show("sent", text)
        self._stream.sent_line(line)
        self._line = text
        self._write(line + b"\r\n")

    def _send_data(self, text):
        if self._stream.python:
            # The prompt echoes it.
            self._write(text.encode("utf-8", "surrogateescape") + b"\r")
            return
        try:
            data = unescape(text) + (b"\r\n" if self._line_ends else b"")
        except ValueError as error:
            self._show("error", str(error))
            return
        self._show("sent", readable(data))
        self._stream.sent_data(data)
        self._write(data)

    def _write(self, data):
        self._guarded(self._port.send)(data)
        if self._port.backlog:
            asyncio.get_running_loop().add_writer(self._port, self._guarded(self._writable))

    def _writable(self):
        self._port.push()
        if not self._port.backlog:
            asyncio.get_running_loop().remove_writer(self._port)

    async def _send_escape(self):
        await asyncio.to_thread(self._port.drain)
        await asyncio.sleep(GUARD)
        self._show("sent", "+++")
        self._stream.sent_escape()
        self._write(b"+++")
        await asyncio.sleep(GUARD)
        self._session.app.invalidate()

    # What arrives

    def _guarded(self, function):
        """`function`, with a lost port ending the editor instead of only a callback."""

        def call(*arguments):
            try:
                function(*arguments)
            except ConsoleError as error:
                asyncio.get_running_loop().remove_reader(self._port)
                asyncio.get_running_loop().remove_writer(self._port)
                self._lose(error)

        return call

    def _lose(self, error):
        """End with this error; an OSError that nobody caught comes from drawing."""
        if isinstance(error, OSError):
            error = ConsoleError("the terminal has gone away")
        if not self._lost.done():
            self._lost.set_exception(error or ConsoleError("the editor failed"))

    def _readable(self):
        for event in self._stream.feed(self._port.read()):
            self._event(event)
        self._session.app.invalidate()

    def _event(self, event):
        if isinstance(event, Line) and event.kind != "echo":
            self._show("ok" if event.final and event.kind == "response" else event.kind, readable(event.text))
        elif isinstance(event, Prompt):
            wanted = "until +++ (F3)" if event.length is None else f"{event.length} bytes"
            self._show("report", f">  data {wanted}")
        elif isinstance(event, Data):
            self._show("report" if event.report else "response", readable(event.header))
            self._show_data(event.data)
        elif isinstance(event, Raw):
            self._show_data(event.data)
        if isinstance(event, Line):
            self._follow(event)
        while self._pasted and not self._stream.waiting:
            text = self._pasted.pop(0)
            self._send_line(text) if self.takes_lines else self._send_data(text)

    def _follow(self, event):
        if event.text == b"OK":
            if match := _NEW_BAUD.match(self._line):
                self._port.set_baud(int(match[1]))
            if match := _NEW_LINKS.match(self._line):
                self._links = match[1] == "1"
        elif event.text in (b"+CIPMUX:0", b"+CIPMUX:1", b"ready"):
            self._links = event.text == b"+CIPMUX:1"
        declared(event.text, self.commands)
        if event.final:
            self._line = ""

    def _read_log(self):
        text = self._log.read() or b""
        if not text:
            asyncio.get_running_loop().remove_reader(self._log)
        for row in text.decode(errors="replace").splitlines():
            self._note(row)

    # What is seen

    def _note(self, text):
        self._show("note", text)

    def _show_data(self, data):
        for row in readable_rows(data):
            self._show("data", "  " + row)

    def _show(self, style, text):
        row = [(f"class:{style}", text)]
        if self._timestamps:
            now = time.time()
            stamp = time.strftime("%H:%M:%S", time.localtime(now)) + f".{int(now * 1000) % 1000:03d}  "
            row.insert(0, ("class:time", stamp))
        self._rows.append(row)
        loop = asyncio.get_running_loop()
        if self._printer is None:
            self._printer = loop.create_task(self._print())
            self._printer.add_done_callback(self._printed)
        elif len(self._rows) > _MOST_ROWS:
            loop.remove_reader(self._port)

    async def _print(self):
        """Print the rows that have come, together: the editor is taken away and drawn again only once."""
        while self._rows:
            rows, self._rows = self._rows, []
            async with in_terminal():
                text = [fragment for row in rows for fragment in (*row, ("", "\n"))]
                print_formatted_text(FormattedText(text), style=_STYLE, end="")
            if len(rows) > _MOST_ROWS:
                asyncio.get_running_loop().add_reader(self._port, self._guarded(self._readable))
        self._printer = None

    def _printed(self, printer):
        if not printer.cancelled() and printer.exception():
            self._lose(printer.exception())

    def _prompt(self):
        if self.takes_lines:
            return [("class:prompt", "AT: ")]
        left = self._stream.data_left
        if self._stream.python:
            return [("class:report", "Python: ")]
        return [("class:report", "raw> " if left is None else f"{left} bytes> ")]

    def _toolbar(self):
        text = self._session.default_buffer.document.text
        if not self.takes_lines:
            return self._data_toolbar(text)
        width = self._session.app.output.get_size().columns
        rows = reminder(text, self.commands, self._links, width)
        if not rows:
            unfinished = readable(self._stream.unfinished[-60:])
            state = (
                f"unfinished: {unfinished}" if unfinished else "waiting for the answer" if self._stream.waiting else ""
            )
            rows = [[("", f" {state}" if state else " F2 time stamps   F3 +++   Ctrl-D end")]]
        return [fragment for row in rows for fragment in (*row, ("", "\n"))][:-1]

    def _data_toolbar(self, text):
        if self._stream.python:
            return " MicroPython's prompt: machine.reset() brings the AT port back; F3, F4 have no use here"
        ends = "with CR LF" if self._line_ends else "no line end"
        try:
            size = len(unescape(text)) + 2 * self._line_ends
        except ValueError as error:
            return f" {error}"
        left = self._stream.data_left
        if left is None:
            return f" passthrough, {ends} (F4): {size} bytes typed; F3 ends it with +++"
        over = f", {size - left} too many" if size > left else ""
        return rf" data, {ends} (F4): {size} of {left} bytes typed{over}; \r \n \xNN \\ are understood, F3 cancels"

    def _keys(self):
        keys = KeyBindings()

        @keys.add("tab")
        def _(event):
            buffer = event.current_buffer
            found = list(self._session.completer.get_completions(buffer.document, None))
            if len(found) == 1:
                buffer.apply_completion(found[0])
            elif buffer.complete_state:
                buffer.complete_next()
            else:
                buffer.start_completion(insert_common_part=True)

        @keys.add("f2")
        def _(event):
            self._timestamps = not self._timestamps

        @keys.add("f3")
        def _(event):
            event.app.create_background_task(self._send_escape())

        @keys.add("f4")
        def _(event):
            self._line_ends = not self._line_ends

        return keys
