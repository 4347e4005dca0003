"""Writing MicroPython to a board, up to the port: the image is checked by the real esptool, and so is its command line.
The images are made here, as small as esptool takes them."""

import functools
import hashlib
import http.server
import re
import socket
import struct
import subprocess
import sys
import threading
from types import SimpleNamespace

import bundles
import pytest
from module import LIMIT
from mpyat import app_image, flash_board, images, sources
from mpyat.board_port import BoardError

_CHIPS = {"esp32": 0, "esp32s2": 2, "esp32c3": 5, "esp32s3": 9, "esp32c6": 13}


def make_image(chip):
    """An image of one segment, with its checksum, and its hash where the chip has one."""
    if chip == "esp8266":
        image = struct.pack("<BBBBI II", 0xE9, 1, 0, 0x40, 0x40100000, 0x40100000, 32) + b"\x55" * 32
        return image + bytes(15 - len(image) % 16) + b"\xef"
    image = struct.pack("<BBBBI", 0xE9, 1, 2, 0x20, 0x40080000)
    image += struct.pack("<BBBBHBHH4xB", 0xEE, 0, 0, 0, _CHIPS[chip], 0, 0, 0xFFFF, 1)
    image += struct.pack("<II", 0x3FFB0000, 16) + bytes(16)
    image += bytes(15 - len(image) % 16) + b"\xef"
    return image + hashlib.sha256(image).digest()


def run_flash(*words):
    command = [sys.executable, "-m", "mpyat.flash_board", *map(str, words)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2 * LIMIT)
    return result.returncode, result.stdout, result.stderr


@pytest.mark.parametrize("board", flash_board.BOARDS)
def test_images(tmp_path, capfd, board):
    """An image for the board's chip, and one for another."""
    chip = flash_board.BOARDS[board][0]
    image = tmp_path / "image.bin"
    image.write_bytes(make_image(chip))
    sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
    data, flash = flash_board.checked_image(board, image, sha256.upper())
    assert data == image.read_bytes() and flash == flash_board.BOARDS[board][2] << 20
    assert capfd.readouterr().out == f"{image}: SHA-256 {sha256}\n"
    other = "esp32s3" if chip != "esp32s3" else "esp32"
    image.write_bytes(make_image(other))
    with pytest.raises(BoardError, match=f"is for {other}, and {board} is {chip}"):
        flash_board.checked_image(board, image)


@pytest.mark.parametrize("version, fits", [("1.28.0", False), ("1.29.0", True)])
def test_an_image_that_is_too_old(tmp_path, version, fits):
    """It is refused before anything is erased."""
    image = tmp_path / "image.bin"
    image.write_bytes(app_image.make(f"MicroPython v{version} on 2026-01-01".encode().ljust(300)))
    if fits:
        assert flash_board.checked_image("ESP32_GENERIC", image)
        return
    status, said, errors = run_flash(tmp_path / "port", "ESP32_GENERIC", image)
    assert (status, said) == (1, "")
    assert errors == f"flash: {image} is MicroPython 1.28.0, and the firmware needs 1.29 or newer\n"


@pytest.mark.parametrize("board", ["ESP32_GENERIC", "ESP8266_GENERIC"])
def test_as_far_as_the_port(tmp_path, board):
    """It goes as far as the port, which is not there."""
    image = tmp_path / "image.bin"
    image.write_bytes(make_image(flash_board.BOARDS[board][0]))
    port = tmp_path / "port"
    status, said, errors = run_flash(port, board, image)
    assert status == 1 and errors.startswith(f"flash: {port}: Could not open") and errors.count("\n") == 1, errors
    assert f"SHA-256 {hashlib.sha256(image.read_bytes()).hexdigest()}\n" in said
    status, said, errors = run_flash(port, board, image, "--dry-run", "--keep")
    what = {"ESP32_GENERIC": "esp32 with 4 MiB", "ESP8266_GENERIC": "esp8266 with 2 MiB"}[board]
    address = flash_board.BOARDS[board][1]
    assert f"see that it is an {what} of flash, then at 460800 baud write {address:#x} {image}\n" in said, said
    assert status == 0 and not errors
    assert said.splitlines()[-1].startswith("AT+GMR: version ")


@pytest.mark.parametrize(
    "board, words, said",
    [
        ("PICO", ["image.bin"], "BOARD=PICO is not one of ESP32_GENERIC, "),
        ("", ["image.bin"], "BOARD= is not one of ESP32_GENERIC, "),
        ("ESP32_GENERIC", ["missing.bin"], "cannot read {folder}/missing.bin: No such file or directory"),
        ("ESP32_GENERIC", ["image.bin", "--sha256", "ab12"], "{folder}/image.bin: its SHA-256 is "),
        ("ESP32_GENERIC", ["noise.bin"], "{folder}/noise.bin is no image of an ESP chip: "),
        ("ESP32_GENERIC", ["damaged.bin"], "{folder}/damaged.bin is damaged: its checksum is not right"),
    ],
    ids=["board", "no board", "missing", "another hash", "noise", "damaged"],
)
def test_in_one_line(tmp_path, board, words, said):
    """What is wrong is said before the port is touched."""
    good = make_image("esp32")
    (tmp_path / "image.bin").write_bytes(good)
    (tmp_path / "noise.bin").write_bytes(b"noise" * 20)
    (tmp_path / "damaged.bin").write_bytes(good[:32] + b"\1" + good[33:])
    words = [str(tmp_path / word) if word.endswith(".bin") else word for word in words]
    status, out, errors = run_flash(tmp_path / "port", board, *words)
    assert status == 1 and not out and errors.count("\n") == 1, out + errors
    assert errors.startswith("flash: " + said.format(folder=tmp_path)), errors


def test_a_key_that_is_too_long(tmp_path):
    """Nothing is written to a board for which the firmware cannot be built."""
    image = tmp_path / "image.bin"
    image.write_bytes(make_image("esp8266"))
    status, out, errors = run_flash(tmp_path / "port", "ESP8266_GENERIC", image, "--update-key", bundles.public("long"))
    assert status == 1 and not out and errors.count("\n") == 1
    assert errors.startswith("flash: an ESP8266 has memory for updates with a key of 2048 bits: ")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that is served in place of micropython.org, and from which an image may be downloaded."""
    folder = tmp_path / "site"
    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(images, "SITE", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(images, "store", lambda: tmp_path)
        yield folder
        server.shutdown()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def publish(site, board, data):
    """Puts an image on the site as micropython.org has it, after some that are not wanted; returns its name."""
    variant = "-FLASH_2M_ROMFS" if board.startswith("ESP8266") else ""
    names = [
        f"{board}-20260101-v1.28.0.bin",
        f"{board}-SPIRAM-20260406-v1.29.0.bin",
        f"{board}{variant}-20260406-v1.29.0.bin",
    ]
    (site / "download" / board).mkdir(parents=True)
    (site / "resources/firmware").mkdir(parents=True)
    listed = [f'<a href="/resources/firmware/{name}">{name}</a>' for name in names]
    (site / "download" / board / "index.html").write_text("\n".join(listed))
    (site / "resources/firmware" / names[-1]).write_bytes(data)
    return names[-1]


@pytest.mark.parametrize("board", ["ESP32_GENERIC", "ESP8266_GENERIC"])
def test_an_image_from_the_site(site, tmp_path, capfd, board):
    """It is kept, and has to stay what it was."""
    data = make_image(flash_board.BOARDS[board][0])
    name = publish(site, board, data)
    dry = SimpleNamespace(
        board=board, port="port", image=None, sha256=None, baud=1, keep=False, dry_run=True, update_key=None
    )
    kept = tmp_path / "images" / name
    # A dry run needs no network: it names what would be downloaded, and uses what is there.
    unknown = name.replace("20260406", "DATE")
    for expected, image in (
        (f"get {unknown} from {images.SITE}/download/{board}/, ", unknown),
        (f"{kept}: SHA-256 ", kept),
    ):
        flash_board.flash(dry)
        said = capfd.readouterr().out
        assert said.startswith(expected) and f" 0x{flash_board.BOARDS[board][1]:x} {image}\n" in said
        assert said.splitlines()[-1].startswith("AT+GMR: version ")
        if image != kept:
            assert not any((tmp_path / "images").iterdir())
            assert images.get(board) == kept and kept.read_bytes() == data
            assert capfd.readouterr().out == f"getting {images.SITE}/resources/firmware/{name}\n"
    kept.write_bytes(data + b"more")
    with pytest.raises(BoardError, match=f"{kept} is not as it was downloaded"):
        flash_board.flash(dry)
    # One that is none is not kept.
    kept.unlink()
    (site / "resources/firmware" / name).write_bytes(b"noise" * 20)
    wet = SimpleNamespace(**vars(dry) | {"dry_run": False})
    with pytest.raises(BoardError, match="is no image of an ESP chip"):
        flash_board.flash(wet)
    assert not any((tmp_path / "images").iterdir())


def test_no_image_from_the_site(site, monkeypatch):
    name = "ESP32_GENERIC_C3-DATE-v1.29.0.bin"
    wanted = f"Get {name} from {images.SITE}/download/ESP32_GENERIC_C3/ by other means, and give it with IMAGE="
    with pytest.raises(BoardError, match=f"cannot get MicroPython's image: File not found. {wanted}"):
        images.get("ESP32_GENERIC_C3")
    publish(site, "ESP32_GENERIC", b"")
    (site / "download/ESP32_GENERIC").rename(site / "download/ESP32_GENERIC_C3")
    with pytest.raises(
        BoardError, match=f"/download/ESP32_GENERIC_C3/ does not list {name}: give an image with IMAGE="
    ):
        images.get("ESP32_GENERIC_C3")
    with socket.create_server(("127.0.0.1", 0)) as free:
        offline = f"http://127.0.0.1:{free.getsockname()[1]}"
    monkeypatch.setattr(images, "SITE", offline)
    with pytest.raises(
        BoardError, match=r"image: \[Errno 111\] Connection refused. Get ESP8266_GENERIC-FLASH_2M_ROMFS-DATE-v"
    ):
        images.get("ESP8266_GENERIC")


@pytest.mark.parametrize("page", ["README.md", "docs/getting-started.md", "docs/updates.md"])
def test_the_lines_in_the_docs(tmp_path, page):
    """Each line with make does what it says, as far as it goes without a board and without a network."""
    lines = re.findall(
        r"^    (make (?:flash|deploy) .*?)(?: +#.*)?$", (sources.root() / page).read_text(), re.MULTILINE
    )
    assert {line.split()[1] for line in lines} == {"flash", "deploy"}
    for line in lines:
        variables = dict(word.split("=") for word in line.split()[2:])
        board = variables.setdefault("BOARD", "ESP32_GENERIC")
        if "IMAGE" in variables:
            (tmp_path / variables["IMAGE"]).write_bytes(make_image(flash_board.BOARDS[board][0]))
        if "KEY" in variables:
            (tmp_path / variables["KEY"]).write_bytes(bundles.public().read_bytes())
        variables |= {"VENV": sys.prefix, "DRY_RUN": "1"}
        # What make would install is here.
        command = ["make", "--no-print-directory", "-f", sources.root() / "Makefile", line.split()[1]]
        command += [f"--old-file={sys.prefix}/{name}" for name in (".ready", ".ready-boards")]
        command += [f"{name}={value}" for name, value in variables.items()]
        result = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=2 * LIMIT)
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines()[-1].startswith("AT+GMR: version "), result.stdout
