"""The simulated chip's process: maps the ROMFS images into memory and runs MicroPython on top of them.
The images stay out of the heap that way, as they do on a chip, where they are in flash."""

import argparse
import ctypes
import mmap
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

# Where the images are once they have been mapped: in this process, or through the ffi of another MicroPython.
_MAPPED = "uctypes.bytearray_at({address},{size})"
_BY_FFI = (
    "uctypes.bytearray_at(__import__('ffi').open(None).func('P','mmap','PLiiil')(0,{size},3,{flags},{fd},0),{size})"
)

_START = """\
import sys,uctypes
{find}
{time}
{memory}
__import__('start').up({uart},{pc},{flash},{rom},{version})
del sys,uctypes
execfile('/boot.py')
"""
_MAIN = "execfile('/main.py')\n"
# After its program an ESP32 goes on to the prompt at the USB, if the host is there.
_LEFT = "import sys\nif hasattr(sys,'_left'):\n sys._left()\n import sys\n"
_FIND_IN_ROM = "import vfs;vfs.mount(vfs.VfsRom({chip}),'/chip');sys.path.insert(0,'/chip');del vfs"
_TIME = "__import__('ahead').up({page})"
_MEMORY = "__import__('lack').up({page})"
_FIND_IN_FOLDER = "sys.path.insert(0,{folder!r})"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--script", nargs=argparse.REMAINDER)
    parser.add_argument("--parent", type=int)
    parser.add_argument("--heap")
    parser.add_argument("--micropython")
    parser.add_argument("--ffi", action="store_true")
    parser.add_argument("--prompt", action="store_true")
    parser.add_argument("--usb", action="store_true", help="the chip can have its AT port on the USB")
    parser.add_argument("--uart", type=int)
    parser.add_argument("--pc", type=int)
    parser.add_argument("--flash", type=int)
    parser.add_argument("--rom", type=int)
    parser.add_argument("--time", type=int)
    parser.add_argument("--memory", type=int)
    parser.add_argument("--version", type=int, nargs=2, help="of MicroPython's port, if it is not that of MicroPython")
    parser.add_argument("--chip", help="descriptor of an image, or a folder")
    args = parser.parse_args()
    if args.script:
        _run([args.micropython or "micropython", "-X", "heapsize=16M", *args.script], args.micropython)
    _die_with(args.parent)
    if args.prompt:
        os.environ["MICROPYINSPECT"] = "1"
    command = [args.micropython or "micropython", "-X", f"heapsize={args.heap}", "-c", _code(args)]
    _run(command, args.micropython)


def _run(command, micropython):
    """Goes on as another MicroPython, or as the bundled one."""
    if micropython:
        os.execv(micropython, command)
    import micropython_unix

    sys.exit(micropython_unix.run_main(command))


def _die_with(parent):
    """Has the kernel end this process when the simulator ends, however that comes about."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def _code(args):
    image = _image_by_ffi if args.ffi else _image_here
    if args.chip.isdigit():
        find = _FIND_IN_ROM.format(chip=image(int(args.chip)))
    else:
        find = _FIND_IN_FOLDER.format(folder=args.chip)
    rom = None if args.rom is None else image(args.rom)
    time = "" if args.time is None else _TIME.format(page=image(args.time, shared=True))
    memory = "" if args.memory is None else _MEMORY.format(page=image(args.memory, shared=True))
    ends = {"uart": args.uart, "pc": args.pc, "flash": args.flash, "rom": rom}
    start = _START.format(find=find, time=time, memory=memory, version=args.version and tuple(args.version), **ends)
    code = start if args.prompt else start + _MAIN
    if not args.usb:
        return code
    return "try:\n" + _indented(code) + "finally:\n" + _indented(_LEFT)


def _indented(code):
    return "".join(f" {line}\n" for line in code.splitlines())


def _image_here(fd, shared=False):
    mapped = mmap.mmap(fd, 0, access=mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY)
    # The mapping has to last as long as the process does.
    _image_here.mapped.append(mapped)
    address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
    return _MAPPED.format(address=address, size=len(mapped))


_image_here.mapped = []


def _image_by_ffi(fd, shared=False):
    return _BY_FFI.format(fd=fd, flags=mmap.MAP_SHARED if shared else mmap.MAP_PRIVATE, size=os.fstat(fd).st_size)


main()
