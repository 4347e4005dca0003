"""atbundle: makes the bundles that AT+CIUPDATE takes, and the folder that a web server has of them.
A bundle is a signed manifest in text, and behind it the bytes of the files that it names, one after the other."""

import argparse
import base64
import binascii
import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path

from . import __version__, app_image, signing
from .build import BOARDS, BuildError, build
from .sources import oldest_micropython

FORMAT = b"mpy-at bundle 1\n"
# The longest line that the firmware reads, with its end.
LINE = 640
# What a board runs: one ROMFS image, which is one half of the ESP8266's partition, or .mpy files on the flash. The kind
# "image" has an ESP32's image of MicroPython in front of these.
KINDS = {"esp8266": "romfs", "esp32": "mpy"}
IMAGE, IMAGE_LIMIT = "firmware.romfs", 160 * 1024
# The format of the .mpy files.
_MPY = 6
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){2}")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,32}")
_PATH = re.compile(r"(?!/|.*//|.*(^|/)\.)[A-Za-z0-9_./-]{1,120}(?<!/)")
_KEYS = ("name", "version", "board", "kind", "micropython", "mpy")


class BundleError(Exception):
    """Something about a bundle is wrong; the message is one line that says what to do."""


class Bundle:
    """What the manifest says, in attributes of the same names; files is a list of (bytes, SHA-256, path).

    signed: the bytes that the signature is for. data: the bytes of the files."""

    def __init__(self, fields, files, signed, signature, data):
        self.name, self.version, self.board, self.kind, self.micropython, self.mpy = (fields[key] for key in _KEYS)
        self.files, self.signed, self.signature, self.data = files, signed, signature, data

    @property
    def file_name(self):
        return f"{self.name}-{self.version}-{self.board}.atb"


def pack(fields, files, key):
    """The bytes of a bundle. `fields` has the lines before the files by their names, `files` {path: bytes}."""
    lines = [f"{name} {fields[name]}" for name in _KEYS]
    lines += [f"file {len(data)} {hashlib.sha256(data).hexdigest()} {path}" for path, data in files.items()]
    return sealed(FORMAT + "".join(f"{line}\n" for line in lines).encode(), b"".join(files.values()), key)


def sealed(manifest, data, key):
    """A bundle of these bytes of a manifest, signed, and of its files."""
    signature = base64.b64encode(signing.sign(key, manifest))
    return manifest + b"signature " + signature + b"\n" + data


def make(board, key, version=__version__, name=None, source=None, next_key=None, image=None):
    """Builds the firmware and returns it as the bytes of a bundle.

    key: the private key that signs. next_key: the public one whose updates the new firmware takes, the other half of
    `key` if none is given. image: the file with MicroPython for an ESP32, which goes in front. Without a name it is
    "ota", and with an image "image-" and the chip, as other boards cannot take it. Raises BundleError, BuildError."""
    if image and board != "esp32":
        raise BundleError("--image is for ESP32s: on an ESP8266 a new MicroPython comes with make flash")
    oldest = oldest_micropython(board, source)
    chip, program, micropython = _image(image, oldest) if image else (None, None, "{}.{}.0".format(*oldest))
    name = name or (f"image-{chip}" if image else "ota")
    _matches("--name", name, _NAME, "up to 32 letters, digits, dots, hyphens and underscores")
    _matches("--version", version, _VERSION, "three numbers with dots between them, such as 0.2.0")
    kind = KINDS[board]
    modulus = signing.modulus(next_key or key.public_key())
    if board == "esp8266" and key.key_size > signing.BITS[0]:
        raise BundleError(f"an ESP8266 has memory for keys of {signing.BITS[0]} bits: sign with one of atbundle keygen")
    built = build(board, source, in_place=kind == "romfs", key=modulus, version=version)
    if kind == "romfs":
        files = {IMAGE: built.rom.read_bytes()}
        if len(files[IMAGE]) > IMAGE_LIMIT:
            raise BundleError(
                f"the image has {len(files[IMAGE])} bytes and a slot of the ESP8266 {IMAGE_LIMIT}: leave modules out"
            )
    else:
        files = {path[1:]: here.read_bytes() for path, here in built.files.items() if path.startswith("/firmware/")}
    fields = dict(name=name, version=version, board=board, kind=kind, micropython=micropython, mpy=_MPY)
    if image:
        if "firmware/slot_image.mpy" not in files:
            raise BundleError(f"the firmware in {source} is too old for images: build a newer one")
        files = {f"micropython-{chip}.bin": program, **files}
        fields["kind"] = "image"
    return pack(fields, files, key)


def _image(path, oldest):
    """The chip that the file's MicroPython is for, its bytes, and its version. Raises BundleError."""
    program = _read(path)
    try:
        chip, size, is_program = app_image.look(program)
    except app_image.ImageError as error:
        raise BundleError(f"{path} cannot be used: {error}; give the .app-bin of micropython.org") from None
    if size < len(program) or not is_program:
        raise BundleError(
            f"{path} is for all of the flash: give the .app-bin of the same page, or micropython.bin of a build"
        )
    version = app_image.micropython(program)
    if not version or version < oldest:
        raise BundleError(f"{path} has no MicroPython of {oldest[0]}.{oldest[1]} or newer in it")
    return chip, program, ".".join(map(str, version))


def _matches(what, value, expression, wanted):
    if not expression.fullmatch(value):
        raise BundleError(f"{what} {value} cannot be used: give {wanted}")


def read(data, where):
    """The Bundle in these bytes, with its digests checked, but not its signature. Raises BundleError."""
    damaged = BundleError(f"{where} is damaged or no bundle: build it anew with atbundle build")
    head = re.match(rb"((?:[^\n]*\n)*?)signature ((?:[A-Za-z0-9+/=]{4})+)\n", data)
    if not data.startswith(FORMAT) or not head or max(map(len, head[0].split(b"\n"))) >= LINE:
        raise damaged
    try:
        lines = [line.split(" ") for line in head[1].decode("ascii").splitlines()[1:]]
        signature = base64.b64decode(head[2], validate=True)
    except (UnicodeDecodeError, binascii.Error):
        raise damaged from None
    shapes = [(name, 2) for name in _KEYS] + [("file", 4)] * max(len(lines) - len(_KEYS), 1)
    if [(line[0], len(line)) for line in lines] != shapes:
        raise damaged
    fields = {line[0]: line[1] for line in lines[: len(_KEYS)]}
    files = [(int(size) if size.isdigit() else -1, digest, path) for _, size, digest, path in lines[len(_KEYS) :]]
    usable = _VERSION.fullmatch(fields["version"]) and _NAME.fullmatch(fields["name"]) and fields["board"] in KINDS
    if not usable or not all(_PATH.fullmatch(path) for _, _, path in files):
        raise damaged
    bundle = Bundle(fields, files, head[1], signature, data[head.end() :])
    _check_files(bundle, where)
    return bundle


def _check_files(bundle, where):
    """Raises BundleError unless the files have the sizes and the digests that the manifest says."""
    at = 0
    for size, digest, path in bundle.files:
        part = bundle.data[at : at + max(size, 0)]
        if len(part) != size:
            raise BundleError(f"{where} ends within {path}: copy it again, whole")
        if hashlib.sha256(part).hexdigest() != digest:
            raise BundleError(f"{where}: {path} is not what the manifest says: copy it again, or build it anew")
        at += size
    if at != len(bundle.data):
        raise BundleError(f"{where} has {len(bundle.data) - at} bytes too many at its end: copy it again")


def load(path, public=None):
    """The Bundle in a file; with a public key its signature is checked, too. Raises BundleError."""
    data = _read(path)
    bundle = read(data, path)
    if public and not signing.verify(public, bundle.signed, bundle.signature):
        raise BundleError(f"{path} is not signed by the other half of this key: boards that have it refuse the bundle")
    return bundle, data


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BundleError(f"cannot read {path}: {error.strerror}") from None


def add(root, data, where="the bundle"):
    """Puts a bundle into the folder of a server, and into its index; returns where it is. Raises BundleError."""
    bundle = read(data, where)
    path = Path(root, bundle.name, bundle.board, bundle.file_name)
    _there(Path(root).parent)
    if path.exists() and load(path)[1] != data:
        # Whoever has a part of it would go on with the other.
        raise BundleError(f"{path} is there already and differs: give another --version, or remove that file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BundleError(f"cannot make the folder {path.parent}: {error.strerror}") from None
    _write(path, data)
    index(path.parent)
    return path


def _there(folder):
    """Raises BundleError unless the folder is there: a path with a slip is not to become a new one."""
    if not folder.is_dir():
        raise BundleError(f"there is no folder {folder}: make it, or correct the path")


def index(folder):
    """Writes the file `versions`, anew from the bundles that are in the folder. Raises BundleError."""
    found = []
    for path in folder.glob("*.atb"):
        bundle, data = load(path)
        if path.name != bundle.file_name or path.parts[-3:-1] != (bundle.name, bundle.board):
            right = Path(*path.parts[:-3], bundle.name, bundle.board, bundle.file_name)
            raise BundleError(f"{path} is not in its place: remove it; atbundle add would put it at {right}")
        found.append((numbers(bundle.version), f"{bundle.version} {len(data)} {path.name}\n"))
    _write(folder / "versions", "".join(line for _, line in sorted(found)).encode())


def numbers(version):
    """A version as it is compared."""
    return [int(part) for part in version.split(".")]


def _write(path, data):
    """Replaces a file at one stroke, as it may be being served. Raises BundleError."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
            file.write(data)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise BundleError(f"cannot write {path}: {error.strerror}") from None


def show(bundle, signed):
    """Prints what is in a bundle, whose files were checked; `signed` says what is known of the signature."""
    for key in _KEYS:
        print(f"{key:12} {getattr(bundle, key)}")
    for size, _, path in bundle.files:
        print(f"{size:12} {path}")
    print(f"{len(bundle.data):12} bytes in {len(bundle.files)} file{'s' * (len(bundle.files) != 1)}; digests are right")
    print(f"signature    {signed}")


def _keygen(options):
    path = Path(options.file)
    if path.is_dir():
        path /= "update.key"
    public = signing.make(path, options.bits)
    print(f"{path}: the private key; keep it to yourself, and keep a copy\n{public}: the public one, for the builds")


def _build(options):
    key = signing.private(options.key)
    next_key = signing.public(options.next_key) if options.next_key else None
    version = options.version.removeprefix("v")
    _there(Path(options.root or options.output).parent)
    data = make(options.board, key, version, options.name, options.source, next_key, options.image)
    path = add(options.root, data) if options.root else Path(options.output)
    if options.output:
        _write(path, data)
    print(f"{path}: {read(data, path).name} {version} for {options.board}, {len(data)} bytes")


def _add(options):
    for file in options.bundles:
        print(add(options.root, load(file)[1], file))
    if not options.bundles:
        lists = sorted(Path(options.root).glob("*/*/versions"))
        if not lists:
            raise BundleError(f"{options.root} has no bundles: name those to add")
        for path in lists:
            index(path.parent)
            print(path)


def _show(options):
    public = signing.public(options.public) if options.public else None
    bundle, _ = load(options.bundle, public)
    show(bundle, f"by {options.public}" if public else "not checked: give the key with --public")


def main():
    """Entry point of `atbundle`."""
    options = _parser().parse_args()
    try:
        options.run(options)
    except (BundleError, BuildError, signing.KeyFileError) as error:
        sys.exit(f"atbundle: {error}")


def _parser():
    parser = argparse.ArgumentParser(prog="atbundle", description="Makes the bundles that AT+CIUPDATE takes.")
    kinds = parser.add_subparsers(metavar="COMMAND", required=True)

    made = kinds.add_parser("keygen", help="make a key that signs bundles")
    made.add_argument("file", help="where the private key goes; the public one goes to FILE.pub")
    made.add_argument("--bits", type=int, choices=signing.BITS, default=signing.BITS[0], help="(default: %(default)s)")
    made.set_defaults(run=_keygen)

    made = kinds.add_parser("build", help="build the firmware into a signed bundle")
    made.add_argument("--board", choices=BOARDS, required=True, help="the chip's family")
    made.add_argument("--key", metavar="PRIVATE", required=True, help="the private key that signs")
    made.add_argument("--next-key", metavar="PUBLIC", help="whose updates the new firmware takes, if not that key's")
    made.add_argument("--version", metavar="X", default=__version__, help="such as 0.2.0 (default: %(default)s)")
    made.add_argument("--name", help="the firmware name of AT+CIUPDATE (default: ota, or image-CHIP with --image)")
    made.add_argument("--image", metavar="FILE", help="bring this MicroPython, too: an .app-bin of micropython.org")
    made.add_argument("--source", metavar="DIR", help="the folder with boot.py, main.py and firmware/")
    place = made.add_mutually_exclusive_group(required=True)
    place.add_argument("-o", dest="output", metavar="FILE", help="where the bundle goes")
    place.add_argument("--root", help="the folder of a server; the bundle goes into its place there")
    made.set_defaults(run=_build)

    made = kinds.add_parser("add", help="put bundles into the folder of a server")
    made.add_argument("root", help="the folder that the server serves; it is made if it is not there")
    made.add_argument(
        "bundles", nargs="*", metavar="bundle", help="if there is none, the lists of versions are renewed"
    )
    made.set_defaults(run=_add)

    made = kinds.add_parser("show", help="check a bundle, and print what is in it")
    made.add_argument("bundle")
    made.add_argument("--public", metavar="PUBLIC", help="the public key that the signature is checked with")
    made.set_defaults(run=_show)
    return parser


if __name__ == "__main__":
    main()
