"""Versions of this repository that `make bench` and `make size` compare: this one, and others with their own tools."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import micropython32, sources

# Where the package has been: its folder's name is its own, or it was given to it by pyproject.toml.
_PACKAGES = ("tools/mpyat", "tools")


class VersionError(ValueError):
    """A version that cannot be had; the message is one line."""


class Version:
    """`name` is what it is called in tables, `environment` what its tools need in theirs."""

    def __init__(self, name, path=None):
        self.name = name
        self.environment = os.environ | ({"PYTHONPATH": str(path)} if path else {})
        self._heap = None

    def run(self, *words):
        """What Python prints with the tools of this version; VersionError if it fails."""
        command = [sys.executable, *map(str, words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode:
            said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
            raise VersionError(f"{self.name}: {said[-1]}")
        return done.stdout

    def small(self, micropython=True):
        """Options of atsim for the ESP8266 with the heap that the chip has, and `micropython` the one for 32 bits.
        micropython32.Unavailable where that cannot be had."""
        program = micropython32.get()
        if not self._heap:
            # What the stand-ins take of the heap is another figure in each version.
            code = f"from mpyat import size; print(size.HEAP + size.standins({str(program)!r}))"
            self._heap = self.run("-c", code).strip()
        return ["--board", "esp8266", "--heap", self._heap, *(["--micropython", str(program)] if micropython else [])]


TODAY = Version("mpy-at")


@contextlib.contextmanager
def unpacked(revision):
    """Another version of this repository, in a temporary folder: what `git archive` has of it, a commit or a tag."""
    root = sources.root()
    commit = _git(root, "rev-parse", "--short", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    with tempfile.TemporaryDirectory(prefix="mpy-at-") as folder:
        source, path = Path(folder, "source"), Path(folder, "path")
        for made in (source / "build", path):
            made.mkdir(parents=True)
        subprocess.run(["tar", "-x", "-C", source], input=_git(root, "archive", commit), check=True)
        (path / "mpyat").symlink_to(
            next(source / name for name in _PACKAGES if (source / name / "__init__.py").exists())
        )
        with contextlib.suppress(micropython32.Unavailable):
            # It looks for that in a folder of its own.
            (source / "build" / "micropython32").symlink_to(micropython32.get().parent)
        yield Version(f"{TODAY.name} {commit}", path)


def _git(root, *words):
    try:
        return subprocess.run(["git", "-C", root, *words], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise VersionError(f"git has no such version of this repository: git {' '.join(words)}") from None
