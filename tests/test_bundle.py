"""atbundle: keys, bundles and the folder of a server. What the firmware does with them is in the tests of updates."""

import os
import re
import subprocess
import sys

import bundles
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from mpyat import bundle, signing
from mpyat.build import build


def atbundle(*words, folder=None):
    """Runs the tool; returns its status, and what it has said."""
    command = [sys.executable, "-m", "mpyat.bundle", *map(str, words)]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=folder)
    return result.returncode, result.stdout + result.stderr


def small(key=None, files=None, **changed):
    """A bundle of two small files, or of others, and of other fields."""
    fields = dict(name="ota", version="9.0.0", board="esp32", kind="mpy", micropython="1.24.0", mpy=6) | changed
    files = files or {"firmware/a.mpy": b"first" * 100, "firmware/b.mpy": b"second" * 100}
    return bundle.pack(fields, files, signing.private(key or bundles.key()))


def test_a_new_key(tmp_path):
    """Its private half is for its owner alone, whatever else may be read here; 3072 bits are possible."""
    old_mask = os.umask(0)
    try:
        said = "my.key: the private key; keep it to yourself, and keep a copy\nmy.key.pub: the public one, "
        assert atbundle("keygen", "my.key", "--bits", 3072, folder=tmp_path) == (0, said + "for the builds\n")
        assert atbundle("keygen", ".", folder=tmp_path)[0] == 0
    finally:
        os.umask(old_mask)
    for name, size in ("my.key", 384), ("update.key", 256):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        public = signing.public(tmp_path / f"{name}.pub")
        assert len(signing.modulus(public)) == size
        (tmp_path / "small").write_bytes(small(tmp_path / name))
        bundle.load(tmp_path / "small", public)


def test_from_a_build_to_a_server(tmp_path):
    """Both boards, versions in their order, and a name of one's own."""
    root = tmp_path / "root"
    for board in ("esp32", "esp8266"):
        words = ["--board", board, "--key", bundles.key(), "--version", "v9.0.0"]
        status, said = atbundle("build", *words, "--root", root)
        file = root / "ota" / board / f"ota-9.0.0-{board}.atb"
        assert (status, said) == (0, f"{file}: ota 9.0.0 for {board}, {file.stat().st_size} bytes\n")
        assert file.read_bytes() == bundles.firmware(board)
    for changed in {"version": "9.0.10"}, {"version": "9.0.9"}, {"version": "1.0.0", "name": "mine"}:
        (tmp_path / "small").write_bytes(small(**changed))
        assert atbundle("add", root, tmp_path / "small")[0] == 0
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    assert found == {
        "mine/esp32/mine-1.0.0-esp32.atb",
        "mine/esp32/versions",
        "ota/esp32/ota-9.0.0-esp32.atb",
        "ota/esp32/ota-9.0.10-esp32.atb",
        "ota/esp32/ota-9.0.9-esp32.atb",
        "ota/esp32/versions",
        "ota/esp8266/ota-9.0.0-esp8266.atb",
        "ota/esp8266/versions",
    }
    lines = [f"9.0.{last} {{}} ota-9.0.{last}-esp32.atb" for last in (0, 9, 10)]
    sizes = [(root / "ota/esp32" / line.split()[-1]).stat().st_size for line in lines]
    index = (root / "ota/esp32/versions").read_text()
    assert index == "".join(f"{line}\n".format(size) for line, size in zip(lines, sizes, strict=True))
    assert all((root / path).stat().st_mode & 0o777 == 0o644 for path in found)
    status, said = atbundle("show", root / "ota/esp32/ota-9.0.0-esp32.atb", "--public", bundles.public())
    assert status == 0 and said.endswith(f"signature    by {bundles.public()}\n"), said
    assert re.search(r"^version      9\.0\.0\n(.*\n)* +\d+ firmware/app\.mpy$", said, re.MULTILINE)


@pytest.mark.parametrize("board", ["esp32", "esp8266"])
def test_what_is_in_a_bundle(board):
    """The files of the build, and in them the version and the key of the next update."""
    data = bundles.firmware(board, next_key="two")
    modulus = signing.modulus(signing.public(bundles.public("two")))
    built = build(board, key=modulus, version="9.0.0")
    assert built.info[0] == "9.0.0" and len(modulus) == 256
    files = bundles.files(data)
    if board == "esp8266":
        assert files == {"firmware.romfs": built.rom.read_bytes()}
        assert bundles.fields(data)["kind"] == "romfs" and modulus in files["firmware.romfs"]
    else:
        assert files == {path[1:]: here.read_bytes() for path, here in built.files.items() if "firmware" in path}
        assert bundles.fields(data)["kind"] == "mpy" and modulus in files["firmware/update_key.mpy"]
        assert b"9.0.0" in files["firmware/buildinfo.mpy"]
    # Nobody needs these tools to check it.
    head, line = re.match(rb"(.*?\n)signature (\S+)\n", data, re.DOTALL).groups()
    assert head.startswith(b"mpy-at bundle 1\nname ota\nversion 9.0.0\nboard " + board.encode() + b"\n")
    number = pow(
        int.from_bytes(bundle.base64.b64decode(line), "big"),
        65537,
        int.from_bytes(signing.modulus(signing.public(bundles.public())), "big"),
    )
    assert number.to_bytes(256, "big")[-32:] == bundle.hashlib.sha256(head).digest()


def test_a_firmware_without_a_key_has_none():
    assert build("esp32").files["/firmware/update_key.mpy"].stat().st_size < 200
    assert (build("esp32").folder / "generated/firmware/update_key.py").read_text() == "MODULUS = b''\n"


def damaged(data):
    """{what is wrong: (bytes, what is said of it)}."""
    head = data.index(b"signature ")
    body = data.index(b"\n", head) + 1
    bad = "is damaged or no bundle: build it anew with atbundle build"
    mine = "is not signed by the other half of this key: boards that have it refuse the bundle"
    sealed, key = bundle.sealed, signing.private(bundles.key())

    def manifest(old, new):
        assert old in data[:head]
        return sealed(data[:head].replace(old, new), data[body:], key)

    return {
        "empty": (b"", bad),
        "something else": (b"\x7fELF" * 100, bad),
        "another format": (manifest(b"bundle 1", b"bundle 2"), bad),
        "unsigned": (data[:head] + data[body:], bad),
        "no base64": (data.replace(b"\nsignature ", b"\nsignature A"), bad),
        "cut within the manifest": (data[: head - 3], bad),
        "a field too few": (manifest(b"mpy 6\n", b""), bad),
        "fields in another order": (manifest(b"kind mpy\nmicropython 1.24.0", b"micropython 1.24.0\nkind mpy"), bad),
        "no files": (sealed(data[: data.index(b"file ")], b"", key), bad),
        "a path outside": (manifest(b"firmware/a.mpy", b"../a.mpy"), bad),
        "a path of all": (manifest(b"firmware/a.mpy", b"/main.mpy"), bad),
        "a long line": (manifest(b"firmware/a.mpy", b"a" * 640), bad),
        "not in ASCII": (manifest(b"firmware/a.mpy", b"\xc3\xa4.mpy"), bad),
        "no size": (manifest(b"file 500", b"file many"), "ends within firmware/a.mpy: copy it again, whole"),
        "cut": (data[:-1], "ends within firmware/b.mpy: copy it again, whole"),
        "too long": (data + b"\n", "has 1 bytes too many at its end: copy it again"),
        "a changed file": (
            data.replace(b"second", b"Second"),
            ": firmware/b.mpy is not what the manifest says: copy it again, or build it anew",
        ),
        "another version": (data.replace(b"version 9.0.0", b"version 9.0.1"), mine),
        "another key": (small(bundles.key("two")), mine),
    }


def test_damaged_bundles(tmp_path, capsys):
    """Each is refused in one line that says what to do, whether it is shown or added."""
    good = small()
    path, key = tmp_path / "some.atb", signing.public(bundles.public())
    path.write_bytes(good)
    assert bundle.load(path, key)[1] == good
    for name, (data, said) in damaged(good).items():
        path.write_bytes(data)
        with pytest.raises(bundle.BundleError) as error:
            bundle.load(path, key)
        separator = "" if said.startswith(":") else " "
        assert str(error.value) == f"{path}{separator}{said}", name
    path.write_bytes(damaged(good)["cut"][0])
    said = f"atbundle: {path} ends within firmware/b.mpy: copy it again, whole\n"
    assert atbundle("show", path) == atbundle("add", tmp_path / "root", path) == (1, said)
    assert not (tmp_path / "root").exists()


def test_a_server_keeps_what_it_has(tmp_path):
    """The same once more is fine, another one under the same version is not; a stranger in the folder is named."""
    root, path = tmp_path / "root", tmp_path / "some.atb"
    path.write_bytes(small())
    there = root / "ota/esp32/ota-9.0.0-esp32.atb"
    for _ in range(2):
        assert atbundle("add", root, path) == (0, f"{there}\n")
    path.write_bytes(small(bundles.key("two")))
    status, said = atbundle("add", root, path)
    assert said == f"atbundle: {there} is there already and differs: give another --version, or remove that file\n"
    assert status == 1 and there.read_bytes() == small()
    path.write_bytes(small(version="9.1.0"))
    (there.parent / "other.atb").write_bytes(small(name="other"))
    status, said = atbundle("add", root, path)
    assert status == 1 and f"{there.parent}/other.atb is not in its place: remove it; " in said, said
    (there.parent / "other.atb").unlink()
    assert atbundle("add", root, path)[0] == 0
    versions = there.parent / "versions"
    assert versions.read_text().count("\n") == 2
    there.unlink()
    assert atbundle("add", root) == (0, f"{versions}\n")
    assert versions.read_text() == f"9.1.0 {len(path.read_bytes())} ota-9.1.0-esp32.atb\n"
    status, said = atbundle("add", tmp_path)
    assert (status, said) == (1, f"atbundle: {tmp_path} has no bundles: name those to add\n")


def write_keys(folder):
    """Files that are no keys for updates."""
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    pkcs8, locked = serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    keys = {
        "small": (rsa.generate_private_key(65537, 1024), plain),
        "three": (rsa.generate_private_key(3, 2048), plain),
        "curve": (ec.generate_private_key(ec.SECP256R1()), plain),
        "locked": (signing.private(bundles.key()), locked),
    }
    for name, (key, how) in keys.items():
        (folder / name).write_bytes(key.private_bytes(pem, pkcs8, how))
        shape = serialization.PublicFormat.SubjectPublicKeyInfo
        (folder / f"{name}.pub").write_bytes(key.public_key().public_bytes(pem, shape))
    (folder / "noise").write_bytes(b"noise")
    (folder / "long").write_bytes(bundles.key("long").read_bytes())
    (folder / "long.pub").write_bytes(bundles.public("long").read_bytes())
    (folder / "good").write_bytes(bundles.key().read_bytes())
    (folder / "good.pub").write_bytes(bundles.public().read_bytes())


BUILD = ["build", "--board", "esp32", "-o", "x.atb", "--key"]
WRONG = [
    (["keygen", "good"], "good is there already and is not replaced: give another name"),
    (["keygen", "no/such/key"], "cannot write no/such/key: No such file or directory"),
    ([*BUILD, "missing"], "cannot read missing: No such file or directory; atbundle keygen makes keys"),
    ([*BUILD, "noise"], "noise is no RSA key in PEM: make one with atbundle keygen"),
    ([*BUILD, "curve"], "curve is no RSA key in PEM: make one with atbundle keygen"),
    (
        [*BUILD, "small"],
        "small is RSA with 1024 bits and the exponent 65537; updates take 2048 to 3072 bits and 65537: ",
    ),
    ([*BUILD, "three"], "three is RSA with 2048 bits and the exponent 3; updates take "),
    ([*BUILD, "locked"], "locked has a passphrase: give one without, as atbundle keygen makes it"),
    ([*BUILD, "good.pub"], "good.pub is a public key: give the private one, "),
    (
        [*BUILD, "good", "--next-key", "good"],
        "good is a private key, which stays with you: give the public one, good.pub",
    ),
    ([*BUILD, "good", "--next-key", "curve.pub"], "curve.pub is no RSA key in PEM: "),
    ([*BUILD, "good", "--version", "1.2"], "--version 1.2 cannot be used: give three numbers with dots between them, "),
    ([*BUILD, "good", "--name", "a/b"], "--name a/b cannot be used: give up to 32 letters, "),
    ([*BUILD, "good", "--source", "nowhere"], "nowhere has no boot.py"),
    (
        ["build", "--board", "esp32", "-o", "good/x.atb", "--key", "good"],
        "there is no folder good: make it, or correct the path",
    ),
    (
        ["build", "--board", "esp32", "--root", "good", "--key", "good"],
        "cannot make the folder good/ota/esp32: Not a directory",
    ),
    (["build", "--board", "esp32", "-o", "X/Y", "--key", "good"], "there is no folder X: make it, or correct the path"),
    (["build", "--board", "esp32", "--root", "X/Y", "--key", "good"], "there is no folder X: make it, "),
    (
        [*BUILD, "long", "--board", "esp8266"],
        "an ESP8266 has memory for keys of 2048 bits: sign with one of atbundle keygen",
    ),
    (
        [*BUILD, "good", "--board", "esp8266", "--next-key", "long.pub"],
        "an ESP8266 has memory for updates with a key of ",
    ),
    (["show", "missing"], "cannot read missing: No such file or directory"),
    (["show", "noise"], "noise is damaged or no bundle: build it anew with atbundle build"),
]


def test_wrong_in_one_line(tmp_path, monkeypatch):
    """What is wrong is said in one line, and nothing is written."""
    write_keys(tmp_path)
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    for words, expected in WRONG:
        monkeypatch.setattr("sys.argv", ["atbundle", *words])
        with pytest.raises(SystemExit) as end:
            bundle.main()
        assert str(end.value).startswith(f"atbundle: {expected}") and "\n" not in str(end.value), words
    assert sorted(tmp_path.iterdir()) == before


def test_builds_want_a_public_key(tmp_path):
    """The simulator and what writes to boards say it in one line, too."""
    write_keys(tmp_path)
    wanted = f"{tmp_path}/good is a private key, which stays with you: give the public one, {tmp_path}/good.pub\n"
    for words in (["simulator"], ["deploy", "--dry-run", "ESP32", "/dev/null"]):
        command = [sys.executable, "-m", f"mpyat.{words[0]}", *words[1:], "--update-key", tmp_path / "good"]
        result = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        tool = {"simulator": "atsim"}.get(words[0], words[0])
        assert (result.returncode, result.stderr) == (1, f"{tool}: {wanted}")


def test_an_image_that_is_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(bundle, "IMAGE_LIMIT", 1000)
    with pytest.raises(bundle.BundleError, match=r"bytes and a slot of the ESP8266 1000: leave modules out"):
        bundles.firmware.__wrapped__("esp8266")
