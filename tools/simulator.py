"""atsim: runs the firmware on this PC, behind a pseudo-terminal that a host uses as its serial port.
This is the bench: the module is in module.py, its radio in radio.py; build.py makes its firmware."""

import argparse
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

from .build import BOARDS, FLASH_SIZES, OTA_FLASH_SIZE, BuildError, build, update_key, write_flash
from .chips import CHIPS, USUAL, VERSIONS
from .control import Control, ControlError
from .loop import Loop
from .module import Module
from .radio_air import DEFAULT_NETWORK, AccessPoint, WifiFileError, read_wifi_file
from .sources import oldest_micropython
from .wire import PacedTerminal, Terminal

# An ESP8266 has 38 KiB; the 4 KiB more are what the stand-ins take, whose work on the chip is done by code that needs
# no heap. An ESP32's heap starts smaller and grows once, to 112 000 bytes on the generic board
# (micropython/micropython pull request 13219); the rest is needed for Wi-Fi. To its 109 KiB come 9 for what the
# stand-ins' names take, see start.py.
_HEAPS = {"esp8266": "42wK", "esp32": "118wK"}
_MACS = {"esp8266": bytes.fromhex("5ccf7fc0ffee"), "esp32": bytes.fromhex("240ac4c0ffee")}

_PROBE = """\
import sys
try:
 import ffi
except ImportError:
 ffi=0
import vfs
v=sys.implementation[1]
print('[%d,%d,%d,%d]'%(v[0],v[1],bool(ffi),hasattr(vfs,'VfsRom')))
"""


class Failure(Exception):
    """The simulator cannot run; the message is one line."""


def main():
    """Entry point of `atsim`; ends with status 0 on SIGINT and SIGTERM."""
    parser = _parser()
    options = parser.parse_args()
    if options.usb and options.board != "esp32":
        parser.error("--usb: only an ESP32 has its AT port elsewhere")
    names = [name for name, _ in options.partition]
    if names and options.board != "esp32":
        parser.error("--partition: only an ESP32 has partitions")
    if options.ota_partitions and options.board != "esp32":
        parser.error("--ota-partitions: only an ESP32 has partitions")
    if options.ipv6 and options.board != "esp32":
        parser.error("--ipv6: an ESP8266 has no place for it")
    options.chip = options.chip or USUAL[options.board]
    if CHIPS[options.chip].board != options.board:
        parser.error(f"--chip: {options.chip} is not of the family {options.board}")
    if len(names) > len(set(names)):
        parser.error("--partition: each name may stand once")
    try:
        sys.exit(_simulate(options))
    except (Failure, BuildError, ControlError) as error:
        sys.exit(f"atsim: {error}")
    except KeyboardInterrupt:
        sys.exit(0)
    except BrokenPipeError:
        # Whoever read the output has gone.
        sys.exit(1)


def _parser():
    parser = argparse.ArgumentParser(
        prog="atsim", description="Runs the AT firmware behind a pseudo-terminal, until SIGINT or SIGTERM."
    )
    parser.add_argument("--link", metavar="PATH", help="also make a symbolic link to the terminal")
    parser.add_argument("--flash", metavar="FILE", help="keep the flash in FILE (default: a temporary one)")
    parser.add_argument(
        "--partition",
        metavar="NAME=SIZE",
        type=_partition,
        action="append",
        default=[],
        help="an ESP32's user partition for AT+SYSFLASH, its size in KiB; may be repeated",
    )
    parser.add_argument(
        "--ota-partitions",
        action="store_true",
        help="an ESP32's flash has two partitions for MicroPython, as in its variants with OTA, and 960 KiB for files",
    )
    parser.add_argument(
        "--usb", action="store_true", help="put the AT port of an ESP32 on its USB, by /board.json on the flash"
    )
    parser.add_argument("--commands", metavar="FOLDER", help="put its .py and .mpy files into /commands on the flash")
    parser.add_argument(
        "--update-key", metavar="FILE", help="the public key whose updates the firmware takes (default: none)"
    )
    parser.add_argument(
        "--heap",
        metavar="SIZE",
        type=_heap,
        help="MicroPython's heap, such as 38wK, 64K or 1M (default: the board's)",
    )
    parser.add_argument("--board", choices=BOARDS, default="esp32", help="the chip (default: %(default)s)")
    parser.add_argument("--chip", choices=CHIPS, help="which chip of the board's family it is (default: the usual one)")
    parser.add_argument(
        "--port-version",
        metavar="X",
        choices=VERSIONS,
        help=f"which version of MicroPython's port the chip's modules behave as, {VERSIONS[0]} to {VERSIONS[-1]}",
    )
    parser.add_argument(
        "--ipv6", action="store_true", help="let an ESP32 have IPv6, which no port of MicroPython has: a trial"
    )
    parser.add_argument("--wifi", metavar="FILE", help="the access points in range, in TOML")
    parser.add_argument("--control", metavar="PATH", help="a Unix socket to act on the module")
    parser.add_argument("--time", action="store_true", help="let time pass for the module, by lines to --control")
    parser.add_argument(
        "--memory", action="store_true", help="let the bench take the module's memory away, by lines to --control"
    )
    parser.add_argument("--pace", action="store_true", help="slow the UART down to its baud rate")
    parser.add_argument(
        "--micropython",
        metavar="BIN",
        default=os.environ.get("MICROPYTHON") or None,
        help="another MicroPython, 1.24 or newer (default: $MICROPYTHON, else the bundled one)",
    )
    return parser


def _heap(text):
    if not re.fullmatch(r"[1-9]\d*w?[kKmM]?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a size such as 38wK, 64K or 1M")
    return text


def _partition(text):
    name, _, size = text.partition("=")
    if not name or len(name) > 16 or not size.isdigit() or int(size) % 4 or not 0 < int(size) <= 1024:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a name and a multiple of 4 (KiB), up to 1024, such as user=8"
        )
    return name, int(size) * 1024


def _simulate(options):
    """Runs the simulator; returns the exit status."""
    with contextlib.ExitStack() as cleanup:
        loop = Loop()
        _stop_on_signals(loop, cleanup)
        networks = _networks(options.wifi)
        terminal = PacedTerminal(loop) if options.pace else Terminal()
        # Whoever waits for the line finds the link and the socket.
        if options.link:
            _link(terminal.path, options.link, cleanup)
        control = options.control and Control(loop, options.control)
        if control:
            cleanup.callback(control.close)
        _probe(options)
        in_place = options.board == "esp8266" and options.has_rom
        built = build(options.board, in_place=in_place, key=update_key(options.update_key))
        options.heap_given = options.heap is not None
        options.heap = options.heap or _HEAPS[options.board if built.rom else "esp32"]
        radio = _radio(options.board, networks, loop.time)
        flash = _flash(options, built, networks, cleanup)
        # A port is worth telling when there is a chip behind it: with too small a heap there never is.
        module = Module(
            loop, built, options, flash, terminal, radio, lambda: print(f"AT port: {terminal.path}", flush=True)
        )
        if control:
            control.serve(module, radio, terminal)
        cleanup.callback(module.power_off)
        module.power_on()
        loop.run()
        if module.failed and options.heap_given:
            print(f"atsim: a heap of {options.heap} may be too small for the {options.board}", file=sys.stderr)
        return 1 if module.failed else 0


def _stop_on_signals(loop, cleanup):
    near, far = socket.socketpair()
    for end in (near, far):
        end.setblocking(False)
        cleanup.callback(end.close)
    signal.set_wakeup_fd(far.fileno())
    cleanup.callback(signal.set_wakeup_fd, -1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.stop())
    loop.watch(near.fileno(), loop.stop)


def _networks(path):
    if path is None:
        return [AccessPoint(DEFAULT_NETWORK)]
    try:
        return read_wifi_file(path)
    except WifiFileError as error:
        raise Failure(f"{path}: {error}") from None
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}") from None


def _link(target, path, cleanup):
    """Links to the terminal; replaces an older link, but nothing else."""
    try:
        if os.path.islink(path):
            os.unlink(path)
        os.symlink(target, path)
    except OSError as error:
        raise Failure(f"cannot make {path}: {error.strerror}") from None

    def remove():
        # Another simulator may have taken the name over.
        with contextlib.suppress(OSError):
            if os.readlink(path) == target:
                os.unlink(path)

    cleanup.callback(remove)


def _probe(options):
    """Finds out what the MicroPython in use can do."""
    options.has_ffi, options.has_rom, options.needs_folder = False, True, False
    # The bundled one is of the newest.
    runs = _look(options) if options.micropython else _numbers(VERSIONS[-1])
    # Another MicroPython runs the firmware, too, with the stand-ins of a port that is new enough.
    wanted = _numbers(options.port_version) if options.port_version else max(runs, oldest_micropython(options.board))
    options.version, options.fakes_version = wanted, wanted != runs


def _numbers(version):
    return tuple(map(int, version.split(".")))


def _look(options):
    """The version of the MicroPython that was given, (major, minor); `options` tell what else it has."""
    path = shutil.which(options.micropython)
    if path is None:
        raise Failure(f"{options.micropython} is not a program")
    options.micropython = os.path.abspath(path)
    try:
        result = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, timeout=10, check=False)
        major, minor, ffi, rom = json.loads(result.stdout)
    except (OSError, ValueError, TypeError, subprocess.TimeoutExpired):
        raise Failure(f"{path} is not a MicroPython that can be used") from None
    if (major, minor) < (1, 24):
        raise Failure(f"{path} is MicroPython {major}.{minor}; 1.24 or newer is needed")
    # Without ffi it cannot map an image, and both the stand-ins and the firmware go onto its heap.
    options.has_ffi = options.has_rom = bool(ffi and rom)
    options.needs_folder = not options.has_rom
    for name in ("time", "memory"):
        if getattr(options, name) and not options.has_ffi:
            raise Failure(f"--{name}: {path} has no ffi or no VfsRom, which that needs")
    return major, minor


def _radio(board, networks, clock):
    if board == "esp8266":
        from .radio_esp8266 import Esp8266Radio as Radio
    else:
        from .radio_esp32 import Esp32Radio as Radio
    return Radio(networks, _MACS[board], clock=clock)


def _flash(options, built, networks, cleanup):
    """Returns the path of the flash image for this run, with the firmware on it."""
    path = options.flash
    folder = pathlib.Path(tempfile.mkdtemp(prefix="atsim-"))
    cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
    image = pathlib.Path(path) if path else folder / "flash.img"
    files = built.files | {"/bench.json": None} | _own_commands(options.commands)
    if options.usb:
        files["/board.json"] = folder / "board.json"
        files["/board.json"].write_text('{"uart": "usb"}')
    # What a bench needs and a chip does not: other ports to ask for names and for the time, and IPv6.
    usual = AccessPoint(DEFAULT_NETWORK)
    bench = {
        key: getattr(ap, key)
        for ap in reversed(networks)
        for key in ("dns_port", "ntp_port")
        if getattr(ap, key) != getattr(usual, key)
    }
    if options.ipv6:
        bench["ipv6"] = True
    if bench:
        files["/bench.json"] = folder / "bench.json"
        files["/bench.json"].write_text(json.dumps(bench))
    try:
        if image.exists() and not os.access(image, os.W_OK):
            raise Failure(f"cannot write {image}")
        new = not image.exists()
        file = _taken(image, cleanup)
        if new:
            file.write((built.ota_flash if options.ota_partitions else built.flash).read_bytes())
            file.flush()
        elif image.stat().st_size == (FLASH_SIZES["esp32"] if options.ota_partitions else OTA_FLASH_SIZE):
            raise Failure(f"{image} is from a flash {'without' if options.ota_partitions else 'with'} OTA partitions")
        if not new or bench or files.keys() != built.files.keys() | {"/bench.json"}:
            # A MicroPython without ROMFS has the firmware of an ESP8266 on its flash, too.
            write_flash(image, files, in_place=bool(built.rom) if options.has_rom else None)
    except OSError as error:
        raise Failure(f"cannot use {image}: {error.strerror}") from None
    return image


def _taken(image, cleanup):
    """Opens a flash image, made if it is not there, and keeps it from other simulators for as long as this one runs.
    It holds passwords and keys: from the first moment it is for its owner alone."""
    file = cleanup.enter_context(open(os.open(image, os.O_RDWR | os.O_CREAT, 0o600), "r+b"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure(f"{image} is in use by another simulator") from None
    with contextlib.suppress(PermissionError):  # somebody else's, who lets this user write it
        os.fchmod(file.fileno(), 0o600)
    return file


def _own_commands(folder):
    """The files that --commands puts on the flash, {path there: path here}."""
    if folder is None:
        return {}
    if not os.path.isdir(folder):
        raise Failure(f"{folder} is not a folder")
    files = [path for path in sorted(pathlib.Path(folder).glob("*")) if path.suffix in (".py", ".mpy")]
    found = {f"/commands/{path.name}": path for path in files}
    if not found:
        raise Failure(f"no Python file in {folder}")
    return found


if __name__ == "__main__":
    main()
