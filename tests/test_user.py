"""The User chapter: USERRAM and USERDOCS. Manual: user_at_commands.rst of espressif/esp-at."""

from transcript import play


def test_userram(start, board):
    """The manual's example, with a write and reads that reach over 1024 bytes."""
    module = start("--board", board)
    data = bytes(range(256)) * 5
    play(module, "> AT+USERRAM?\n < +USERRAM:0⏎⏎OK⏎\n > AT+USERRAM=1,1400\n < ⏎OK⏎")
    play(module, "> AT+USERRAM?\n < +USERRAM:1400⏎⏎OK⏎")
    module.send("AT+USERRAM=2,1280,100")
    module.expect("⏎OK⏎⏎>")
    module.write(data)
    module.expect("⏎WRITE OK⏎")
    module.send("AT+USERRAM=3,1300,90")
    module.expect(b"+USERRAM:1024," + (bytes(10) + data)[:1024])
    module.expect(b"+USERRAM:276," + (data + bytes(10))[1014:] + b"\r\nOK\r\n")
    play(module, "> AT+USERRAM=4\n < ⏎OK⏎\n > AT+USERRAM=3,4,100\n < +USERRAM:4,\\0\\0\\0\\0⏎OK⏎")
    play(module, "> AT+USERRAM=0\n < ⏎OK⏎\n > AT+USERRAM?\n < +USERRAM:0⏎⏎OK⏎")


def test_a_write_that_is_cut_short(start, board):
    module = start("--board", board)
    module.command("AT+USERRAM=1,64")
    module.send("AT+USERRAM=2,8,2")
    module.expect("⏎OK⏎⏎>")
    module.write(b"ab")
    module.leave()
    module.expect("⏎SEND Canceled⏎")
    play(module, "> AT+USERRAM=3,6\n < +USERRAM:6,\\0\\0ab\\0\\0⏎OK⏎")


def test_what_userram_refuses(start, board):
    module = start("--board", board)
    nothing_there = "0", "2,1", "3,1", "4"
    wrong = "5", "-1", "1", "1,0", "1,-1", "1,5,1", "0,1", "4,1", "2", "3", "2,1,-1", "0,,1", "1,2000000000"
    for parameters in nothing_there + wrong:
        module.send(f"AT+USERRAM={parameters}")
        module.expect("⏎ERROR⏎")
    module.command("AT+USERRAM=1,100")
    for parameters in ("1,100", "2,101", "2,1,100", "3,1,100", "3,101", "3,2147483647,2147483647", *wrong):
        module.send(f"AT+USERRAM={parameters}")
        module.expect("⏎ERROR⏎")
    play(module, "> AT+USERRAM=3,1,99\n < +USERRAM:1,\\0⏎OK⏎")


def test_the_module_keeps_memory_for_itself(start, board):
    """The host gets what is there, but for so much that links can still be opened."""
    module = start("--board", board).join()
    size = 1 << 20
    while size:
        module.send(f"AT+USERRAM=1,{size}")
        if module.match("⏎(OK|ERROR)⏎")[1] == b"OK":
            break
        size //= 2
    assert size >= 2048
    play(module, "peer web\n link web\n web sends abc\n < ⏎+IPD,3:abc\n > AT+CIPCLOSE\n < CLOSED⏎⏎OK⏎")


def test_no_report_within_what_is_read(start, board):
    """Data of a link come before or behind it."""
    module = start("--board", board).join()
    module.command("AT+USERRAM=1,2048")
    play(
        module,
        """
        peer web
        link web
        > AT+USERRAM=3,2048
        web sends abc
        """,
        settled=False,
    )
    zeros = bytes(1024)
    whole = b"+USERRAM:1024,%s+USERRAM:1024,%s\r\nOK\r\n" % (zeros, zeros)
    report = b"\r\n+IPD,3:abc"
    said = module.take(len(whole) + len(report))
    assert said.replace(report, b"", 1) == whole
    module.expect("CLOSED⏎")


def test_userdocs(start, board):
    """Two lines with one address, as they are in the sources or on the web."""
    module = start("--board", board)
    module.send("AT+USERDOCS?")
    first, second = module.match(r'\+USERDOCS:"(\S+)"⏎\+USERDOCS:"(\S+)"⏎⏎OK⏎').groups()
    assert first == second and (first == b"README.md" or first.startswith(b"https://"))
