"""Stands in for the chip's module machine. The UART is the simulator's terminal itself, so that reading and
writing cost what they cost in MicroPython and nothing more. A parameter whose name begins with an underscore has no
name on the chip: it is given by position there. MicroPython knows no `/` for that."""

import io
import select
import time

import micropython
import pc
import soc

_wire = None
_wire_fd = -1


def _connect(fd):
    global _wire, _wire_fd
    _wire = open(fd, "r+b")
    _wire_fd = fd


class UART(io.IOBase):
    # All UARTs of the chip end at the one terminal; the firmware opens only one of them.
    def __init__(self, _id, *args, **kw):
        if not 0 <= _id < soc.UARTS:
            raise ValueError("UART(%d) does not exist" % _id)
        self._repl = _id == soc.REPL_UART
        self.readinto = _wire.readinto
        self.read = _wire.read
        self.readline = _wire.readline
        self.write = _wire.write
        self._init(*args, **kw)
        # What came in before the driver was there is lost, as on the chip.
        while _wire.read(64):
            pass

    def init(self, *args, **kw):
        self.flush()
        self._init(*args, **kw)

    def _init(self, baudrate=0, bits=0, parity=-1, stop=0, **kw):
        for name in kw:
            if b" %s " % name not in soc.UART_OPTIONS:
                raise TypeError("extra keyword arguments given")
        if self._repl and (kw.get("rxbuf", 256) != 256 or kw.get("txbuf", 256) != 256):
            raise ValueError("REPL UART buffer size is fixed")
        if bits and not 5 <= bits <= 8:
            raise ValueError("invalid data bits")
        if not 0 <= stop <= 2:
            raise ValueError("invalid stop bits")
        if soc.BUFFER_ON_HEAP and "rxbuf" in kw:
            self._buffer = bytearray(kw["rxbuf"] + 1)  # nothing is in it here, but it takes its place
        pins = [kw[name] for name in ("tx", "rx", "rts", "cts") if isinstance(kw.get(name), int)]
        pc.ask("uart", baudrate, bits, parity, stop, kw.get("flow", -1), *pins)

    def ioctl(self, request, argument):
        # 10 asks for the descriptor, which select.poll then waits on itself.
        return _wire_fd if request == 10 else -1

    def any(self):
        poll = select.poll()
        poll.register(_wire, select.POLLIN)
        return 1 if poll.poll(0) else 0

    def txdone(self):
        return pc.ask("txdone")

    def flush(self):
        while not self.txdone():
            time.sleep_ms(1)


def _given(value):
    return () if value is ... else (value,)


class RTC:
    # The firmware asks this clock alone: `time.time()` would be the PC's, which is not to be set.
    def datetime(self, _value=...):
        return pc.ask("rtc", *_given(_value))


class _PinNumber:
    def __init__(self, number):
        self._number = number

    def value(self, _level=...):
        return pc.ask("pin", self._number, None, *_given(_level))

    __call__ = value


class _Pin:
    # An object in place of a class, because a class would hold its constants in a dictionary.
    def __call__(self, _id, mode=None, pull=-1, *, value=None):
        pc.ask("pin", _id, mode, *(() if value is None else (value,)))
        return _PinNumber(_id)

    def __getattr__(self, name):
        return pc.lookup(soc.PIN, name)


Pin = _Pin()


class _Registers:
    def __getitem__(self, address):
        return pc.ask("register", address)

    def __setitem__(self, address, value):
        pc.ask("register", address, value)


mem32 = _Registers()


class Timer:
    # A thread that sleeps, and then has MicroPython call the callback as soon as it can, as the chips' ports do.
    ONE_SHOT, PERIODIC = 0, 1

    # On the ESP32 this takes what init() does, too, and on the ESP8266 it does not.
    def __init__(self, _id):
        pc.ask("timer", _id)
        self._runs = 0

    def init(self, *, mode=1, callback=None, period=0xFFFFFFFF, tick_hz=1000, freq=None, hard=False):
        import _thread

        ms = int(1000 / freq) if freq else period * 1000 // tick_hz
        if ms <= 0:
            raise ValueError("Timer period is too short for this timer")
        self.deinit()
        _thread.start_new_thread(self._wait, (self._runs, ms, mode, callback))

    def deinit(self):
        self._runs += 1

    def _wait(self, run, ms, mode, callback):
        due = time.ticks_add(time.ticks_ms(), ms)
        while self._runs == run:
            time.sleep_ms(20)
            if time.ticks_diff(time.ticks_ms(), due) >= 0:
                micropython.schedule(callback, self)
                if not mode:
                    break
                due = time.ticks_add(due, ms)


if soc.FLOW_CONTROL:
    UART.RTS, UART.CTS = soc.FLOW_CONTROL


def __getattr__(name):
    if name == "bootloader" and not pc.ask("has_loader"):
        raise AttributeError(name)
    return pc.lookup(soc.MACHINE, name)
