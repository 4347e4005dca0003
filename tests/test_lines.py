"""Lines in: their endings, their limit, echo, noise, several at once, and while a command runs.
The expected bytes are those that host drivers match."""

import pytest
from transcript import play as play_transcript

# A network that never gives an address, so that AT+CWJAP waits until something else happens.
SLOW = '[[ap]]\nssid = "slow"\ndhcp = false\n[[ap]]\nssid = "mpy-at"\npassword = "12345678"\n'
# AT+SYSSTORE=000...01 is a command of any length.
STORE = b"AT+SYSSTORE="


@pytest.fixture
def slow(start):
    """A module within the range of a network on which joining never ends by itself."""
    return start(wifi=SLOW)


@pytest.fixture
def fresh(start):
    """A module with the echo on, as it is at start."""
    module = start(ready=False)
    module.expect("⏎ready⏎")
    return module


def test_endings(play):
    play(r"""
        >> AT\r\n
        < ⏎OK⏎
        >> AT\n
        < ⏎OK⏎
        >> AT\r
        >> \n
        < ⏎OK⏎
        # All that stand before the LF belong to the ending.
        >> AT\r\r\n
        < ⏎OK⏎
        >> AT+CWMODE?\r\r\r\n
        < +CWMODE:1⏎⏎OK⏎
        >> A\rT\r\n
        < ⏎ERROR⏎
    """)


def test_a_lone_cr_does_not_end_a_command(play):
    play(r"""
        >> AT\rAT\r
        >> \n
        < ⏎ERROR⏎
    """)


def test_empty_lines_are_ignored(play):
    play(r"""
        >> \r\n\n\r\n
        >> AT\r\n\r\n\r\nAT\r\n
        < ⏎OK⏎⏎OK⏎
        >> \r\r\n
    """)


def test_the_case_of_names_does_not_matter(play):
    play("""
        > at
        < ⏎OK⏎
        > aT
        < ⏎OK⏎
        > At+cWmOdE?
        < +CWMODE:1⏎⏎OK⏎
        > at+sysstore=0
        < ⏎OK⏎
        > AT+SYSSTORE?
        < +SYSSTORE:0⏎⏎OK⏎
        > at+cwjap="MPY-AT","12345678"
        < +CWJAP:3⏎⏎ERROR⏎
        > ate1
        < ⏎OK⏎
        > ate0
        < ate0⏎⏎OK⏎
    """)


def test_what_does_not_begin_with_at(play):
    play("""
        > AT+SYSLOG=1
        < ⏎OK⏎
        > ?
        < ERR CODE:0x01030000⏎⏎ERROR⏎
        > A
        < ERR CODE:0x01030000⏎⏎ERROR⏎
        >> \x20AT⏎
        < ERR CODE:0x01030000⏎⏎ERROR⏎
        > +++
        < ERR CODE:0x01030000⏎⏎ERROR⏎
        > T
        < ERR CODE:0x01030000⏎⏎ERROR⏎
    """)


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_the_longest_line(module, ending):
    module.command("AT+SYSLOG=1")
    room = 256 - len(STORE) - len(ending)
    module.write(STORE + b"0" * room + ending)
    module.expect("⏎OK⏎")
    module.write(STORE + b"0" * (room + 1) + ending)
    module.expect("ERR CODE:0x01020000⏎⏎ERROR⏎")
    module.settled()


@pytest.mark.parametrize("length", [512, 513, 5000])
def test_a_line_that_is_too_long_is_dropped_whole(module, length):
    module.write(b"AT+SYSSTORE=0" + b"," * length)
    module.write(b"\r\nAT+SYSSTORE?\r\n")
    module.expect("⏎ERROR⏎+SYSSTORE:1⏎⏎OK⏎")
    module.settled()


def test_a_line_that_is_too_long_is_echoed(fresh):
    line = b"AT" + b"x" * 400 + b"\r\n"
    fresh.write(line)
    fresh.expect(line + b"\r\nERROR\r\n")
    fresh.send("AT")
    fresh.expect("AT⏎⏎OK⏎")


def test_each_byte_is_echoed_as_it_arrives(fresh):
    for byte in (b"A", b"T", b"\r"):
        fresh.write(byte)
        fresh.expect(byte)
    fresh.write(b"\n")
    fresh.expect("\n⏎OK⏎")


def test_echo_is_on_at_start_and_exact(fresh):
    for text in (b"AT\n", b"AT\r\n", b"at\r\n"):
        fresh.write(text)
        fresh.expect(text + b"\r\nOK\r\n")
    fresh.write(b"\r\n\n")
    fresh.expect("⏎\n")
    fresh.write(b"\x00\xff\x1b[A\x08\n")
    fresh.expect(b"\x00\xff\x1b[A\x08\n\r\nERROR\r\n")


def test_echo_stops_with_the_line_after_ate0(fresh):
    fresh.write(b"ATE0\r\nAT\r\nATE1\r\nAT\r\nATE0\r\n")
    fresh.expect("ATE0⏎⏎OK⏎⏎OK⏎⏎OK⏎AT⏎⏎OK⏎ATE0⏎⏎OK⏎")
    fresh.settled()


def test_several_lines_in_one_write(play):
    play(r"""
        >> AT\r\nAT+CWMODE?\nAT+NO\r\nAT
        < ⏎OK⏎+CWMODE:1⏎⏎OK⏎⏎ERROR⏎
        >> +SYSSTORE?\r\n
        < +SYSSTORE:1⏎⏎OK⏎
    """)


def test_a_thousand_lines_in_one_write(module):
    module.write(b"AT\r\n" * 1000)
    assert module.take(6 * 1000) == b"\r\nOK\r\n" * 1000
    module.settled()


def test_busy_while_a_command_runs(slow):
    play_transcript(
        slow,
        r"""
        > AT+CWJAP="slow","",,,,,,600
        > AT
        < ⏎busy p...⏎
        > ?
        < ⏎busy p...⏎
        > AT+NO=1,2,3
        < ⏎busy p...⏎
        > AT+CWJAP="mpy-at","12345678"
        < ⏎busy p...⏎
        # What would restart the module does not do so in a form that it has not.
        > AT+RST?
        < ⏎busy p...⏎
        > AT+RST basic
        < ⏎busy p...⏎
        >> \r\n\n
        >> AT\r\nAT\r\n
        < ⏎busy p...⏎⏎busy p...⏎
        ! uart noise \x00\xff\n
        < ⏎busy p...⏎
        > AT+RST
        < ⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )


def test_busy_for_a_line_that_is_too_long(slow):
    slow.send('AT+CWJAP="slow","",,,,,,600')
    slow.write(b"A" * 600 + b"\r\n")
    slow.expect("⏎busy p...⏎")
    slow.send("AT+RST")
    slow.expect("⏎OK⏎⏎ready⏎")


def test_busy_with_echo(slow):
    play_transcript(
        slow,
        """
        > ATE1
        < ⏎OK⏎
        > AT+CWJAP="slow","",,,,,,600
        < AT+CWJAP="slow","",,,,,,600⏎
        > AT
        < AT⏎⏎busy p...⏎
        > AT+RST
        < AT+RST⏎⏎OK⏎⏎ready⏎
        > ATE0
        < ATE0⏎⏎OK⏎
        """,
    )


def test_busy_ends_with_the_command(play):
    play(r"""
        >> AT+CWJAP="mpy-at","12345678"\r\nAT\r\n
        < ⏎busy p...⏎
        < WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎
        > AT+CWJAP?
        ~ \+CWJAP:"mpy-at",.*?⏎⏎OK⏎
    """)


def test_noise(play):
    play(r"""
        ! uart noise \x00\xff\x80\x1b
        > AT
        < ⏎OK⏎
        >> \r\x00\x7f\xe4\xb8\xad
        > AT+CWMODE=1
        < ⏎OK⏎
        # What shows on a screen is no noise, and neither is what stands within a command.
        > \x00?\x00AT
        < ⏎ERROR⏎
        > A\x00T
        < ⏎ERROR⏎
        ! uart noise \xff\xff\xff\n
        < ⏎ERROR⏎
        > AT+\xff\xfe=\x80
        < ⏎ERROR⏎
        > AT\x00
        < ⏎ERROR⏎
        > AT+CWMODE=\xff
        < ⏎ERROR⏎
        > AT+CWMODE?\xff
        < ⏎ERROR⏎
        > AT
        < ⏎OK⏎
    """)


def test_all_byte_values(module):
    # The line feed among them makes two lines.
    for _ in range(20):
        module.write(bytes(range(256)) + b"\n")
        module.expect("⏎ERROR⏎⏎ERROR⏎")
    for value in set(range(256)) - {0x0A, 0x0D}:
        module.write(b"AT" + bytes([value]) + b"\r\n")
        module.expect("⏎ERROR⏎")
    module.settled()


def test_noise_before_the_first_at(start):
    module = start(ready=False)
    assert module.control(r"uart noise \x00\x00\xff\xf0") == "ok"
    module.expect("⏎ready⏎")
    module.write(b"\nATE0\r\n")
    # The bytes of noise may have come before the UART was there, or after.
    module.match(r"([\x00\xf0\xff]+\n⏎ERROR⏎|\n)ATE0⏎⏎OK⏎".replace("⏎", r"\r\n"))
    module.settled()


def test_the_host_closes_and_reopens_its_end(module):
    module.command("AT+CWMODE=3")
    for _ in range(3):
        module.close()
        module.open()
        module.send("AT+CWMODE?")
        module.expect("+CWMODE:3⏎⏎OK⏎")
    module.settled()


def test_the_host_closes_in_the_middle_of_a_line(module):
    module.write(b"AT+CW")
    module.close()
    module.open()
    module.write(b"MODE?\r\n")
    module.expect("+CWMODE:1⏎⏎OK⏎")
    module.settled()


def test_the_host_closes_while_a_command_runs(slow):
    slow.send('AT+CWJAP="slow","",,,,,,600')
    slow.send("AT")
    slow.expect("⏎busy p...⏎")
    slow.close()
    assert slow.control("power cycle") == "ok"
    slow.open()
    slow.expect("⏎ready⏎")
    slow.send("AT")
    slow.expect("AT⏎⏎OK⏎")
