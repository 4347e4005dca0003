"""The keys of updates: RSA, of which the firmware has the public half and who makes bundles the private one.
What a key signs is checked here with the package cryptography, and on the chip with the chip's own integers."""

import contextlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# The chip multiplies with numbers of these sizes; the exponent is the usual one.
BITS = (2048, 3072)
_EXPONENT = 65537


class KeyFileError(Exception):
    """A file of a key cannot be used; the message is one line that says what to do."""


def make(path, bits=BITS[0]):
    """Writes a new private key, for its owner alone, and the public one beside it; returns the path of that."""
    path = Path(path)
    public = path.with_name(path.name + ".pub")
    key = rsa.generate_private_key(_EXPONENT, bits)
    private_text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public_text = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    made = []
    try:
        for name, text, mode in (path, private_text, 0o600), (public, public_text, 0o644):
            with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                made.append(name)
                file.write(text)
    except OSError as error:
        for name in made:
            with contextlib.suppress(OSError):
                name.unlink()
        if isinstance(error, FileExistsError):
            raise KeyFileError(f"{name} is there already and is not replaced: give another name") from None
        raise KeyFileError(f"cannot write {name}: {error.strerror}") from None
    return public


def private(path):
    """The private key in a file. Raises KeyFileError."""
    data = _read(path)
    if b"PUBLIC KEY" in data:
        raise KeyFileError(f"{path} is a public key: give the private one, which atbundle keygen wrote without .pub")
    try:
        key = serialization.load_pem_private_key(data, None)
    except TypeError:
        raise KeyFileError(f"{path} has a passphrase: give one without, as atbundle keygen makes it") from None
    except ValueError:
        key = None
    _check(path, key and isinstance(key, rsa.RSAPrivateKey) and key.public_key())
    return key


def public(path):
    """The public key in a file. Raises KeyFileError."""
    data = _read(path)
    if b"PRIVATE KEY" in data:
        raise KeyFileError(f"{path} is a private key, which stays with you: give the public one, {path}.pub")
    try:
        key = serialization.load_pem_public_key(data)
    except ValueError:
        key = None
    _check(path, key)
    return key


def _read(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}; atbundle keygen makes keys") from None


def _check(path, key):
    """Says so if a public key, or that of a private one, is not of the kind that the firmware can check."""
    if not isinstance(key, rsa.RSAPublicKey):
        raise KeyFileError(f"{path} is no RSA key in PEM: make one with atbundle keygen")
    if not BITS[0] <= key.key_size <= BITS[1] or key.key_size % 8 or key.public_numbers().e != _EXPONENT:
        raise KeyFileError(
            f"{path} is RSA with {key.key_size} bits and the exponent {key.public_numbers().e}; updates take"
            f" {BITS[0]} to {BITS[1]} bits and {_EXPONENT}: make one with atbundle keygen"
        )


def modulus(key):
    """What the firmware has of a public key: its modulus, the highest byte first."""
    return key.public_numbers().n.to_bytes(key.key_size // 8, "big")


def sign(key, data):
    """The signature of a private key."""
    return key.sign(data, padding.PKCS1v15(), hashes.SHA256())


def verify(key, data, signature):
    """Whether the signature is by the private half of this public key."""
    try:
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
