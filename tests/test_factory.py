"""What few hosts ever send: user partitions and files of the flash, registers, going back to an earlier firmware."""

import hashlib
import time

import pytest
from transcript import play as play_transcript

BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])


def test_sysflash(start):
    """The manual's examples, with the sizes of its partition ble_data."""
    module = start("--board", "esp32", "--partition", "ble_data=12", "--partition", "server_cert=8")
    play_transcript(
        module,
        r"""
        > AT+SYSFLASH?
        < +SYSFLASH:"ble_data",64,1,0x400000,0x3000⏎+SYSFLASH:"server_cert",64,2,0x403000,0x2000⏎⏎OK⏎
        > AT+SYSFLASH=1,"ble_data",100,10
        < ⏎OK⏎⏎>
        >> 0123456789
        < ⏎OK⏎
        > AT+SYSFLASH=2,"ble_data",98,14
        < +SYSFLASH:14,\xff\xff0123456789\xff\xff⏎OK⏎
        # What was not erased keeps its cleared bits.
        > AT+SYSFLASH=1,"ble_data",100,2
        < ⏎OK⏎⏎>
        >> \x11\xf0
        < ⏎OK⏎
        > AT+SYSFLASH=2,"ble_data",100,3
        < +SYSFLASH:3,\x10\x302⏎OK⏎
        > AT+SYSFLASH=0,"ble_data",4096,8192
        < ⏎OK⏎
        > AT+SYSFLASH=2,"ble_data",100,1
        < +SYSFLASH:1,\x10⏎OK⏎
        > AT+SYSFLASH=0,"ble_data"
        < ⏎OK⏎
        > AT+SYSFLASH=2,"ble_data",100,2
        < +SYSFLASH:2,\xff\xff⏎OK⏎
        > AT+SYSFLASH=2,"ble_data",0,0
        < +SYSFLASH:0,⏎OK⏎
        > AT+SYSFLASH=1,"ble_data",0,6
        < ⏎OK⏎⏎>
        >> ab
        """,
        settled=False,
    )
    time.sleep(0.04)
    module.write(b"+++")
    module.expect("⏎SEND Canceled⏎")
    everything = bytes(range(256)) * 32
    module.send('AT+SYSFLASH=1,"server_cert",0,8192')
    module.expect("⏎OK⏎⏎>")
    module.write(everything)
    module.expect("⏎OK⏎")
    module.send('AT+SYSFLASH=2,"server_cert",0,8192')
    module.expect("+SYSFLASH:8192,")
    assert module.take(8192) == everything
    module.expect("⏎OK⏎")
    for wrong in (
        '0,"ble_data",100,4096',
        '0,"ble_data",4096,100',
        '0,"ble_data",4096',
        '1,"server_cert",8190,3',
        '1,"ble_data",0,0',
        '1,"ble_data",0,8193',
        '2,"ble_data"',
        '2,"ble_data",12288,1',
        '2,"nvs",0,1',
        '0,"vfs"',
    ):
        module.send(f"AT+SYSFLASH={wrong}")
        module.expect("⏎ERROR⏎")
    module.settled()


def test_sysflash_keeps_reports_out_of_its_data(start):
    module = start("--board", "esp32", "--partition", "user=256")
    module.send('AT+CWJAP="mpy-at","12345678"')
    module.expect("WIFI CONNECTED⏎WIFI GOT IP⏎⏎OK⏎")
    size = 256 * 1024
    module.send(f'AT+SYSFLASH=2,"user",0,{size}')
    module.expect(f"+SYSFLASH:{size},")
    assert module.control("ap down mpy-at") == "ok"
    assert module.take(size) == b"\xff" * size
    module.match(r"\r\nOK\r\n(WIFI DISCONNECT\r\n)")


def test_sysflash_without_partitions(start):
    """As MicroPython's own tables have none, and the ESP8266 has no partitions at all."""
    module = start("--board", "esp32")
    play_transcript(
        module,
        """
        > AT+SYSFLASH?
        < ⏎OK⏎
        > AT+SYSFLASH=2,"ble_data",0,100
        < ⏎ERROR⏎
        """,
    )
    play_transcript(start("--board", "esp8266"), "> AT+SYSFLASH?\n < ⏎ERROR⏎\n > AT+SYSFLASH=?\n < ⏎ERROR⏎")


def test_fs(start, tmp_path):
    """The manual's examples, and what they need around them."""
    flash = tmp_path / "flash.img"
    module = start("--board", "esp32", "--flash", flash)
    play_transcript(
        module,
        r"""
        > AT+FS=0,4,"."
        < +FS:⏎⏎OK⏎
        > AT+FS=0,3,"filename"
        < ⏎ERROR⏎
        > AT+FS=0,1,"filename",0,6
        < ⏎OK⏎⏎>
        >> abcdef
        < ⏎OK⏎
        > AT+FS=1,1,"filename",100,10
        < ⏎OK⏎⏎>
        >> 0123456789
        < ⏎OK⏎
        > AT+FS=0,3,"filename"
        < +FS:110⏎⏎OK⏎
        > AT+FS=0,2,"filename",98,100
        < +FS:12,\0\00123456789⏎OK⏎
        > AT+FS=0,2,"filename",0,3
        < +FS:3,abc⏎OK⏎
        > AT+FS=0,2,"filename",110,1
        < +FS:0,⏎OK⏎
        > AT+FS=0,1,"other",0,1
        < ⏎OK⏎⏎>
        >> x
        < ⏎OK⏎
        > AT+FS=0,4,"."
        < +FS:filename other⏎⏎OK⏎
        > AT+FS=1,5,"other"
        < +FS:9dd4e461268c8034f5c8564e155c67a6⏎⏎OK⏎
        > AT+FS=1,6
        ~ \+FS:\d+,2097152⏎⏎OK⏎
        > AT+FSMOUNT=0
        < ⏎OK⏎
        > AT+FSMOUNT=2
        < ⏎ERROR⏎
        > AT+FS=0,0,"other"
        < ⏎OK⏎
        > AT+FS=0,0,"other"
        < ⏎ERROR⏎
        """,
    )
    # The firmware's own files are out of reach.
    for name in ("../main.py", "/main.py", "..", ".", ""):
        for line in (f'0,0,"{name}"', f'0,2,"{name}",0,10', f'0,3,"{name}"', f'0,5,"{name}"', f'0,1,"{name}",0,1'):
            module.send(f"AT+FS={line}")
            module.expect("⏎ERROR⏎")
    for line in ('0,1,"a",0', '0,1,"a",0,8193', '0,1,"a",0,0', '0,2,"filename"', "0,2", '0,4,"main"', '2,3,"a"', "0,7"):
        module.send(f"AT+FS={line}")
        module.expect("⏎ERROR⏎")
    module.stop()
    module = start("--board", "esp32", "--flash", flash)
    play_transcript(module, '> AT+FS=0,4,"/"\n < +FS:filename⏎⏎OK⏎')


def test_fs_with_much_data(start):
    module = start("--board", "esp32")
    everything = bytes(range(256)) * 32
    for part in range(4):
        module.send(f'AT+FS=0,1,"big",{part * 8192},8192')
        module.expect("⏎OK⏎⏎>")
        module.write(everything)
        module.expect("⏎OK⏎")
    module.send('AT+FS=0,2,"big",0,100000')
    module.expect("+FS:32768,")
    assert module.take(32768) == everything * 4
    module.expect("⏎OK⏎")
    module.send('AT+FS=0,5,"big"')
    module.expect(f"+FS:{hashlib.md5(everything * 4).hexdigest()}⏎⏎OK⏎")
    # A full flash is an ERROR, and what is there stays.
    module.send("AT+SYSLOG=1")
    module.expect("⏎OK⏎")
    for number in range(300):
        module.send(f'AT+FS=0,1,"{number}",0,8192')
        module.expect("⏎OK⏎⏎>")
        module.write(everything)
        if module.match(r"(ERR CODE:0x010a001c\r\n)?\r\n(OK|ERROR)\r\n")[2] == b"ERROR":
            break
    assert 0 < number < 299
    module.send('AT+FS=0,3,"big"')
    module.expect("+FS:32768⏎⏎OK⏎")
    module.settled()


@BOARDS
def test_sysrollback(start, board):
    play_transcript(
        start("--board", board),
        """
        > AT+SYSROLLBACK
        < ⏎ERROR⏎
        > AT+SYSLOG=1
        < ⏎OK⏎
        > AT+SYSROLLBACK
        < no other firmware⏎ERR CODE:0x010a0002⏎⏎ERROR⏎
        """,
    )


@pytest.mark.parametrize("board, base, size", [("esp32", 0x3FF44000, 0x600), ("esp8266", 0x60000300, 0x100)])
def test_sysreg(start, board, base, size):
    module = start("--board", board)
    # As in the manual: a pin becomes an output, then high, then low.
    for offset, value in ((0x2C, 2), (0x10, 0x80000002), (0x10, 0), (size - 4, 0xFFFFFFFF)):
        module.command(f"AT+SYSREG=1,{base + offset:#x},{value:#x}")
        module.send(f"AT+SYSREG=0,{base + offset:#X}".replace("0X", "0x"))
        module.expect(f"+SYSREG:{value:#x}⏎⏎OK⏎")
    module.command("AT+SYSLOG=1")
    refused = [base - 4, base + size, base + 1, base + 2, 0, 0x3FF00000, 0x40000000, 0x60000000, 0xFFFFFFFC]
    for address in refused:
        for line in (f"AT+SYSREG=0,{address}", f"AT+SYSREG=1,{address},1"):
            module.send(line)
            module.expect("ERR CODE:0x010a0000⏎⏎ERROR⏎")
    for line in (f"AT+SYSREG=0,{base},1", f"AT+SYSREG=1,{base}"):
        module.send(line)
        module.expect("ERR CODE:0x010a0000⏎⏎ERROR⏎")
    module.settled()
