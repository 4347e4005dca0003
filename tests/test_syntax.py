"""Parameters and forms: every mistake gets its exact code, for every command, from the declarations.
The codes are 0x01, the kind of error, and 16 bits of detail: mostly the index of the parameter."""

import re

import pytest
from declared import accepted, deciding, elsewhere, harmless, refused, settable, signatures, valid
from mpyat import catalog

COMMANDS = catalog.load()
# Their ranges are those of all chips together.
BY_CHIP = ("UART_CUR", "UART_DEF", "RFPOWER", "SLEEPWKCFG")


def failure(kind, detail=0):
    return f"ERR CODE:0x01{kind:02x}{detail:04x}⏎⏎ERROR⏎"


@pytest.fixture
def strict(module):
    """A module that explains its errors, with the radio off, so that no command of Wi-Fi takes time."""
    module.command("AT+SYSLOG=1")
    module.command("AT+CWMODE=0")
    module.command("AT+CIPMUX=1")
    return module


def each(pairs):
    return pytest.mark.parametrize("command, parameters", pairs, ids=[pair[0].name for pair in pairs])


@each(signatures())
def test_values_that_do_not_fit(strict, command, parameters):
    for index, parameter in enumerate(parameters):
        values = [valid(other) for other in parameters]
        for value, kind in refused(parameter):
            if elsewhere(command, parameters, index, value):
                continue
            values[index] = str(value)
            strict.send(f"{command.full_name}={','.join(values)}")
            strict.expect(failure(kind, index))
    strict.settled()


@each(harmless(signatures()))
def test_values_at_the_limits(strict, command, parameters):
    for index, parameter in enumerate(parameters):
        values = [valid(other) for other in parameters]
        for value in accepted(parameter):
            values[index] = value
            strict.send(f"{command.full_name}={','.join(values)}")
            # Past the syntax, a command may still fail: no link, no Wi-Fi, text that is no MAC address, no such UART.
            answer = strict.match(r".*?\r\n(OK|ERROR)\r\n")[0]
            own = rb"0x01(0a|08|%s)" % (b"07" if command.name in BY_CHIP else b"0a")
            assert b"OK" in answer or re.search(own, answer), (value, answer)
            # Some of them change what the next ones meet.
            strict.command("AT+CWMODE=0")
            strict.command("AT+SYSLOG=1")
            strict.command("AT+CIPMUX=1")
    strict.settled()


@each(signatures())
def test_numbers_of_parameters(strict, command, parameters):
    count = len(parameters)
    need = max((i + 1 for i, parameter in enumerate(parameters) if not parameter.optional), default=0)
    values = [valid(parameter) for parameter in parameters]
    too_many = () if parameters[-1].repeats else (count + 1, count + 2, count + 20)
    for given in (*range(max(deciding(command, parameters), 1), need), *too_many):
        line = ",".join((values + ["1"] * 20)[:given])
        strict.send(f"{command.full_name}={line}")
        strict.expect(failure(6, count << 8 | given))
    strict.settled()


@each(signatures())
def test_a_link_is_named_only_with_multiple_links(strict, command, parameters):
    single = [parameter for parameter in parameters if not parameter.link]
    if parameters[-1].repeats:
        return
    strict.command("AT+CIPMUX=0")
    values = [valid(parameter) for parameter in single]
    strict.send(f"{command.full_name}={','.join([*values, '1'])}")
    strict.expect(failure(6, len(single) << 8 | len(single) + 1))
    strict.settled()


@each(signatures())
def test_what_must_not_be_left_out(strict, command, parameters):
    for index, parameter in enumerate(parameters):
        # Without a word that has a default elsewhere, the line is one of that other signature.
        defaulted = any(len(other) > index and other[index].default is not None for other in command.parameters())
        if not parameter.optional and not defaulted:
            values = [valid(other) for other in parameters]
            values[index] = ""
            strict.send(f"{command.full_name}={','.join(values)}")
            strict.expect(failure(5, index))
    strict.settled()


@each(signatures())
def test_strings_that_do_not_end(strict, command, parameters):
    for index in range(len(parameters)):
        before = "".join(valid(other) + "," for other in parameters[:index])
        for value in ('"', '"abc', '"abc\\"', '"abc\\', '"a"b', '"a""b"', '"a" ', '"\\'):
            strict.send(f"{command.full_name}={before}{value}")
            strict.expect(failure(8, index))
    strict.settled()


def test_the_test_form_of_every_command(strict):
    for command in settable():
        strict.send(command.full_name + "=?")
        for parameters in command.parameters():
            strict.expect(f"+{command.name}:" + ",".join(p.describe() for p in parameters) + "⏎")
        strict.expect("⏎OK⏎")
    strict.settled()


def test_the_test_form_in_its_exact_bytes(play):
    play("""
        > AT+SYSMSG=?
        < +SYSMSG:<state>(0-7)⏎⏎OK⏎
        > AT+CWMODE=?
        < +CWMODE:<mode>(0-3),[<auto_connect>(0-1)]⏎⏎OK⏎
        > at+cipstartex=?
        ~ \\+CIPSTARTEX:\\[<type>\\("TCP".*?\\)\\],<host>\\(64 bytes\\),<port>\\(1-65535\\),.*?⏎⏎OK⏎
    """)


@pytest.mark.parametrize(
    "form, ending", [("test", "=?"), ("query", "?"), ("set", "=1"), ("execute", "")], ids=lambda value: value
)
def test_forms_that_a_command_does_not_have(strict, form, ending):
    for command in COMMANDS:
        if form not in command.forms:
            strict.send(command.full_name + ending)
            strict.expect(failure(12))
    strict.settled()


def test_commands_that_do_not_exist(strict):
    for line in ("AT+", "AT+NO", "AT+NO?", "AT+NO=1", "AT+NO=?", "ATE2", "ATE", "AT ", "AT+GMR ", "AT GMR"):
        strict.send(line)
        strict.expect(failure(9))
    for command in COMMANDS:
        for name in (
            command.full_name + "X",
            command.full_name + " " + command.chapter,
            command.full_name + "\xc3\xa9",
        ):
            strict.send(name)
            strict.expect(failure(9))
    strict.settled()


def test_what_follows_a_question_mark(strict):
    strict.send("AT+CWMODE?1")
    strict.expect(failure(8))
    strict.send("AT+CWMODE??")
    strict.expect(failure(8))
    strict.send("AT+CWMODE=?1")
    strict.expect(failure(5, 0))
    strict.send("AT+CWMODE==1")
    strict.expect(failure(5, 0))


def test_nothing_is_explained_without_the_error_log(play):
    play("""
        > AT+CWMODE=4
        < ⏎ERROR⏎
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+CWMODE=4
        < ERR CODE:0x01070000⏎⏎ERROR⏎
        > AT+CWMODE=-1
        < ERR CODE:0x01070000⏎⏎ERROR⏎
        > AT+CWMODE="1"
        < ERR CODE:0x01050000⏎⏎ERROR⏎
        > AT+CWMODE=1,2
        < ERR CODE:0x01070001⏎⏎ERROR⏎
        > AT+CWMODE=1,1,1
        < ERR CODE:0x01060203⏎⏎ERROR⏎
        > AT+CIPCLOSE=
        < ERR CODE:0x01060001⏎⏎ERROR⏎
        > AT+NO
        < ERR CODE:0x01090000⏎⏎ERROR⏎
        > AT+GMR?
        < ERR CODE:0x010c0000⏎⏎ERROR⏎
        > AT+SYSLOG=0
        < ⏎OK⏎
        > AT+NO
        < ⏎ERROR⏎
    """)


def test_hex(play):
    play("""
        > AT+SYSMSG=0x7
        < ⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:7⏎⏎OK⏎
        > AT+SYSMSG=0X05
        < ⏎OK⏎
        > AT+SYSMSG?
        < +SYSMSG:5⏎⏎OK⏎
        > AT+UART_CUR=0x1c200,8,1,0,0
        < ⏎OK⏎
        > AT+UART_CUR?
        < +UART_CUR:115200,8,1,0,0⏎⏎OK⏎
        > AT+UART_CUR=0x1C200,0x8,01,000,0x0
        < ⏎OK⏎
    """)


def test_escapes(play):
    r"""Each is sent to a network that is not there, whose name AT+CWSTATE? then shows."""
    play(r"""
        > AT+CWJAP="a\,b,c","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:4,"a,b,c"⏎⏎OK⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        > AT+CWJAP="\"\\\q\;=?\ ","\"\\\,"
        < +CWJAP:3⏎⏎ERROR⏎
        > AT+CWSTATE?
        < +CWSTATE:4,""\q;=? "⏎⏎OK⏎
    """)


def test_trailing_parameters_may_go_or_be_left_empty(play):
    play("""
        > AT+CWMODE=0,
        < ⏎OK⏎
        > AT+CWMODE=1,0
        < ⏎OK⏎
        > AT+CWLAP=,,6
        ~ \\+CWLAP:.*?⏎⏎OK⏎
        > AT+CWLAP=,,6,,,
        ~ \\+CWLAP:.*?⏎⏎OK⏎
        > AT+CWLAP=,,6,,,,,
        < ⏎ERROR⏎
        > AT+CWJAP="mpy-at","12345678",,,,,,,3
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
    """)
