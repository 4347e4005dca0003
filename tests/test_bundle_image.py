"""Bundles with MicroPython in them: what atbundle takes for an image, and what it says of what is none."""

import bundles
import pytest
from mpyat import app_image, bundle, flash_board, signing
from mpyat.board_port import BoardError

TEXT = b"MicroPython v1.29.0-preview.12 on 2026-04-06; Generic ESP32 module with OTA"
BUILD = ["build", "--board", "esp32", "-o", "x.atb", "--key", "key", "--image"]
GIVE_THE_OTHER = "is for all of the flash: give the .app-bin of the same page, or micropython.bin of a build"


def test_made_images_are_whole_for_esptool(tmp_path):
    """The format is the one that esptool knows; what is damaged is so for both."""
    path = tmp_path / "image.bin"
    for board, (chip, *_) in flash_board.BOARDS.items():
        if chip in ("esp32", "esp32c6"):
            image = app_image.make(TEXT.ljust(300), chip)
            assert app_image.look(image) == (chip, len(image), True)
            path.write_bytes(image)
            flash_board.checked_image(board, path)
    path.write_bytes(image[:40] + b"?" + image[41:])
    with pytest.raises(BoardError, match="is damaged: its checksum"):
        flash_board.checked_image("ESP32_GENERIC_C6", path)
    with pytest.raises(app_image.ImageError, match="its checksum is not right"):
        app_image.look(path.read_bytes())


@pytest.mark.parametrize("length", range(48))
def test_the_end_of_an_image(length):
    """Behind any number of bytes; nothing may be missing, and what follows does not count."""
    image = app_image.make(bytes(range(length)))
    assert app_image.look(image + b"\xff" * 100)[1] == len(image)
    for end in range(len(image)):
        with pytest.raises(app_image.ImageError):
            app_image.look(image[:end])
    for place in (0, 1, 12, 23, 29, 33, len(image) - 33, len(image) - 1):
        with pytest.raises(app_image.ImageError):
            app_image.look(image[:place] + bytes([image[place] ^ 0x21]) + image[place + 1 :])


def test_a_bundle_with_an_image(tmp_path):
    """The image comes first, and the name is not one that all boards ask for."""
    private = signing.private(bundles.key())
    image = app_image.make(TEXT, "esp32s3")
    (tmp_path / "image").write_bytes(image)
    data = bundle.make("esp32", private, "9.0.0", image=tmp_path / "image")
    found = bundle.read(data, "it")
    assert (found.name, found.kind, found.micropython) == ("image-esp32s3", "image", "1.29.0")
    assert bundles.files(data) == {"micropython-esp32s3.bin": image, **bundles.files(bundles.firmware("esp32"))}
    assert next(iter(bundles.files(data))) == "micropython-esp32s3.bin"
    assert bundle.read(bundle.make("esp32", private, "9.0.0", "mine", image=tmp_path / "image"), "it").name == "mine"


def test_wrong_in_one_line(tmp_path, monkeypatch):
    """What is wrong is said before anything is built."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_bytes(bundles.key().read_bytes())
    good = app_image.make(TEXT)
    # A bootloader's first segment begins with other bytes.
    with monkeypatch.context() as changed:
        changed.setattr(app_image, "_PROGRAM", 0x50)
        loader = app_image.make(TEXT)
    for name, data, said in (
        ("flash", good + b"\xff" * 0x5000 + good, GIVE_THE_OTHER),
        ("bootloader", loader, GIVE_THE_OTHER),
        (
            "text",
            b"<!DOCTYPE html>" * 9,
            "cannot be used: it is no image of an ESP32; give the .app-bin of ",
        ),
        ("cut", good[:-1], "cannot be used: it is cut off; "),
        ("damaged", good[:-1] + bytes([good[-1] ^ 1]), "cannot be used: its SHA-256 is not right; "),
        ("other", app_image.make(b"Hello, world"), "has no MicroPython of 1.29 or newer in it"),
        ("old", app_image.make(TEXT.replace(b"1.29", b"1.28")), "has no MicroPython of 1.29 or newer in it"),
    ):
        (tmp_path / name).write_bytes(data)
        assert wrong(monkeypatch, *BUILD, name).startswith(f"atbundle: {name} {said}")
    assert wrong(monkeypatch, *BUILD, "missing") == "atbundle: cannot read missing: No such file or directory"
    line = wrong(monkeypatch, *BUILD, "other", "--board", "esp8266")
    assert line == "atbundle: --image is for ESP32s: on an ESP8266 a new MicroPython comes with make flash"
    assert not (tmp_path / "x.atb").exists()


def wrong(monkeypatch, *words):
    """The line that atbundle ends with."""
    monkeypatch.setattr("sys.argv", ["atbundle", *words])
    with pytest.raises(SystemExit) as end:
        bundle.main()
    assert "\n" not in str(end.value)
    return str(end.value)
