"""Keys and certificates for the tests of TLS, made when they are needed: a good authority, and all that can be wrong.
Nearly all keys are of elliptic curves, as those of RSA take time."""

import datetime
import functools
import ipaddress
import pathlib
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
SERVER = "server.test"
SERVING, ASKING = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


class Certificate:
    """A certificate and its key. `chain` are the certificates between it and its authority."""

    def __init__(self, certificate, key, chain=()):
        self.certificate, self.key, self.chain = certificate, key, chain

    @property
    def pem(self):
        """The certificate in PEM, with its chain."""
        return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in (self.certificate, *self.chain))

    @property
    def der(self):
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def private(self, encoding="PEM", form="TraditionalOpenSSL"):
        """The key. `form` may also be PKCS8."""
        return self.key.private_bytes(
            getattr(serialization.Encoding, encoding),
            getattr(serialization.PrivateFormat, form),
            serialization.NoEncryption(),
        )

    def files(self, folder):
        """The paths of the certificate with its chain, and of the key, in PEM."""
        name = f"{self.certificate.serial_number:x}"
        paths = folder / f"{name}.crt", folder / f"{name}.key"
        for path, data in zip(paths, (self.pem, self.private()), strict=True):
            path.write_bytes(data)
        return paths


def curve():
    return ec.generate_private_key(ec.SECP256R1())


def named(name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def issue(
    name,
    issuer=None,
    *,
    key=None,
    authority=False,
    path_length=None,
    names=None,
    since=NOW - DAY,
    until=NOW + DAY,
    usage=None,
    useless=False,
):
    """A certificate for `name`, by the Certificate `issuer` or by itself.

    `names` are alternatives to the name, `usage` is a list of purposes, `useless` that the key is for none of them."""
    key = key or curve()
    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(issuer.certificate.subject if issuer else named(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=path_length), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    if useless:
        # A key for lists of what is revoked, and nothing else.
        flags = {
            name: name == "crl_sign"
            for name in (
                "digital_signature",
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "key_agreement",
                "key_cert_sign",
                "crl_sign",
                "encipher_only",
                "decipher_only",
            )
        }
        builder = builder.add_extension(x509.KeyUsage(**flags), critical=True)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    return Certificate(certificate, key)


class Authority:
    """A root, and what it has issued; `common` is the root's name."""

    def __init__(self, common="mpy-at test root"):
        self.root = issue(common, authority=True)

    @functools.cached_property
    def middle(self):
        return issue("mpy-at test intermediate", self.root, authority=True)

    @functools.cached_property
    def server(self):
        return self.leaf()

    @functools.cached_property
    def client(self):
        return issue("a client", self.root, usage=[ASKING])

    @functools.cached_property
    def rsa_server(self):
        return self.leaf(key=rsa.generate_private_key(65537, 2048))

    @functools.cached_property
    def by_the_middle(self):
        """A server that shows the intermediate certificate, too."""
        leaf = self.leaf(issuer=self.middle)
        return Certificate(leaf.certificate, leaf.key, (self.middle.certificate,))

    def leaf(self, name=SERVER, issuer=None, usage=SERVING, **more):
        """A certificate for a server on loopback, or with `usage` for a client."""
        more.setdefault("names", [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return issue(name, issuer or self.root, usage=[usage], **more)

    def bad(self, usage):
        """Certificates that nobody should accept for `usage`, by what is wrong with them."""
        leaf = functools.partial(self.leaf, usage=usage)
        other = Authority("another root")
        namesake = Authority()
        no_authority = leaf()
        short = issue("short", self.root, authority=True, path_length=0)
        too_deep = issue("too deep", short, authority=True)
        deep = leaf(issuer=too_deep)
        found = {
            "expired": leaf(since=NOW - 3 * DAY, until=NOW - DAY),
            "not yet valid": leaf(since=NOW + DAY, until=NOW + 3 * DAY),
            "self-signed": issue(SERVER, usage=[usage]),
            "by another authority": other.leaf(usage=usage),
            "by a namesake of the authority": namesake.leaf(usage=usage),
            "without the intermediate": leaf(issuer=self.middle),
            "broken signature": broken(leaf()),
            "weak signature": hashed_with_sha1(leaf(), self.root),
            "for another purpose": leaf(usage=ASKING if usage is SERVING else SERVING),
            "by one that is no authority": with_chain(leaf(issuer=no_authority), no_authority),
            "too deep": with_chain(deep, too_deep, short),
            "small key": leaf(key=rsa.generate_private_key(65537, 1024)),
        }
        if usage is SERVING:
            # OpenSSL would not even show one of an elliptic curve.
            found["key of another use"] = leaf(key=self.rsa_server.key, useless=True)
            found["for another name"] = leaf("other.test", names=[x509.DNSName("other.test")])
        return found


def with_chain(leaf, *chain):
    return Certificate(leaf.certificate, leaf.key, tuple(each.certificate for each in chain))


def hashed_with_sha1(leaf, issuer):
    """As the certificate, but signed by way of openssl, as cryptography does not sign with SHA-1 any more."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(leaf.certificate.subject)
    for extension in leaf.certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    request = builder.sign(leaf.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    with tempfile.TemporaryDirectory() as folder:
        ca, key = (pathlib.Path(folder, name) for name in ("ca", "key"))
        ca.write_bytes(issuer.pem)
        key.write_bytes(issuer.private())
        command = ["openssl", "x509", "-req", "-CA", ca, "-CAkey", key, "-CAcreateserial", "-sha1", "-days", "1"]
        command += ["-copy_extensions", "copyall"]
        new = subprocess.run(command, input=request, capture_output=True, check=True, cwd=folder).stdout
    return Certificate(x509.load_pem_x509_certificate(new), leaf.key)


def broken(leaf):
    """The certificate with one bit of its signature changed."""
    der = bytearray(leaf.der)
    der[-4] ^= 1
    return Certificate(x509.load_der_x509_certificate(bytes(der)), leaf.key)
