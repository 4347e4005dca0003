"""MicroPython is written to a chip that answers as the loader in its ROM does, with images made for real boards."""

import hashlib

import esptool
import pytest
from boards_loader import loader, real_image
from mpyat import flash_board
from mpyat.board_port import BoardError
from mpyat.loader import look, write
from test_flash import make_image

ADDRESSES = {"esp32": 0x1000, "esp8266": 0}


@pytest.fixture(params=ADDRESSES)
def image(request):
    """The chip, where its image begins, and that."""
    try:
        return request.param, ADDRESSES[request.param], real_image(request.param)
    except OSError as error:
        pytest.skip(f"no image from PyPI: {error}")


def flash_has(port, address, data):
    """Whether the chip has these bytes in its flash, by the sum that it makes of them itself."""
    with esptool.connect_esp(port=port) as chip:
        chip = esptool.run_stub(chip)
        esptool.attach_flash(chip)
        return chip.flash_md5sum(address, len(data)) == hashlib.md5(data).hexdigest()


def test_a_real_image(image, monkeypatch):
    """It is known for what it is, and written whole, whatever the environment has for esptool's command line."""
    chip, address, data = image
    monkeypatch.setenv("ESPTOOL_CHIP", "esp32c3")
    found = look(data, address)
    assert found.chip == chip and (found.flash == 4 << 20 if chip == "esp32" else found.flash == len(data))
    with loader(chip, 4) as port:
        write(port, 115200, chip, address, data, True, found.flash)
        # On an ESP8266 esptool puts the size of the flash into the header.
        assert flash_has(port, address, data) if chip == "esp32" else flash_has(port, 16, data[16:])


def test_a_real_image_that_is_damaged(image):
    chip, address, data = image
    places = {"esp32": [0x40, len(data) // 2], "esp8266": [0x40]}[chip]
    for place in places:
        damaged = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        with pytest.raises(BoardError, match="is damaged: "):
            look(damaged, address)
    with pytest.raises(BoardError, match=r"is damaged: |is no image of an ESP chip: "):
        look(data[: len(data) // 2] if chip == "esp32" else data[:100], address)


@pytest.mark.parametrize("mib, board, needed", [(1, "ESP8266_GENERIC", 2), (2, "ESP32_GENERIC", 4)])
def test_a_flash_that_is_too_small(tmp_path, capfd, mib, board, needed):
    """It is left as it was."""
    chip, address, _ = flash_board.BOARDS[board]
    before = bytes(range(256)) * 16
    path = tmp_path / "image.bin"
    path.write_bytes(make_image(chip))
    with loader(chip, mib) as port:
        with esptool.connect_esp(port=port) as connected:
            stub = esptool.run_stub(connected)
            esptool.attach_flash(stub)
            esptool.write_flash(stub, [(0x10000, before)])
        data, flash = flash_board.checked_image(board, path)
        with pytest.raises(BoardError) as refused:
            write(port, 115200, chip, address, data, True, flash)
        assert flash_has(port, 0x10000, before)
    small = ", as on an ESP-01" if mib == 1 else ""
    said = f"{port}: the flash has {mib} MiB{small}, and {needed} MiB are needed. Nothing was changed"
    assert str(refused.value) == said


def test_another_chip(capfd):
    with loader("esp32s2", 4) as port, pytest.raises(BoardError) as refused:
        write(port, 115200, "esp32", 0x1000, make_image("esp32"), True, 0)
    assert str(refused.value) == f"{port} has an ESP32-S2, and the board is one with ESP32"


def test_a_port_at_which_nothing_answers(tmp_path, capfd):
    with pytest.raises(BoardError) as refused:
        write(str(tmp_path / "port"), 115200, "esp32", 0x1000, make_image("esp32"), True, 0)
    assert str(refused.value).startswith(f"{tmp_path}/port: ") and "\n" not in str(refused.value)


def test_only_what_is_erased_is_gone():
    """KEEP=1 leaves what else is in the flash."""
    mark = bytes(range(256)) * 16
    for erase in (False, True):
        with loader("esp32", 4) as port:
            with esptool.connect_esp(port=port) as connected:
                stub = esptool.run_stub(connected)
                esptool.attach_flash(stub)
                esptool.write_flash(stub, [(0x200000, mark)])
            write(port, 115200, "esp32", 0x1000, make_image("esp32"), erase, 4 << 20)
            assert flash_has(port, 0x200000, mark) != erase
