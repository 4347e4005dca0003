"""Makes a package of the firmware that `mpremote mip install` takes, for the ESP32 family: `make package`.
It is a folder of files, for any web server or a branch on GitHub; what is in it is what `make deploy` writes."""

import argparse
import json
import shutil
import sys
from pathlib import Path

from . import branch, sources
from .build import BuildError, build, store, update_key

_FOLDER = "package"


def write(folder, source=None, key=None):
    """Makes the folder anew, with package.json and what that names; returns the Build. Raises BuildError.

    key: the file of the public key whose updates the firmware takes."""
    built = build("esp32", source, key=update_key(key))
    shutil.rmtree(folder, ignore_errors=True)
    # What starts the firmware comes last: a board that was interrupted waits at its prompt.
    names = sorted((path.lstrip("/") for path in built.files), key=lambda name: ("/" not in name, name))
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(built.files[f"/{name}"], path)
    # Addresses without a server are those beside package.json.
    package = {"urls": [[name, name] for name in names], "version": built.info[0]}
    (folder / "package.json").write_text(json.dumps(package, indent=1) + "\n")
    return built


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(prog="make package", description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where to (default: build/package)")
    parser.add_argument("--update-key", metavar="FILE", help="the public key whose updates the firmware takes")
    parser.add_argument("--branch", metavar="NAME", help="also commit the folder's files to this branch, and no others")
    options = parser.parse_args()
    try:
        folder = options.folder or store() / _FOLDER
        built = write(folder, key=options.update_key)
        print(f"{folder}/package.json")
        if options.branch:
            new = branch.commit(sources.root(), folder, options.branch, f"Version {built.info[0]}, {built.info[1]}")
            print(f"branch {options.branch}: {new[:7]}; git push origin {options.branch} publishes it")
    except (BuildError, OSError, branch.BranchError) as error:
        sys.exit(f"package: {error}")


if __name__ == "__main__":
    main()
