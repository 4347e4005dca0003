"""The module on the bench: the chip's process, its power, what it asks of the simulator, and its crashes.
The chip's own reset ends the process at once and starts another, so nothing of it survives but the flash."""

import contextlib
import errno
import importlib.util
import json
import operator
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

from .chips import CHIPS, Port
from .partitions import Partitions
from .pins import Pins
from .prompt import Prompt, with_cr
from .responder import Responder
from .rtc import Rtc
from .shrink.lines import Lines
from .sleep import Sleep

# Why the chip has started, as machine.reset_cause() says: power on, machine.reset(), watchdog, the end of deep sleep
# by time or by the reset pin, a new start from MicroPython's prompt (the ESP8266 goes on telling the cause before).
_CAUSES = {
    "esp8266": {"power": 0, "reset": 4, "watchdog": 1, "deepsleep": 5, "pin": 5},
    "esp32": {"power": 1, "reset": 2, "watchdog": 3, "deepsleep": 4, "pin": 1, "soft": 5},
}
# What MicroPython says before a new start from its prompt.
_SOFT_REBOOT = b"MPY: soft reboot\r\n"

# What machine.unique_id() returns: the base MAC address, or the number that the ESP8266 makes of it.
_UNIQUE_IDS = {"esp8266": bytes.fromhex("eeffc000"), "esp32": bytes.fromhex("240ac4c0ffee")}
_FREQUENCIES = {"esp8266": 80_000_000, "esp32": 160_000_000}

# What the last field of machine.RTC().datetime() counts to in a second.
_RTC_FRACTIONS = {"esp8266": 1000, "esp32": 1_000_000}

# Where the ROMFS partition of MicroPython's variant for the ESP8266 with 2 MiB is in its flash, and its size.
_ROM_START, _ROM_SIZE = 0xB0000, 320 * 1024

_LAUNCH = pathlib.Path(__file__).with_name("launch.py")

# Milliseconds that can be let pass: further apart the ticks of a MicroPython for 32 bits cannot be.
_PASSED_MAX = 6 * 24 * 3600 * 1000

# So many crashes in so many seconds end the simulator. A traceback makes a crash of a reset soon after it.
_CRASHES, _CRASH_WINDOW = 3, 10.0
_TRACEBACK_AGE = 1.0


class Module:
    """One simulated module, off at first.

    options: board, chip, version (of MicroPython's port), heap, micropython (None: the bundled one), has_ffi and
    needs_folder. up(): called once, when the chip runs for the first time."""

    def __init__(self, loop, build, options, flash, terminal, radio, up):
        self._loop, self._options, self._terminal, self._radio = loop, options, terminal, radio
        self._up = up
        self._flash = open(flash, "r+b")
        self._rom = build.rom and _partition(build.rom)
        self._lines = Lines(build.folder)
        # A MicroPython that cannot map the stand-ins imports them from their folder.
        self._chip = str(build.chip_files) if options.needs_folder else open(build.chip_rom, "rb")
        self._process = None
        self._prompt = None
        self._cause = None
        self._sleep = None
        self._described = CHIPS[options.chip]
        self._port = Port(options.board, options.version)
        self._responder = Responder()
        self.pins = Pins(self._described)
        self._partitions = Partitions(options.partition, options.ota_partitions, self._count_write, self._chip_cut)
        self._passed = 0
        self._time = None
        if options.time:
            self._time = tempfile.TemporaryFile()
            self.let_pass(0)
        self._orders = 0
        self._memory = None
        if options.memory:
            self._memory = tempfile.TemporaryFile()
            self.leave_memory(None)
        self._registers = {}
        self._rtc = None
        self._writes_left = None
        self._crashes = []
        self.failed = False

    def power_on(self, cause="power", raw=False, prompt=False):
        """Starts the chip; `cause` is a key of _CAUSES. With `prompt` it starts MicroPython's prompt, no firmware, with
        `raw` the raw one."""
        self._cause = _CAUSES[self._options.board].get(cause, self._cause)
        self._raw, self._prompted = raw, raw or prompt
        self._usb = False  # whether the terminal is the board's USB, where MicroPython's own output is, too
        self._sleep = Sleep(self._loop)
        self._traceback_at = None
        self._line = b""
        self._request = b""
        if cause == "power":
            # A reset leaves the chip's clock as it is.
            self._rtc = Rtc(_RTC_FRACTIONS[self._options.board], self._loop.time)
        self.pins.reset()
        self._registers.clear()
        self._radio.power_on()
        self._responder.restart()
        if cause not in ("soft", "deepsleep"):  # after these the chip goes on with the program that it had
            self._partitions.bootloader.start()
        self._link, far = socket.socketpair()
        self._keys, stdin = socket.socketpair()
        self._keys.setblocking(False)
        self._uart = uart = self._terminal.plug()
        command = self._command(uart, far.fileno())
        fds = [uart, far.fileno(), self._flash.fileno()]
        fds += [
            file.fileno()
            for file in (self._rom, self._chip, self._time, self._memory)
            if file and not isinstance(file, str)
        ]
        self._process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=fds,
            # The terminal that atsim runs in sends its Ctrl-C to atsim alone.
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": str(_site_packages())},
        )
        far.close()
        stdin.close()
        os.set_blocking(self._process.stdout.fileno(), False)
        self._loop.watch(self._process.stdout.fileno(), self._console)
        self._loop.watch(self._link.fileno(), self._requests)
        if self._prompted and self._options.board == "esp8266":
            # This chip's prompt has the UART at every start, until the firmware takes it.
            self._chip_dupterm(True)

    def _command(self, uart, link):
        options = self._options
        chip = self._chip if isinstance(self._chip, str) else self._chip.fileno()
        # -S: what the module site does would take longer than the start of MicroPython.
        command = [sys.executable, "-S", _LAUNCH, "--parent", os.getpid(), "--heap", options.heap]
        command += ["--uart", uart, "--pc", link, "--flash", self._flash.fileno(), "--chip", chip]
        if self._rom:
            command += ["--rom", self._rom.fileno()]
        if self._time:
            command += ["--time", self._time.fileno()]
        if self._memory:
            command += ["--memory", self._memory.fileno()]
        if options.micropython:
            command += ["--micropython", options.micropython]
        if options.has_ffi:
            command.append("--ffi")
        if options.board == "esp32":
            command.append("--usb")
        if self._prompted:
            command.append("--prompt")
        if options.fakes_version:
            command += ["--version", *options.version]
        return [str(word) for word in command]

    def power_off(self):
        """Ends the chip's process and waits for that; what it has printed is forwarded first."""
        if self._sleep:
            self._sleep.end()
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            # All of its session: a MicroPython given by --micropython may be a script around the real one.
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._prompt:
            self._chip_dupterm(False)
        self._read_console()
        self._loop.forget(self._process.stdout.fileno())
        self._loop.forget(self._link.fileno())
        self._process.stdout.close()
        self._link.close()
        self._keys.close()
        self._process = None

    def power_cycle(self):
        self._writes_left = None
        self.power_off()
        self.power_on()

    def let_pass(self, seconds):
        """Puts the module's time forward by so much. ValueError if that is too much, or was not said at the start."""
        passed = self._passed + int(seconds * 1000)
        if not (self._time and passed < _PASSED_MAX):
            raise ValueError(seconds)
        self._passed = passed
        self._loop.skip(seconds)
        self._time.seek(0)
        self._time.write(passed.to_bytes(4, sys.byteorder))
        self._time.flush()

    def leave_memory(self, size):
        """Has the module's heap filled up to the last `size` bytes before it goes on; None gives all back. ValueError
        if that was not said at the start."""
        if not self._memory:
            raise ValueError(size)
        self._orders = (self._orders + 1) % 256
        self._memory.seek(0)
        self._memory.write(bytes((self._orders, size is not None)) + (size or 0).to_bytes(2, "little"))
        self._memory.flush()

    def drive(self, number, level):
        """The bench sets a pin, which may end light sleep."""
        self.pins.drive(number, level)
        self._sleep.look(self.pins)

    def asleep(self):
        """Whether the chip is in deep or light sleep."""
        return self._sleep.deep or self._sleep.light

    def wake(self):
        """Pulls the reset pin in deep sleep, or the pin that light sleep waits for; False if neither wakes the chip."""
        if self._process is None and self._sleep.deep:
            self._sleep.end()
            self.power_on("pin")
            return True
        return self._sleep.nudge()

    def cut_after(self, writes):
        """Cuts the power once so many more flash writes have been done."""
        self._writes_left = writes

    # The chip's console, and its end.

    def _console(self):
        if self._read_console():
            return
        # Nobody writes any more, so the process has ended by itself.
        status = self._process.wait()
        self.power_off()
        if not status and self._traceback_at is None:
            # main.py has ended without a new start, so MicroPython goes on to its prompt.
            self.power_on("reset", prompt=True)
            return
        if self._traceback_at is None:
            print(f"atsim: the firmware has ended, status {status}", file=sys.stderr, flush=True)
        self._restart("watchdog", crashed=True)

    def _read_console(self):
        """Forwards what the chip has printed, line by line; returns False at the end of the file."""
        while True:
            try:
                data = os.read(self._process.stdout.fileno(), 65536)
            except BlockingIOError:
                return True
            if b"Traceback (most recent call last)" in self._line[-40:] + data:
                self._traceback_at = time.monotonic()
            if self._usb:
                self._terminal.show(with_cr(data))
            *lines, self._line = (self._line + data).split(b"\n")
            if not data and self._line:
                lines, self._line = [self._line], b""
            for line in lines:
                print(self._lines.told(line.decode(errors="backslashreplace")), file=sys.stderr, flush=True)
            if not data:
                return False

    def _restart(self, cause, crashed):
        if crashed:
            now = time.monotonic()
            self._crashes = [then for then in self._crashes if now - then < _CRASH_WINDOW] + [now]
            if len(self._crashes) >= _CRASHES:
                text = f"atsim: the firmware crashed {_CRASHES} times within {_CRASH_WINDOW:.0f} seconds"
                print(text, file=sys.stderr, flush=True)
                self.failed = True
                self._loop.stop()
                return
        self.power_on(cause)

    def _left_prompt(self):
        """Ctrl-D at the prompt: the chip starts anew, at the raw prompt if the host was there, else with main.py."""
        raw = self._prompt.raw
        self.power_off()
        self._terminal.show(_SOFT_REBOOT)
        self.power_on("soft", raw)

    # What the chip asks; see chip/pc.py for the form of requests and answers.

    def _requests(self):
        link = self._link
        try:
            data = link.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            self._loop.forget(link.fileno())
            return
        self._request += data
        while b"\n" in self._request and link is self._link:
            line, self._request = self._request.split(b"\n", 1)
            name, arguments, options = json.loads(line)
            answer = self._answer(name, [_in(value) for value in arguments], options)
            if answer is not None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    link.sendall(json.dumps(answer).encode() + b"\n")

    def _answer(self, name, arguments, options):
        """The answer to one request, None where the chip gets none because its power went."""
        try:
            own = getattr(self, f"_chip_{name}", None)
            if own is not None:
                return own(*arguments, **options)
            options = {key: _in(value) for key, value in options.items()}
            value = self._radio.call(name, arguments, options)
            if self._options.board == "esp32":
                self._responder.look(self._radio.online, self._process.pid)
            return [_out(value)]
        except (OSError, ValueError, TypeError, AttributeError, RuntimeError) as error:
            return [type(error).__name__, list(error.args)]

    def _chip_uart(self, baudrate, bits, parity, stop, flow, *pins):
        """Sets the UART, by which some of what has come in is lost."""
        for pin in pins:
            self.pins.check(pin)
        self._terminal.configure(baudrate, bits, parity, stop, flow)
        with contextlib.suppress(BlockingIOError):
            os.read(self._uart, self._port.init_drops)
        return [None]

    def _chip_machine(self):
        return [self._described.machine(self._port.version)]

    def _chip_scan_time(self):
        return [self._radio.scan_ms]

    def _chip_timer(self, number):
        if number < 0 and not self._port.has_virtual_timers:
            raise ValueError("invalid Timer number")
        return [None]

    def _chip_temperature(self):
        """What esp32.mcu_temperature() measures in whole degrees; None where the chip has no sensor."""
        return [21 if self._described.sensor else None]

    def _chip_has_loader(self):
        return [self._described.loader]

    def _chip_bootloader(self):
        """The chip is in its loader, where esptool finds it, until it is switched off and on."""
        self.power_off()
        print("atsim: the chip is in its loader", file=sys.stderr, flush=True)

    def _chip_txdone(self):
        return [self._terminal.idle()]

    def _chip_reset_cause(self):
        return [self._cause]

    def _chip_flash(self):
        """Before each erase or program of the flash: True if the power goes right after it."""
        return [self._count_write()]

    def _count_write(self):
        if self._writes_left is None:
            return False
        self._writes_left -= 1
        return self._writes_left <= 0

    def _chip_cut(self):
        self._writes_left = None
        self.power_off()

    def _chip_reset(self):
        self.power_off()
        at = self._traceback_at
        self._restart("reset", crashed=at is not None and time.monotonic() - at < _TRACEBACK_AGE)

    def _chip_deepsleep(self, ms=None, /):
        """The chip is off, but for its clock, until the time has come."""
        self.power_off()
        self._sleep.deeply(ms, lambda: self.power_on("deepsleep"))

    def _chip_lightsleep(self, ms=None, /):
        """The chip stops where it is: it gets its answer when it wakes."""
        self._sleep.lightly(ms, self.pins, self._wakes)

    def _wakes(self):
        with contextlib.suppress(BlockingIOError):
            # What has come meanwhile was heard by nobody.
            while os.read(self._uart, 65536):
                pass
        self._link.sendall(b"[null]\n")

    def _chip_wake_on(self, numbers, level):
        self._sleep.wake_on(numbers, level)
        return [None]

    def _chip_unique_id(self):
        return [_out(_UNIQUE_IDS[self._options.board])]

    def _chip_rtc(self, *setting):
        return [_out(self._rtc.datetime(*setting))]

    def _chip_up(self):
        up, self._up = self._up, None
        if up:
            up()
        return [None]

    def _chip_mdns_port(self):
        return [self._responder.port()]

    def _chip_usb(self):
        self._usb = True
        return [None]

    def _chip_dupterm(self, attached):
        """Whether the prompt has the UART. What was printed before belongs to the console."""
        self._read_console()
        if self._prompt:
            self._prompt.close()
            self._prompt = None
        if attached:
            ends = (self._process.pid, self._uart, self._keys.fileno(), self._process.stdout.fileno())
            self._prompt = Prompt(self._loop, *ends, self._left_prompt, self._raw)
        else:
            self._loop.watch(self._process.stdout.fileno(), self._console)
        return [None]

    def _chip_pin(self, number, mode, *level):
        return [self.pins.request(number, mode, *level)]

    def _chip_register(self, address, *value):
        """Registers keep what is written to them, until the chip is off; they drive no pins here."""
        if value:
            self._registers[address] = value[0]
        return [self._registers.get(address, 0)]

    def _chip_partitions(self):
        return [_out(self._partitions.infos())]

    def _chip_partition(self, name):
        return [_out(self._partitions.info(name))]

    def _chip_partition_read(self, *area):
        return [_out(self._partitions.read(*area))]

    # These change the flash, during which the power may go.

    def _chip_partition_write(self, *area):
        return [None] if self._partitions.write(*area) else None

    def _chip_partition_erase(self, *area):
        return [None] if self._partitions.erase(*area) else None

    def _chip_partition_boot(self, name):
        return [None] if self._partitions.bootloader.set_boot(name) else None

    def _chip_partition_valid(self):
        return [None] if self._partitions.bootloader.mark_valid() else None

    def _chip_partition_next(self, name):
        return [_out(self._partitions.info(self._partitions.bootloader.next(name)))]

    # The ROMFS partition: by vfs.rom_ioctl() it is written from its start, by esp.flash_...() anywhere.

    def _chip_rom_erase(self, offset, size):
        return self._rom_change(offset, b"\xff" * size, erases=True)

    def _chip_rom_write(self, offset, data):
        return self._rom_change(offset, data)

    def _chip_esp_flash_user_start(self):
        return [_ROM_START + _ROM_SIZE]

    def _chip_esp_flash_read(self, offset, size):
        self._rom.seek(self._rom_offset(offset, size))
        return [_out(self._rom.read(size))]

    def _chip_esp_flash_write(self, offset, data, /):
        if len(data) % 4:
            raise ValueError("len must be multiple of 4")
        return self._rom_change(self._rom_offset(offset, len(data)), data)

    def _chip_esp_flash_erase(self, sector, /):
        return self._rom_change(self._rom_offset(sector * 4096, 4096), b"\xff" * 4096, erases=True)

    def _rom_offset(self, address, size):
        """Where in the partition an area of the flash is; nothing else of the flash is here."""
        if not self._rom or not _ROM_START <= address <= _ROM_START + _ROM_SIZE - size:
            raise OSError(errno.EIO)
        return address - _ROM_START

    def _rom_change(self, offset, data, erases=False):
        if offset + len(data) > _ROM_SIZE:
            raise OSError(errno.EINVAL)
        last = self._count_write()
        if not erases:
            # Writing only clears bits.
            self._rom.seek(offset)
            data = bytes(map(operator.and_, self._rom.read(len(data)), data))
        self._rom.seek(offset)
        self._rom.write(data)
        self._rom.flush()
        return self._chip_cut() if last else [None]

    def _chip_freq(self, hertz=None, /):
        # The simulated chip runs as fast as the PC does, whatever it is set to.
        return [None if hertz else _FREQUENCIES[self._options.board]]


def _partition(image):
    """The ROMFS partition with this image in it, a file."""
    partition = tempfile.TemporaryFile()
    partition.write(image.read_bytes().ljust(_ROM_SIZE, b"\xff"))
    partition.flush()
    return partition


def _site_packages():
    return pathlib.Path(importlib.util.find_spec("micropython_unix").origin).parent


def _in(value):
    return bytes.fromhex(value["b"]) if isinstance(value, dict) else value


def _out(value):
    """A value as chip/pc.py reads it."""
    if isinstance(value, bytes):
        return {"b": value.hex()}
    if isinstance(value, list):
        return {"l": [_out(item) for item in value]}
    if isinstance(value, tuple):
        return [_out(item) for item in value]
    return value
