"""The simulator's stand-ins for the chip's modules have nothing that the chip has not, as the stubs tell it."""

import re
import shutil
import subprocess
import sys

import pytest
from mpyat import sources, standins

CHIP = sources.root() / "tools" / "chip"


@pytest.fixture
def chip(tmp_path):
    """A copy of the stand-ins, to be changed."""
    return shutil.copytree(CHIP, tmp_path / "chip")


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_stand_ins_have_no_more_than_the_chip(board):
    assert standins.differences(board) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "found"),
    [
        ("machine.py", "    def txdone(self):", "    def pending(self):", "machine.UART.pending NOT THERE"),
        (
            "machine.py",
            "def txdone(self):",
            "def txdone(self, _wait=0):",
            "machine.UART.txdone: it takes 1 arguments, and on the chip 0",
        ),
        (
            "machine.py",
            "def txdone(self):",
            "def txdone(self, *, wait=0):",
            "machine.UART.txdone: there is no wait on the chip",
        ),
        (
            "machine.py",
            "datetime(self, _value=...)",
            "datetime(self, value=...)",
            "machine.RTC.datetime: argument 1 has no name value on the chip",
        ),
        (
            "machine.py",
            "mode=None, pull=-1",
            "pull=-1, mode=None",
            "machine.Pin.__init__: argument 2 has no name pull on the chip",
        ),
        (
            "machine.py",
            "stop=0, **kw",
            "stop=0, tx=None, **kw",
            "machine.UART.init: it takes 5 arguments, and on the chip 4",
        ),
        ("machine.py", "mem32 =", "mem64 =", "machine.mem64 NOT THERE"),
        ("esp8266/soc.py", "timeout_char ", "timeout_char txbuf ", "machine.UART.init: there is no txbuf on the chip"),
        ("esp8266/soc.py", "FLOW_CONTROL = None", "FLOW_CONTROL = (1, 2)", "machine.UART.RTS NOT THERE"),
        ("esp8266/soc.py", "PULL_UP=1", "PULL_UP=2", "machine.Pin.PULL_UP is 1 on the chip and not 2"),
        ("esp8266/soc.py", "STA_IF=0", "STA_IF=0 MODE_LR=8", "network.MODE_LR NOT THERE"),
        (
            "esp8266/esp.py",
            "flash_read(_offset, _size)",
            "flash_read(_offset, _size=4)",
            "esp.flash_read: it wants 1 arguments, and on the chip 2",
        ),
        ("esp8266/esp.py", '"""\n', '"""\n\n\ndef flash_free():\n    pass\n', "esp.flash_free NOT THERE"),
        ("os.py", '"system", ', "", "os.system NOT THERE"),
        (
            "os.py",
            "def dupterm(_stream, _index=0):",
            "def dupterm(*streams):",
            "os.dupterm: it takes inf arguments, and on the chip 2",
        ),
        (
            "esp8266/axtls.py",
            "SSLContext(_protocol)",
            "SSLContext(_protocol, _psk=None)",
            "tls.SSLContext: it takes 2 arguments, and on the chip 1",
        ),
    ],
)
def test_what_the_chip_has_not_is_found(file, old, new, found, chip):
    change(chip / file, old, new)
    lines = standins.differences("esp8266", chip)
    assert f"esp8266: {found}".replace("NOT THERE", "is not there on the chip") in lines


def test_a_module_that_the_chip_has_not_is_found(chip):
    (chip / "esp8266" / "esp32.py").write_text("")
    assert standins.differences("esp8266", chip) == ["esp8266: esp32: the chip has no such module"]


def test_without_stubs_there_is_one_line(tmp_path):
    code = f"import sys; sys.prefix = {str(tmp_path)!r}; from mpyat import standins; standins.main()"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert re.fullmatch("standins: no stubs of the esp.* in .*: `make setup` gets them\n", result.stderr)
