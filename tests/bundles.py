"""Keys and bundles for the tests of updates, made once for all tests and kept beside the builds.
The firmware in them is this one under other versions."""

import base64
import fcntl
import functools
import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from mpyat import bundle, signing
from mpyat.build import store


@functools.cache
def key(name="one"):
    """The path of a private key; the one of its public half has .pub behind it."""
    folder = store() / "keys"
    folder.mkdir(exist_ok=True)
    path = folder / name
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            signing.make(path, 3072 if name == "long" else 2048)
    return path


def public(name="one"):
    """The path of a public key, for --update-key."""
    return key(name).with_name(name + ".pub")


@functools.cache
def firmware(board, version="9.0.0", name="one", next_key="one"):
    """This firmware as a bundle that has another version, signed by the key `name`."""
    return bundle.make(board, signing.private(key(name)), version, next_key=signing.public(public(next_key)))


def with_image(image, version="9.0.0", chip="esp32", name="image-esp32", files=None):
    """The same, or these files, with an image of MicroPython in front."""
    good = firmware("esp32", version)
    said = fields(good) | {"name": name, "kind": "image"}
    contents = {f"micropython-{chip}.bin": image} | (_files(good) if files is None else files)
    return bundle.pack(said, contents, signing.private(key()))


def files(data):
    """{path: bytes} of a good bundle."""
    found, at = {}, 0
    read = bundle.read(data, "the bundle")
    for size, _, path in read.files:
        found[path] = read.data[at : at + size]
        at += size
    return found


def fields(data):
    """What a good bundle's manifest says before the files."""
    read = bundle.read(data, "the bundle")
    return {name: getattr(read, name) for name in ("name", "version", "board", "kind", "micropython", "mpy")}


_files = files


def loose(private, data):
    """A signature whose padding is short, so that something else stands behind the digest."""
    numbers = private.private_numbers()
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
    block = (b"\0\1" + b"\xff" * 8 + b"\0" + digest).ljust(private.key_size // 8, b"\x5a")
    number = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return number.to_bytes(private.key_size // 8, "big")


def bad(board, private=None, version="9.0.0"):
    """Bundles that no module may take although it was told to get this version, by what is wrong with them."""
    private = private or signing.private(key())
    good = firmware(board, version)
    start = good.index(b"signature ")
    body = good.index(b"\n", start) + 1
    manifest, data = good[:start], good[body:]
    line = manifest[manifest.index(b"file ") :].split(b"\n")[0]
    size, digest, path = line.split(b" ")[1:]

    def signed(old, new):
        assert manifest.count(old) == 1, old
        return bundle.sealed(manifest.replace(old, new), data, private)

    def listed(new_size=size, new_path=path):
        """With another line for the first file."""
        return signed(line, b" ".join([b"file", new_size, digest, new_path]))

    def signature(data):
        return manifest + b"signature " + base64.b64encode(data) + b"\n" + good[body:]

    def said(old, new):
        """With the old signature."""
        return good.replace(old, new, 1)

    right = signing.sign(private, manifest)
    flipped = bytes([good[body + 100] ^ 1])
    other = {"esp32": b"esp8266", "esp8266": b"esp32"}[board]
    end = -len(files(good).popitem()[1])
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return {
        "nothing": b"",
        "something else": b"<!DOCTYPE html><title>Log in</title>\n" * 50,
        "another format": signed(b"bundle 1\n", b"bundle 2\n"),
        "unsigned": manifest + data,
        "an empty signature": signature(b""),
        "by another key": bundle.sealed(manifest, data, signing.private(key("two"))),
        "a changed signature": signature(right[:-1] + bytes([right[-1] ^ 1])),
        "a short signature": signature(right[:-1]),
        "a long signature": signature(bytes(1) + right),
        "of zeros": signature(bytes(len(right))),
        "of a one": signature(bytes(len(right) - 1) + b"\1"),
        "with SHA-1": signature(private.sign(manifest, padding.PKCS1v15(), hashes.SHA1())),
        "with SHA-512": signature(private.sign(manifest, padding.PKCS1v15(), hashes.SHA512())),
        "with other padding": signature(private.sign(manifest, pss, hashes.SHA256())),
        "with bytes behind its digest": signature(loose(private, manifest)),
        "of something else": signature(signing.sign(private, manifest[:-1])),
        "a changed name": said(b"name ota\n", b"name otb\n"),
        "a changed digest": said(digest, bytes([digest[0] ^ 1]) + digest[1:]),
        "a changed file": good[: body + 100] + flipped + good[body + 101 :],
        "a changed last byte": good[:-1] + bytes([good[-1] ^ 1]),
        "cut within the manifest": good[: start - 20],
        "cut within the signature": good[: start + 100],
        "cut before the files": good[:body],
        "cut before the last file": good[:end],
        "cut within the last file": good[:-1],
        "a byte too many": good + b"\n",
        "twice": good + good,
        "another board": signed(b"board " + board.encode() + b"\n", b"board " + other + b"\n"),
        "another name": signed(b"name ota\n", b"name other\n"),
        "another version": signed(b"version %b\n" % version.encode(), b"version 9.0.1\n"),
        "another kind": signed(b"\nkind ", b"\nkind x"),
        "a newer MicroPython": signed(b"\nmicropython 1.", b"\nmicropython 99."),
        "another .mpy": signed(b"\nmpy 6\n", b"\nmpy 7\n"),
        "too large": listed(b"100000000"),
        "a negative size": listed(b"-1"),
        "no size": listed(b"many"),
        "a file that is not there": signed(line, line + b"\nfile 100 %b firmware/missing.mpy" % digest),
        "no files": bundle.sealed(manifest[: manifest.index(b"file ")], b"", private),
        "outside": listed(size, b"../main.py"),
        "at the top": listed(size, b"main.py"),
        "with a path of all": listed(size, b"/firmware/a.mpy"),
        "up and down": listed(size, b"firmware/../main.py"),
        "a field too few": signed(b"mpy 6\n", b""),
        "a field twice": signed(b"mpy 6\n", b"mpy 6\nmpy 6\n"),
        "other lines": signed(b"name ota\n", b"name ota\r\n"),
        "a long line": listed(size, b"firmware/" + b"a" * 640),
        "a line without an end": manifest[:-1] + b"a" * 4000,
    }
