"""Keys and bundles for the tests of updates, made once for all tests and kept beside the builds.
The firmware in them is this one under other versions."""

import fcntl
import functools

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
            signing.make(path)
    return path


def public(name="one"):
    """The path of a public key, for --update-key."""
    return key(name).with_name(name + ".pub")


@functools.cache
def firmware(board, version="9.0.0", name="one", next_key="one"):
    """This firmware as a bundle that has another version, signed by the key `name`."""
    return bundle.make(board, signing.private(key(name)), version, next_key=signing.public(public(next_key)))


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
