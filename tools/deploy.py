"""Brings the firmware onto a board that has MicroPython, past a running AT firmware: `make deploy PORT=...`.
It goes into ROMFS where the board has a partition for that, and runs in place there, else onto the flash as .mpy."""

import argparse
import json
import sys

import serial

from .board_port import PROMPT_BAUD, BoardError, leave_at, mpremote, restarted, version
from .build import BuildError, build, update_key
from .sources import oldest_micropython

# What is on the board: the platform, the version of MicroPython and that of its .mpy files, the bytes of the ROMFS
# partition, the modules and slots on the flash, those of boot.py and main.py that are there, whether a firmware
# there takes updates (the module with the key is small without one), and whether /board.json puts the AT port on the
# USB: MicroPython's json takes more than Python's does.
_QUERY = """
import os,sys,json
k=0
for f in ('','/rom','/b'):
 try:
  k|=os.stat(f+'/firmware/update_key.mpy')[6]>200
 except OSError:
  pass
try:
 import vfs
 vfs.umount('/b')
except (ImportError,OSError):
 pass
def walk(p):
 try:
  e=list(os.ilistdir(p))
 except OSError:
  return
 for f in e:
  q=p+'/'+f[0]
  if f[1]&0x4000:
   yield from walk(q)
   yield q+'/'
  else:
   yield q
rom=0
try:
 d=vfs.rom_ioctl(2,0)
 if hasattr(d,'ioctl'):
  rom=d.ioctl(4,0)*d.ioctl(5,0)
 elif not isinstance(d,int):
  rom=len(d)
except (NameError,AttributeError,OSError):
 pass
t=os.listdir('/')
m=['/'+f for f in t if f[:5] in ('slot','slot.')]
for f in ('/firmware','/b'):
 m+=walk(f)
 if f[1:] in t:
  m.append(f+'/')
s=[f for f in ('boot.py','main.py') if f in t]
try:
 with open('/board.json') as f:
  b={k.lower():v for k,v in json.load(f).items()}.get('uart')=='usb'
except (OSError,ValueError,AttributeError):
 b=False
i=sys.implementation
u=os.uname()
print('board:'+json.dumps([u[0],u[4],i[1][:3],getattr(i,'_mpy',0)&255,rom,m,s,k,b]))
"""
_REMOVE = """
import os
for f in {paths!r}:
 (os.rmdir if f[-1]=='/' else os.remove)(f.rstrip('/'))
"""
_BUILT = "from firmware import buildinfo as b;print('built:',b.VERSION,b.HASH,b.DATE)"
# The .mpy format of the compiler that the project pins.
_MPY = 6


class Board:
    """What is at the other end of the port, which is at MicroPython's prompt afterwards."""

    def __init__(self, port):
        said = mpremote(port, "exec", _QUERY, resume=False, shown=False)
        found = [line for line in said.splitlines() if line.startswith("board:")]
        if not found:
            raise BoardError(f"{port}: MicroPython's prompt answers with something else")
        platform, self.machine, version, mpy, *others = json.loads(found[0][6:])
        self.rom, self.modules, self.starters, self.updates, on_usb = others
        if platform not in ("esp32", "esp8266"):
            raise BoardError(f"{port}: this is no ESP32 and no ESP8266 but {self.machine}")
        needed = oldest_micropython(platform)
        if tuple(version) < needed or mpy != _MPY:
            had, wanted = (".".join(map(str, numbers)) for numbers in (version, needed))
            raise BoardError(
                f"{port}: MicroPython {had} cannot run this firmware, which needs {wanted} or newer: write that with"
                " make flash"
            )
        self.name = platform
        # An ESP8266 has one UART that hears; on others the AT port is elsewhere, unless it is on the USB.
        self.at_prompt = platform == "esp8266" or on_usb


def steps(built, modules, starters):
    """The words for mpremote that bring a build onto a board with these modules and starters.

    What starts the firmware goes first and comes back last: a board that was interrupted waits at its prompt."""
    kept = {path for path in built.files if path.startswith("/firmware/")}
    folders = {path[: end + 1] for path in kept for end in range(len(path)) if path[end] == "/"}
    old = [path for path in modules if path not in kept | folders]
    removed = (["/main.py"] if "main.py" in starters else []) + old
    words = [["exec", _REMOVE.format(paths=removed)]] if removed else []
    if built.rom:
        words.append(["romfs", "deploy", str(built.rom)])
    else:
        words.append(["cp", "-r", str(built.folder / "rom" / "firmware"), ":"])
    words += [["cp", str(built.files[f"/{name}"]), f":{name}"] for name in ("boot.py", "main.py")]
    return [word for step in words for word in ["+", *step]][1:]


def deploy(port, baud, at_port=None, source=None, key=None):
    """Writes the firmware and checks that it runs; returns the line that says so. Raises BoardError, BuildError.

    key: the file of the public key whose updates it takes."""
    modulus = update_key(key)
    if leave_at(port, baud):
        print(f"{port}: AT firmware, now at MicroPython's prompt", flush=True)
        at_port = at_port or port
    if at_port and at_port != port:
        # An ESP8266 whose AT port has other pins than its prompt.
        leave_at(at_port, baud)
    board = Board(port)
    if board.at_prompt:
        at_port = at_port or port
    built = build(board.name, source, in_place=bool(board.rom), key=modulus)
    if built.rom and built.rom.stat().st_size > board.rom:
        built = build(board.name, source, in_place=False, key=modulus)
    where = f"its ROMFS of {board.rom // 1024} KiB" if built.rom else "its flash, as .mpy"
    print(f"{port}: {board.machine}; the firmware goes into {where}", flush=True)
    if not built.rom and board.name == "esp8266":
        print("the heap of an ESP8266 without ROMFS may be too small: see docs/getting-started.md", flush=True)
    if board.updates and not modulus:
        print("updates over the air end with this, as no KEY= is given: see docs/updates.md", flush=True)
    mpremote(port, *steps(built, board.modules, board.starters))
    mpremote(port, "reset")
    return checked(port, at_port, baud, built)


def checked(port, at_port, baud, built):
    """The line of AT+GMR; without an AT port, what the prompt knows of the build."""
    wanted = built.info[:3]
    if at_port:
        said = version(at_port, baud)
        if not all(text in said for text in wanted):
            raise BoardError(f"{at_port}: AT+GMR answers with another version: {' '.join(said.split())}")
        return f"{at_port}: AT+GMR answers with version {wanted[0]}, {wanted[1]}"
    restarted(port)
    said = mpremote(port, "exec", _BUILT, resume=False, shown=False)
    mpremote(port, "reset")
    if not all(text in said for text in wanted):
        raise BoardError(f"{port}: the prompt finds another version: {' '.join(said.split())}")
    return (
        f"{port}: version {wanted[0]}, {wanted[1]} is on the board, as its prompt says; AT+GMR was not asked, as this"
        " is not the AT port: give that with AT_PORT="
    )


def rehearse(port, board, source=None, key=None):
    """Prints what would be done, without touching the port."""
    built = build(board, source, key=update_key(key))
    print(f"AT+MPYREPL on {port}, if an AT firmware answers there")
    print(f"mpremote connect {port} exec ...: what is on the board")
    if built.rom:
        print("without a ROMFS partition: .mpy files as on an ESP32; with one:")
    else:
        print("with a ROMFS partition: romfs deploy as on an ESP8266; without one:")
    print("remove what is old below /firmware, and /main.py until the end")
    print(f"mpremote connect {port} resume {' '.join(steps(built, [], []))}")
    print(f"mpremote connect {port} resume reset")
    print(f"AT+GMR: version {built.info[0]}, {built.info[1]}")


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(prog="deploy", description=__doc__)
    parser.add_argument("port", help="the serial port with MicroPython's prompt or the AT firmware")
    parser.add_argument("--baud", type=int, default=PROMPT_BAUD, help="of the AT firmware")
    parser.add_argument("--at-port", help="where AT+GMR is asked afterwards, if that is another port")
    parser.add_argument(
        "--source", help="the folder with boot.py, main.py and firmware/; this project's own if not given"
    )
    parser.add_argument("--update-key", metavar="FILE", help="the public key whose updates the firmware takes")
    parser.add_argument("--dry-run", metavar="BOARD", help="esp32 or esp8266: say what would be done, touch nothing")
    options = parser.parse_args()
    try:
        if options.dry_run:
            rehearse(options.port, family(options.dry_run), options.source, options.update_key)
        else:
            print(deploy(options.port, options.baud, options.at_port, options.source, options.update_key))
    except (BoardError, BuildError) as error:
        sys.exit(f"deploy: {error}")
    except serial.SerialException as error:
        sys.exit(f"deploy: {options.port} went away: {error}")


def family(name):
    """The name under which the firmware is built for one of MicroPython's boards. Raises BoardError."""
    if name.lower().startswith("esp8266"):
        return "esp8266"
    if name.lower().startswith("esp32"):
        return "esp32"
    raise BoardError(f"{name} is no board that is known: ESP32... or ESP8266...")


if __name__ == "__main__":
    main()
