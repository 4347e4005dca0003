"""Puts a folder into a branch of its own: `make package BRANCH=package`, from which mip installs by github:owner/repo.
Git's plumbing makes the commit: the work tree, the index and the branch that is checked out stay as they are."""

import os
import subprocess
import tempfile
from pathlib import Path

# The commits that were made here have it, and only their branches are gone on with.
_MARK = "Made-by: make package"


class BranchError(Exception):
    """The branch was not made; the message is one line."""


def commit(repository, folder, name, title):
    """Commits what is in the folder, and nothing else, to the branch; returns the commit. Raises BranchError.

    A branch that is there already gets one commit more, so that it can be pushed; none if it has the same files."""
    if not (Path(repository) / ".git").exists():
        raise BranchError(f"{repository} is no git repository, so there is no place for a branch")
    git = Git(repository)
    if git.known("check-ref-format", "--branch", name) != name:
        raise BranchError(f"{name} cannot be the name of a branch")
    branch = f"refs/heads/{name}"
    if f"branch {branch}" in git("worktree", "list", "--porcelain").splitlines():
        raise BranchError(f"{name} is checked out: give another name, or check out another branch")
    old = git.known("rev-parse", "--verify", "--quiet", branch)
    # In a new clone it is only known from where it was pushed to.
    parent = old or git.known("rev-parse", "--verify", "--quiet", f"refs/remotes/origin/{name}")
    if parent and _MARK not in git("log", "-1", "--format=%B", parent).splitlines():
        raise BranchError(f"{name} is a branch with other things, and is left alone: give another name")
    tree = _tree(git, Path(folder))
    if parent and git("rev-parse", f"{parent}^{{tree}}") == tree:
        new = parent
    else:
        parents = ["-p", parent] if parent else []
        new = git("commit-tree", tree, *parents, "-m", title, "-m", _MARK)
    git("update-ref", "-m", "make package", branch, new, old or "0" * len(new))
    return new


def _tree(git, folder):
    """Stores the folder's files and returns their tree; its index is one of its own."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    stored = git("hash-object", "-w", "--no-filters", "--", *(str(path.resolve()) for path in paths)).split("\n")
    lines = [f"100644 {blob}\t{path.relative_to(folder)}\n" for blob, path in zip(stored, paths, strict=True)]
    with tempfile.TemporaryDirectory() as place:
        git.index = str(Path(place) / "index")
        git("update-index", "--index-info", given="".join(lines))
        return git("write-tree")


class Git:
    """Runs git in a repository; what it prints is returned without the last line's end. Raises BranchError."""

    def __init__(self, repository):
        self._repository = str(repository)
        self.index = None

    def __call__(self, *words, given=""):
        result = self._run(words, given)
        if result.returncode:
            said = result.stderr.strip().splitlines() or [f"git {words[0]} fails"]
            raise BranchError(next((line for line in said if line.startswith("fatal: ")), said[0]))
        return result.stdout.removesuffix("\n")

    def known(self, *words):
        """The same, and None where git fails."""
        result = self._run(words, "")
        return None if result.returncode else result.stdout.removesuffix("\n")

    def _run(self, words, given):
        options = {"input": given, "capture_output": True, "text": True, "check": False}
        if self.index:
            options["env"] = os.environ | {"GIT_INDEX_FILE": self.index}
        try:
            return subprocess.run(["git", "-C", self._repository, *words], **options)
        except OSError as error:
            raise BranchError(f"git cannot be run: {error.strerror}") from None
