"""Finds the command of a line, checks its parameters, runs it, and ends it with exactly one final result.
A command that waits runs as a task; meanwhile other lines are answered `busy p...`."""

import sys

from micropython import const

from firmware.at import messages
from firmware.at.command import ALWAYS, EXECUTE, NEVER, QUERY, SAVED, SET, SIGNATURES, STORE, declared
from firmware.at.messages import ATError

_EQUALS = const(0x3D)
_QUESTION = const(0x3F)
_BLANK = const(0x20)
_DELETE = const(0x7F)
NONE = b"\n"  # there is no such line


class Interpreter:
    """`at` is what every handler gets; `catalog` knows which chapter declares a command that is not loaded yet."""

    def __init__(self, loop, port, at, catalog):
        self._loop = loop
        self._port = port
        self._at = at
        self._catalog = catalog
        self.task = None  # the command that waits
        self._save = None  # [name, parameters, when] of the set command that runs
        self._answered = False  # whether it has had its final result
        self._begun = False  # whether it may have done something, so that it must not be run again
        self.spelling = None  # what is replaced in the lines of an answer, and by what; see _row
        self.log = False  # AT+SYSLOG: whether ERROR is explained
        self.newest = NONE  # the line that the newest command is, if it has no parameters
        self.handler = None  # and its handler
        port.line = self.line

    def line(self, line, length):
        """Runs the command line[:length], or refuses it; a length of -1 stands for a line that was too long.

        Returns True if that was all that there is to do. For the newest command, if it has no parameters and nothing to
        wait for, none of this takes memory: hosts often say the same again."""
        newest = self.newest
        if length != len(newest) or self.task or not line.startswith(newest):
            self._loop.garbage += 1
            self._run(line, length)
            return False
        self._save = self.spelling = None
        result = self._repeat()
        if result is None and not self._answered:
            self._port.finish(messages.OK)
            return self._port.rests
        self._loop.garbage += 1
        self._go_on(result)
        return False

    def _repeat(self):
        """Runs the newest command; returns what it returns or raises."""
        try:
            return self.handler(self._at)
        except Exception as error:
            return error

    def _run(self, line, length):
        self._begun = False
        result = self._attempt(line, length)
        if isinstance(result, MemoryError) and not self._begun:
            # The memory of idle commands may do.
            self._catalog.drop()
            result = self._attempt(line, length)
        if self.task:  # what ends it has done so by now
            self._port.write(messages.BUSY)
        else:
            self._go_on(result)
        self._at.settings.stored = None  # a query that waits has looked by now

    def _attempt(self, line, length):
        try:
            return self._result(line, length)
        except Exception as error:  # a handler's fault ends its command, not the module
            return error

    def _result(self, line, length):
        """What the handler of a line returns."""
        name, form, start = self._split(line, length)
        task = self.task
        if task:
            if form != EXECUTE or not self._catalog.anytime(name):
                raise ATError(messages.E_BUSY)
            self.task = None
            task.cancel()
        self._save = None
        self._answered = False
        return self._call(name, form, line, start, length)

    def _go_on(self, result):
        """Ends the command with its result, or lets it wait as a task."""
        if isinstance(result, Exception):
            self._end(None, result)
        elif result is None or isinstance(result, bytes):
            self._end(result, None)
        else:
            try:
                task = self._loop.start(result, self._end)
                if not task.ended:
                    self.task = task
            except MemoryError as error:
                self._end(None, error)

    def answer(self, text=messages.OK):
        """For a handler: gives the final result now. What comes after that is no part of the answer."""
        self._port.write(text)
        self._answered = True

    def keep(self, *values, name=None):
        """For a handler: what is to be saved if the command ends well, in place of what the host gave; with `name` as
        that of another command."""
        self._save[0] = name or self._save[0]
        self._save[1] = list(values)

    def _split(self, line, length):
        """The name in capitals, the form, and where the parameters begin."""
        if length < 0:
            raise ATError(messages.E_NO_END)
        start = 0
        # Noise in front of it is no part of a command: control bytes, and what is no ASCII.
        while start < length and not _BLANK <= line[start] < _DELETE:
            start += 1
        stop = line.find(b"=", start + 2, length)
        mark = line.find(b"?", start + 2, length if stop < 0 else stop)
        if mark >= 0:
            stop = mark
        elif stop < 0:
            stop = length
        try:
            name = str(line[start:stop], "utf-8")
        except UnicodeError:
            name = ""
        if name not in declared:
            name = name.upper()
            if not name.startswith("AT"):
                raise ATError(messages.E_UNKNOWN if line[start : start + 2].upper() == b"AT" else messages.E_NOT_AT)
        rest = length - stop
        if not rest:
            return name, EXECUTE, stop
        if line[stop] == _EQUALS:
            if rest == 2 and line[stop + 1] == _QUESTION:
                return name, None, stop
            return name, SET, stop + 1
        if rest == 1:
            return name, QUERY, stop
        raise ATError(messages.E_PARSE)

    def _call(self, name, form, line, start, length):
        self.spelling = None
        when = 0
        row = declared.get(name)
        if row is None:
            row, when = self._find(name, form)
        if form is None:
            self._begun = True
            return self._describe(name, row)
        handler = row[form]
        if handler is None:
            raise ATError(messages.E_NO_FORM)
        if form == QUERY:
            self._begun = True
            settings = self._at.settings
            settings.stored = self._catalog.fit if when == ALWAYS else None
            return self._again(handler, self._at)
        if form != SET:
            if not when:
                self._remember(name, handler)
            self._begun = True
            return handler(self._at)
        values = _parse(row[SIGNATURES], line, start, length, self._at.links.multiple)
        if row[SAVED]:
            # What a setting needs, up to its being saved, should not be missing in the middle of it.
            self._catalog.need()
            self._save = [name[3:-4] if when else name[3:], values, when or row[SAVED]]
        self._begun = True
        return handler(self._at, *values)

    def _remember(self, name, handler):
        if handler is not self.handler:
            try:
                self.newest = name.encode()
                self.handler = handler
            except MemoryError:  # then it is looked for again
                pass

    def _again(self, action, *arguments):
        """Does what may be done twice, the second time with the memory of the commands that are not in use."""
        try:
            return action(*arguments)
        except MemoryError:
            self._catalog.drop()
            return action(*arguments)

    def _find(self, name, form):
        """The declaration of `name`, which may have to be loaded, and when it saves if the name says so, else 0.

        A command that is saved while AT+SYSSTORE=1 also has the two names of ESP-AT 1.7: AT+CWMODE_CUR sets without
        saving, AT+CWMODE_DEF saves in any case, and `AT+CWMODE_CUR?` is answered `+CWMODE_CUR:1`. `AT+CWMODE_DEF?`
        tells what is on flash: then at.settings.stored is set."""
        row = self._load(name)
        if row:
            return row, 0
        row = self._load(name[:-4]) if name[-4:] in ("_CUR", "_DEF") else None
        if not row or row[SAVED] != STORE:
            raise ATError(messages.E_UNKNOWN)
        if form == QUERY:
            self.spelling = name[2:-4] + ":", name[2:] + ":"
        return row, ALWAYS if name[-4:] == "_DEF" else NEVER

    def _load(self, name):
        if name not in declared:
            self._catalog.load(name)
        return declared.get(name)

    def _describe(self, name, row):
        """Answers AT+X=? with the parameters of the set form and their ranges."""
        if not row[SET]:
            raise ATError(messages.E_NO_FORM)
        for signature in row[SIGNATURES]:
            self._again(self._tell, name, signature)

    def _tell(self, name, signature):
        from firmware.at.parameters import parameters

        wanted = [p for p in parameters(signature) if self._at.links.multiple or not p.link]
        text = ",".join([parameter.describe() for parameter in wanted])
        self._port.write(("%s:%s\r\n" % (name[2:], text)).encode())

    def _end(self, result, error):
        """Ends the command: with OK, with the bytes that it returned, or with ERROR, also where no memory is left."""
        self.task = None
        if error is None and self._save:
            try:
                self._again(self._at.settings.put, *self._save)
            except (OSError, MemoryError) as fault:  # a full flash or heap: the host must know that nothing was kept
                error = fault
        if error is not None:
            result = messages.ERROR
            try:
                if isinstance(error, MemoryError):
                    # A module that found no place for all of its commands must not leave the first of them.
                    self._catalog.drop()
                if not self._answered:
                    self._tell_why(error)
            except MemoryError:
                pass
        if not self._answered:
            self._port.finish(messages.OK if result is None else result)
        self._answered = False

    def _tell_why(self, error):
        """What the host hears in front of an ERROR, and the console of what should not have happened."""
        if isinstance(error, ATError):
            code = error.code
        elif isinstance(error, OSError):
            # Some faults have a text in place of the number, such as that of a zone of IPv6 which is not there, and
            # those of TLS have negative numbers.
            code = ATError(messages.E_FAILED, abs(error.errno) if isinstance(error.errno, int) else 0).code
            self._explain(*error.args[1:])
        else:
            code = ATError(messages.E_FAILED).code
            if not isinstance(error, MemoryError):
                sys.print_exception(error)
        if self.log:
            self._port.write(messages.ERROR_CODE % code)

    def _explain(self, text=None):
        """Writes what an OSError has to say besides its number: bytes in any case, a text for AT+SYSLOG=1."""
        if isinstance(text, bytes):
            self._port.write(text)
        elif text and self.log:
            self._port.write((text.strip().replace("\n", " ") + "\r\n").encode())


def _parse(signatures, line, start, end, multiple):
    from firmware.at import syntax  # not in memory before a host has set something

    return syntax.parse(signatures, line, start, end, multiple)
