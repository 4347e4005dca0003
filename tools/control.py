"""The control socket: what a person would do to a module on the bench, as lines of text.
Each line is answered by one line, `ok` or `error: ...`."""

import contextlib
import os
import re
import socket
import stat

from .radio_air import RANGES, WifiFileError, mac_address
from .radio_softap import Refused

# Each line as docs/simulator.md has it, what it has to look like, and what does it.
_COMMANDS = (
    ("ap down|up NAME", re.compile(r"ap (down|up) (.+)"), "access_point"),
    ("ap rssi|channel N NAME", re.compile(r"ap (rssi|channel) (\S+) (.+)"), "change"),
    ("ap address IP NAME", re.compile(r"ap (address) (\S+) (.+)"), "change"),
    ("ap dhcp on|off NAME", re.compile(r"ap (dhcp) (on|off) (.+)"), "change"),
    ("ap password TEXT NAME", re.compile(r"ap (password) (\S+) (.+)"), "change"),
    ("station join|static MAC [PASSWORD]", re.compile(r"station (join|static) (\S+)(?: (.+))?"), "station"),
    ("station leave MAC", re.compile(r"station (leave) (\S+)()"), "station"),
    ("scan takes SECONDS", re.compile(r"scan takes (\S+)"), "scan"),
    ("power cycle", re.compile(r"power (cycle)"), "power_cycle"),
    ("power cut after N writes", re.compile(r"power cut after (\S+) writes?"), "power_cut"),
    ("time pass SECONDS", re.compile(r"time pass (\S+)"), "time"),
    ("memory leave BYTES|all", re.compile(r"memory leave (\S+)"), "memory"),
    ("uart is SETTINGS", re.compile(r"uart is (\S+)"), "uart"),
    ("uart noise BYTES", re.compile(r"uart noise (.+)"), "noise"),
    ("asleep", re.compile(r"(asleep)"), "asleep"),
    ("wake", re.compile(r"(wake)"), "wake"),
    ("pin N high|low", re.compile(r"pin (\S+) (high|low)"), "pin"),
    ("pin N is high|low", re.compile(r"pin (\S+) is (high|low)"), "pin_is"),
)


class ControlError(Exception):
    """A command, or the socket, is not usable; the message is one line."""


class Control:
    """Listens at `path`, a Unix socket; answers once serve() has said what to act on."""

    def __init__(self, loop, path):
        self._loop, self._path = loop, path
        self._listener = socket.socket(socket.AF_UNIX)
        self._clients = {}
        _drop_stale(path)
        # Whoever may write to it commands the module: nobody but its owner, at any moment.
        mask = os.umask(0o177)
        try:
            self._listener.bind(path)
        except OSError as error:
            raise ControlError(f"cannot make {path}: {error.strerror or error}") from None
        finally:
            os.umask(mask)
        self._listener.listen()

    def serve(self, module, radio, terminal):
        self._module, self._radio, self._terminal = module, radio, terminal
        self._loop.watch(self._listener.fileno(), self._accept)

    def close(self):
        for client in [*self._clients, self._listener]:
            client.close()
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _accept(self):
        client, _ = self._listener.accept()
        self._clients[client] = b""
        self._loop.watch(client.fileno(), lambda: self._read(client))

    def _read(self, client):
        try:
            data = client.recv(4096)
        except ConnectionError:
            data = b""
        *lines, rest = (self._clients[client] + data).split(b"\n")
        self._clients[client] = rest
        with contextlib.suppress(ConnectionError):
            for line in lines:
                client.sendall(self._answer(line.decode(errors="replace").strip()).encode() + b"\n")
        if not data:
            self._loop.forget(client.fileno())
            del self._clients[client]
            client.close()

    def _answer(self, line):
        for _, pattern, name in _COMMANDS:
            match = pattern.fullmatch(line)
            if match:
                try:
                    getattr(self, f"_{name}")(*match.groups())
                except ControlError as error:
                    return f"error: {error}"
                return "ok"
        words = line.split()
        near = [form for form, _, _ in _COMMANDS if words[:1] == form.split()[:1]]
        nearer = [form for form in near if words[1:2] and words[1] in form.split()[1].split("|")]
        if near:
            return f"error: {line!r} is not of the form {', '.join(nearer or near)}"
        return f"error: {line!r} is not one of the lines that docs/simulator.md has"

    def _access_point(self, direction, name):
        for ap in self._named(name):
            ap.up = direction == "up"
        self._radio.settle()

    def _named(self, name):
        found = self._radio.named(name)
        if not found:
            raise ControlError(f"no access point {name!r}")
        return found

    def _change(self, key, value, name):
        """Changes one key of an access point's table; stations that it has let in stay."""
        if key in ("rssi", "channel"):
            value = _number(key, value, *RANGES[key])
        elif key == "dhcp":
            value = value == "on"
        for ap in self._named(name):
            try:
                ap.change(key, value)
            except WifiFileError as error:
                raise ControlError(str(error)) from None
        self._radio.settle()

    def _station(self, what, address, key):
        """A station comes to the softAP or goes; without a password it knows the right one."""
        try:
            mac = mac_address(address)
            if what == "leave":
                if not self._radio.stations.leave(mac):
                    raise ControlError(f"no station {address}")
            else:
                self._radio.let_in(mac, key, what == "static")
        except (WifiFileError, Refused) as error:
            raise ControlError(str(error)) from None

    def _power_cycle(self, _):
        self._module.power_cycle()

    def _power_cut(self, writes):
        self._module.cut_after(_number("N", writes, 1, 1_000_000))

    def _time(self, seconds):
        if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", seconds):
            raise ControlError("SECONDS is a number such as 90 or 0.5")
        try:
            self._module.let_pass(float(seconds))
        except ValueError:
            raise ControlError("that needs atsim --time, and no more than six days can pass") from None

    def _memory(self, size):
        try:
            self._module.leave_memory(None if size == "all" else _number("BYTES", size, 0, 65535))
        except ValueError:
            raise ControlError("that needs atsim --memory") from None

    def _asleep(self, _):
        if not self._module.asleep():
            raise ControlError("the module is awake, or off")

    def _wake(self, _):
        if not self._module.wake():
            raise ControlError("the module does not sleep, or no pin wakes it")

    def _pin(self, number, level):
        number = _number("the pin", number, *self._module.pins.range)
        try:
            self._module.drive(number, int(level == "high"))
        except ValueError:
            raise ControlError(f"the chip has no pin {number}") from None

    def _pin_is(self, number, wanted):
        level = "high" if self._module.pins.level(_number("the pin", number, *self._module.pins.range)) else "low"
        if level != wanted:
            raise ControlError(f"pin {number} is {level}")

    def _scan(self, seconds):
        if not re.fullmatch(r"\d{1,2}(\.\d{1,3})?", seconds):
            raise ControlError("SECONDS is a number such as 2 or 0.5")
        self._radio.scan_ms = int(float(seconds) * 1000)

    def _uart(self, settings):
        now = ",".join(map(str, self._terminal.settings()))
        if settings != now:
            raise ControlError(f"the UART is {now}")

    def _noise(self, text):
        r"""The bytes are written as in a Python literal: \x00, \r and so on."""
        try:
            data = text.encode("latin-1").decode("unicode_escape").encode("latin-1")
        except UnicodeError:
            raise ControlError("bytes are written as in a Python literal") from None
        try:
            self._terminal.noise(data)
        except BlockingIOError:
            raise ControlError("the module does not read") from None


def _number(what, text, low, high):
    """The number in a line; raises ControlError for what is none, or is not in the range."""
    if not re.fullmatch(r"-?\d{1,9}", text) or not low <= int(text) <= high:
        raise ControlError(f"{what} must be a number from {low} to {high}")
    return int(text)


def _drop_stale(path):
    """Removes a socket that nobody listens at; raises ControlError if somebody does, or if it is something else."""
    if os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise ControlError(f"{path} is there already, and is no socket")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with contextlib.suppress(OSError):
                os.unlink(path)
        except OSError:
            pass
        else:
            raise ControlError(f"{path} is in use by another simulator")
