"""ESP8266: UART0, no flow control, buffers for a heap of 38 KiB.
The values may be changed by name in /board.json."""

import os

import machine
import micropython
import network

CHIP = "ESP8266"
FAMILY = "esp8266"  # in bundles and on servers
COMPAT = "2.3.0.0"  # what AT+GMR claims
DIALECT = 2  # the major version of ESP-AT whose bytes it speaks

UART = 0
TX, RX = 1, 3  # the others that UART0 can have are 15 and 13, as stock ESP-AT has it
BAUD = 115200
BAUD_MAX = 4500000
# The port's machine.UART has no RTS and CTS.
FLOW_CONTROL = False
RX_BUFFER = 1024
# write() fills the UART's FIFO byte by byte and waits for it, so pieces are small.
WRITE_BURST = 128

SEND_MAX = 2048  # bytes of one AT+CIPSEND
PIECE = 256  # bytes of each piece of memory that they are taken into
IPD_MAX = 1460  # bytes of one +IPD
UDP_MAX = 1472  # bytes of a datagram that is received whole
WINDOW = 2560  # bytes that a link keeps in passive receive mode; stock has 5760, which the heap has not
WINDOWS = 2560  # and all of them together
# Bytes of garbage that are collected at the latest: with more of it what stays would lie all over the heap, and no
# large piece would be left.
GARBAGE = 2048
TLS_ON_HEAP = True  # axTLS has no memory of its own
IPV6 = False  # the port's lwIP is built without it
# 802.11 b, g and n: as AT+CWSTAPROTO has them, as the port has them.
PROTOCOLS = ((1, 1), (3, 2), (7, 3))
STATIONS = 4  # on the softAP: the SDK's number, which the port cannot change
BLOCK = 1460  # bytes that passthrough sends at a time
ROM_SLOTS = True  # whether updates go into halves of the ROMFS partition, if the firmware is there
DNS_PORT = 53
NTP_PORT = 123
RF_MAX = 82  # in units of 0.25 dBm
RF_LEVELS = (82, 78, 74, 68, 64, 56, 48, 32)
SLEEP_MAX = 4294967  # ms of deep sleep, which the port counts in us, in 32 bits
SLEEPS_FOR_EVER = True  # what deep sleep of 0 ms means
SLEEPS_BY_ITSELF = False  # light sleep is a matter of the SDK
NO_SLEEP = 3  # the mode of AT+SLEEP that the port does not have
# Where the registers of the pins begin, and how many bytes they take.
REGISTERS = {"ESP8266": 0x60000300}
REGISTERS_SIZE = 0x100
FLASH_PINS = {"ESP8266": (6, 11)}  # the first and the last
RTC_FRACTION = 1000  # the last field of machine.RTC().datetime() counts milliseconds

JOIN_FAILURES = {
    network.STAT_NO_AP_FOUND: 3,
    network.STAT_WRONG_PASSWORD: 2,
    network.STAT_CONNECT_FAIL: 4,
}


def uart(settings):
    """The AT port's UART: baud, data bits, stop bits, parity, flow control as AT+UART_CUR numbers them."""
    # UART0 is also MicroPython's prompt: that has to let go of it, and Ctrl-C is data.
    os.dupterm(None, 1)
    micropython.kbd_intr(-1)
    port = machine.UART(UART, settings[0], rxbuf=RX_BUFFER, timeout=0)
    configure(port, settings)
    return port


def configure(port, settings):
    """Changes the line settings; ValueError or OSError for what the chip cannot do."""
    baud, bits, stop, parity, _ = settings
    port.init(baudrate=baud, bits=bits, parity=(None, 1, 0)[parity], stop=2 if stop == 3 else 1, **_pins(TX, RX))


def _pins(tx, rx):
    # Without them each init() goes back to the usual pins.
    return {"tx": machine.Pin(tx), "rx": machine.Pin(rx)} if TX != 1 else {}


def prompt(port):
    """Gives the AT port back to MicroPython's prompt, for which Ctrl-C is no data. After a new start
    that is on the usual pins, so it is there from now on."""
    port.init(**_pins(1, 3))
    micropython.kbd_intr(3)
    os.dupterm(port, 1)
