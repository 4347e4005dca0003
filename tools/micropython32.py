"""A MicroPython for 32 bits, as the chips have: Debian's package for i386, unpacked beside the builds, not installed.
The mirror is the one that this machine's own apt knows; apt verifies what it fetches."""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time

from .build import BuildError, store

# With the libraries that it needs beside it. Security updates of those change the part behind the hyphen.
_PACKAGES = (
    "micropython=1.25.0+ds-1",
    "libc6=2.41-*",
    "libffi8=3.4.8-*",
    "libmbedtls21=3.6.*",
    "libmbedx509-7=3.6.*",
    "libmbedcrypto16=3.6.*",
)
# The release by its name, and by what it is called while it is the newest one: a mirror may be renewing one of them.
_SUITES = ("trixie", "stable")
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Where it could not be had, that is tried again after so many seconds.
_PATIENCE = 600
_LIMIT = 180

# What counts its instructions, of the same release; on its own, as it is large and only the bench needs it.
_COUNTER_PACKAGES = ("valgrind=1:3.24.0-*",)

# It finds its files from where it stands.
_WRAPPER = """\
#!/bin/sh
root=$(dirname "$(readlink -f "$0")")/root
exec "$root/usr/lib/ld-linux.so.2" --library-path "$root/usr/lib/i386-linux-gnu" "$root/usr/bin/micropython" "$@"
"""
# The same program under Valgrind's cachegrind, which tells at the end how many instructions there were, in a file:
# $INSTRUCTIONS and the number of the process.
_COUNTER = """\
#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
root=$here/../micropython32/root
export VALGRIND_LIB="$here/root/usr/libexec/valgrind" VALGRIND_LAUNCHER="$here/root/usr/bin/valgrind"
exec "$VALGRIND_LIB/cachegrind-x86-linux" --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \\
    --log-file="$INSTRUCTIONS.%p" \\
    "$root/usr/lib/ld-linux.so.2" --library-path "$root/usr/lib/i386-linux-gnu" "$root/usr/bin/micropython" "$@"
"""


class Unavailable(Exception):
    """It cannot be had on this machine; the message says why, in one line."""


def main():
    """Prints the path of the program, fetched now unless it is there already."""
    try:
        print(get())
    except (Unavailable, BuildError) as error:
        sys.exit(f"micropython32: {error}")


def get():
    """The path of the program. Raises Unavailable."""
    return _kept("micropython32", _make)


def counter():
    """The path of a program that does the same and counts instructions; $INSTRUCTIONS is the begin of the name of the
    file for that, behind which it puts a dot and its own number. Raises Unavailable."""
    get()
    return _kept("valgrind32", _make_counter)


def _kept(name, make):
    """The program micropython in the folder of this name, made now unless it is there."""
    folder = store() / name
    program = folder / "micropython"
    with _locked(folder.with_suffix(".lock")):
        if program.exists():
            return program
        refused = folder.with_suffix(".failed")
        if refused.exists() and time.time() - refused.stat().st_mtime < _PATIENCE:
            raise Unavailable(refused.read_text())
        try:
            make(folder)
        except Unavailable as error:
            refused.write_text(str(error))
            raise
        refused.unlink(missing_ok=True)
    return program


@contextlib.contextmanager
def _locked(path):
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(folder):
    with _unpacked(folder, _PACKAGES, _WRAPPER) as program:
        if _run(program, "-c", "import sys; print(sys.maxsize)").strip() != str(2**31 - 1):
            raise Unavailable("the MicroPython that was fetched is not one for 32 bits")


def _make_counter(folder):
    with _unpacked(folder, _COUNTER_PACKAGES, _COUNTER):
        pass


@contextlib.contextmanager
def _unpacked(folder, packages, wrapper):
    """Makes the folder, with what is in the packages and a script, which can be tried before it is there."""
    for tool in ("apt-get", "dpkg-deb"):
        if not shutil.which(tool):
            raise Unavailable(f"there is no {tool} on this machine")
    site = _mirror()
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="new-") as made:
        reasons = []
        for suite in _SUITES:
            try:
                debs = _fetch(os.path.join(made, suite), site, suite, packages)
                break
            except Unavailable as error:
                reasons.append(str(error))
        else:
            raise Unavailable("; ".join(dict.fromkeys(reasons)))
        root = os.path.join(made, "done", "root")
        os.makedirs(root)
        for deb in debs:
            _run("dpkg-deb", "-x", deb, root)
        program = os.path.join(made, "done", "micropython")
        with open(program, "w") as file:
            file.write(wrapper)
        os.chmod(program, 0o755)
        yield program
        os.rename(os.path.join(made, "done"), folder)


def _mirror():
    """The address of the Debian mirror that this machine's apt is configured for."""
    for line in _run("apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(SITE)").splitlines():
        if line.startswith("Debian|Debian|"):
            return line.split("|")[2]
    raise Unavailable("apt on this machine knows no mirror of Debian")


def _fetch(folder, site, suite, packages):
    """Downloads the packages into the folder with an apt of their own; returns their paths."""
    for part in ("lists/partial", "archives/partial", "debs"):
        os.makedirs(os.path.join(folder, part))
    sources, status = os.path.join(folder, "sources.list"), os.path.join(folder, "status")
    with open(sources, "w") as file:
        file.write(f"deb [arch=i386 signed-by={_KEYRING}] {site} {suite} main\n")
    open(status, "w").close()
    # All else, such as a proxy, is as the machine's own apt has it.
    settings = {
        "APT::Architecture": "i386",
        "APT::Architectures::": "i386",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "20",
        "Dir::Cache": folder,
        "Dir::Cache::archives": "archives",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": folder,
        "Dir::State::lists": "lists",
        "Dir::State::status": status,
    }
    options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
    _run("apt-get", *options, "-q", "--error-on=any", "update", cwd=folder)
    folder = os.path.join(folder, "debs")
    _run("apt-get", *options, "-q", "download", *packages, cwd=folder)
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))]


def _run(*command, cwd=None):
    """What a program prints; Unavailable with its last complaint when it fails."""
    try:
        result = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{os.path.basename(command[0])}: {error}") from None
    if result.returncode:
        said = [line for line in result.stderr.splitlines() if line.strip()] or [f"status {result.returncode}"]
        raise Unavailable(f"{os.path.basename(command[0])}: {said[-1].strip()}")
    return result.stdout


if __name__ == "__main__":
    main()
