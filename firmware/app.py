"""The composition root: builds the parts, connects them, and runs them until the chip is to start anew.
Every handler of a command gets the App as `at`."""

import gc
from time import ticks_ms

import micropython
from micropython import const

from firmware import commands
from firmware.at import messages
from firmware.at.command import limit
from firmware.at.interpreter import Interpreter
from firmware.at.port import Port
from firmware.loop import Loop
from firmware.net.address import same_network
from firmware.net.links import Links
from firmware.reports import Reports
from firmware.settings import Settings
from firmware.wifi import JOINED, LOST, UP, Radio

# The OK of AT+RST has left the port at least this long before `ready`: hosts flush their input in between.
_QUIET_MS = const(20)
_PATIENCE_MS = const(500)
# Bytes of a datagram that goes in one packet of Ethernet or Wi-Fi.
_DATAGRAM = const(1472)
# Two lines of a traceback, and two arguments.
_EXCEPTION = const(48)


class App:
    """The parts of the firmware by name; see docs/architecture.md for who uses whom."""

    def __init__(self):
        self.board = board = _load_board()
        gc.threshold(board.GARBAGE)
        limit(board.CHIP)
        self.settings = Settings(commands.fit)
        self.loop = loop = Loop()
        self.uart = self._open_uart()
        self.port = Port(loop, self.uart, board.WRITE_BURST)
        self.links = Links(loop, commands.make_room)
        sizes = board.IPD_MAX, board.WINDOW, board.WINDOWS
        self.reports = Reports(self, loop, self.port, self.links, self.receive_buffer, *sizes)
        self.radio = Radio(loop, board.JOIN_FAILURES, self._radio_event)
        self.stations = None  # the watch over the stations on the softAP, while that is on
        self.clock = self.sntp = None  # made by the first command that needs them
        self.tls = {}  # AT+CIPSSLCSNI and its kin: what each link has, by its number
        self.mdns = None  # the responder, while AT+MDNS has one
        self.sleeper = None  # what has the chip sleep, while AT+SLEEP says so
        self.filters = None  # those of AT+SYSMSGFILTERCFG, once there is one
        self.interpreter = Interpreter(loop, self.port, self, commands)
        self.origin = None  # the parameters of the newest CIPSTART, with which passthrough connects again
        self.interval = 20  # AT+TRANSINTVL, in ms
        self.pieces = None  # memory for what the host sends, once it was needed, until it is short
        self.leaving = None  # the passthrough that the host has left, while it still has something to send
        self.send_sizes = 1024, 2920  # AT+CIPSENDLCFG
        self.update = None  # the AT+CIUPDATE or AT+USEROTA that runs
        self.updated = 0  # how far the newest one came
        self.began = ticks_ms()
        self.returns = False  # whether MicroPython's prompt takes over, in place of a restart
        loop.lacking = commands.drop
        loop.turns = [self.port.turn, self.reports.turn, self.port.settle]
        commands.serve(self)

    def __getattr__(self, name):
        """Makes what an idle module has no need of when it is asked for."""
        if name == "resolver":  # looks names up
            from firmware.net.dns import Resolver

            # Nobody keeps it, so that its module can be dropped.
            return Resolver(self.loop, self.name_servers, self.board.DNS_PORT, self.ipv6)
        if name == "block":  # what passthrough is sending
            self.block = self.memory(self.board.BLOCK)
            return self.block
        raise AttributeError(name)

    def receive_buffer(self):
        """For what a link has received, and for a datagram of the host; made for the first one."""
        return self.memory(max(self.board.IPD_MAX, self.board.BLOCK, _DATAGRAM))

    def memory(self, size):
        """Memory in one piece; where there is none, commands make room, and if that does not help, it is half as
        large."""
        try:
            return bytearray(size)
        except MemoryError:
            commands.drop()
        try:
            return bytearray(size)
        except MemoryError:
            return bytearray(size // 2)

    def line(self, text, *values):
        """Writes a line of the answer: `text` with `values` put in as by %, then CR LF."""
        if self.interpreter.spelling:
            text = text.replace(*self.interpreter.spelling)
        line = (text + "\r\n").encode()
        # With bytes on the left, values that are bytes are written as they are.
        self.port.write(line % values if values else line)

    def _open_uart(self):
        """The AT port's UART, as it was saved if this chip can do so: a host must always find the module."""
        board = self.board
        saved = self.settings.get("UART_DEF")
        # What AT+UART_DEF refuses does not get here, but files can be copied from one chip to another.
        if saved and saved[0] <= board.BAUD_MAX and saved[2] != 2 and (board.FLOW_CONTROL or not saved[4]):
            try:
                self.line_settings = saved
                return board.uart(saved)
            except (ValueError, OSError):
                pass
        self.settings.forget("UART_DEF")
        self.line_settings = [board.BAUD, 8, 1, 0, 0]
        return board.uart(self.line_settings)

    def start(self):
        """Applies what was saved, says `ready`, and joins the saved network."""
        self.reports.detailed = bool(self.settings.get("SYSMSG", [0])[0] & 2)
        self.ipv6 = bool(self.board.IPV6 and self.settings.get("CIPV6", [0])[0])
        self.links.options = self.settings.get("CIPTCPOPT", self.links.options)
        self.port.write(messages.READY)
        self.port.flush()
        if self.settings.get("CWRECONNCFG"):
            self.radio.interval, self.radio.repeats = self.settings.get("CWRECONNCFG")[:2]
        self.set_mode(self.settings.get("CWMODE", [1])[0])
        if self.settings.get("CWAUTOCONN", [1])[0]:
            self.join_saved()
        saved = self.settings.get("SAVETRANSLINK", [0])
        if saved[0]:
            from firmware.commands.passthrough import enter_saved

            enter_saved(self, saved)

    def set_mode(self, mode):
        """Switches the interfaces as AT+CWMODE says; one that comes up gets its settings. Returns what came up."""
        station = softap = None
        starts = mode & ~self.radio.mode
        # Either all of this is done, or nothing: what it takes is brought before.
        if starts & 1 and any(map(self.settings.get, ("CIPSTA", "CIPSTAMAC", "CWSTAPROTO", "CWBANDWIDTH"))):
            from firmware.commands import station
        if starts & 2:
            from firmware.commands import softap
        commands.need()
        if self.radio.mode & ~mode & 2:
            self.links.end_all(lambda ip: not self.on_softap(ip))
        self.radio.set_mode(mode)
        if self.stations and not mode & 2:
            self.stations.stop()
            self.stations = None
        for module in (station, softap):
            if module:
                module.restore(self)
        return starts

    def join_saved(self):
        """Starts to join the network of the last AT+CWJAP, if there was one and the station is on."""
        saved = self.settings.get("CWJAP")
        if not saved or not self.radio.mode & 1:
            return
        ssid, password, bssid, least, interval, _, strongest = saved[:7]
        try:
            mac = bssid and bytes.fromhex(bssid.replace(":", ""))
            if not ssid or (mac is not None and len(mac) != 6):
                raise ValueError
        except ValueError:  # no AT+CWJAP has saved this
            self.settings.forget("CWJAP")
            return
        if not self.settings.get("CWRECONNCFG"):
            self.radio.interval = interval
        name = ssid if isinstance(ssid, bytes) else ssid.encode()
        self.radio.join((name, password, mac, least, strongest), 15000, True)

    async def restart(self):
        """Ends the firmware once all that was written has left, or the host has not taken it for too long."""
        try:
            if self.mdns:
                self.mdns.stop()
            for _ in range(_PATIENCE_MS // _QUIET_MS):
                self.port.flush()
                if self.port.idle() and self.uart.txdone():
                    break
                await self.loop.sleep(_QUIET_MS)
            await self.loop.sleep(_QUIET_MS)
        except MemoryError:  # then it is time
            pass
        self.loop.stop()

    def _radio_event(self, event):
        if event == JOINED:
            self.reports.text(messages.WIFI_CONNECTED)
            self.reports.text(messages.WIFI_GOT_IP)
            if self.sntp:
                self.sntp.network_up()
            if self.mdns:
                self.mdns.online()
            return
        self.links.end_all(self.on_softap if self.radio.mode & 2 else None)
        self.links.used = False
        if self.mdns:
            self.mdns.offline()
        if event == LOST:
            self.reports.text(messages.WIFI_DISCONNECT)
        elif self.radio.state == UP:
            self.reports.text(messages.WIFI_GOT_IP)
            if self.mdns:
                self.mdns.online()

    def on_softap(self, ip):
        """Whether an address is in the softAP's network, which is there without the station's."""
        return same_network(ip, *self.radio.softap.ipconfig("addr4"))

    def name_servers(self):
        """The addresses of the name servers, best first: those of AT+CIPDNS, or the network's."""
        manual, *servers = self.settings.get("CIPDNS", [0])
        if manual:
            defaults = ["208.67.222.222", "114.114.114.114", "8.8.8.8"]
            return [server for server in servers if server] or defaults[: 1 if self.board.DIALECT < 4 else 3]
        server = self.radio.station.ifconfig()[3]
        return [] if server == "0.0.0.0" else [server]


def _load_board():
    from firmware import board

    loaded = board.load()
    # Whoever is at MicroPython's prompt later loads it anew.
    commands.forget(loaded.__name__)
    commands.forget("firmware.board")
    return loaded


def run(news=0):
    """Runs the firmware; returns True when the chip is to be restarted, False when MicroPython's prompt takes over.

    `news`, if it is true, is what boot.py says of the slots, see slots.settle()."""
    # Without it an exception that finds no memory has no arguments: no errno, no result of a coroutine. A port on a PC
    # has it from the start.
    reserve = getattr(micropython, "alloc_emergency_exception_buf", None)
    if reserve:
        reserve(_EXCEPTION)
    try:
        app = App()
    except (ImportError, ValueError, TypeError, OSError, AttributeError) as fault:
        from firmware.board import mended

        # On trial boot.py has left its timer, and brings the other slot back.
        return mended(fault) or not isinstance(news, int)
    app.start()
    if news:
        from firmware import slots

        slots.settle(app, news)
    app.loop.run()
    if app.returns:
        app.board.prompt(app.uart)
    return not app.returns
