"""ESP32 family: pins and UART as stock ESP-AT has them, buffers for about 100 KiB of heap.
The values may be changed by name in /board.json."""

import os

import machine
import network

CHIP = "ESP32"
FAMILY = "esp32"  # in bundles and on servers
COMPAT = "4.1.0.0"  # what AT+GMR claims: some drivers refuse an ESP32 below 3.2
DIALECT = 4  # the major version of ESP-AT whose bytes it speaks

UART = 1  # "usb": what MicroPython's prompt has, in place of one, see esp32_usb.py
TX, RX, RTS, CTS = 17, 16, 14, 15
# The same on the other chips, for the S3 of our own choice, as stock ESP-AT has no S3. Its 19 and 20 for RTS and CTS of
# the S2 are the pins of the USB, where MicroPython's prompt is.
PINS = {
    "ESP32C2": (7, 6, 4, 5),
    "ESP32C3": (7, 6, 4, 5),
    "ESP32C5": (23, 24, 26, 25),
    "ESP32C6": (7, 6, 4, 5),
    "ESP32S2": (17, 21, 15, 16),
    "ESP32S3": (17, 18, 15, 16),
}
# Where an ESP32 has its flash or its SPIRAM at the pins 16 and 17: the PICO, and modules such as the WROVER.
_ELSEWHERE = 22, 19, 14, 15
BAUD = 115200
BAUD_MAX = 5000000
FLOW_CONTROL = True
# The driver's write() waits while its buffer is full, so it has a large one. Small pieces would not help: Wi-Fi is
# another task here, which runs while this one waits.
TX_BUFFER = 4096
RX_BUFFER = 4096
WRITE_BURST = 4096

SEND_MAX = 8192  # bytes of one AT+CIPSEND
PIECE = 4096  # bytes of each piece of memory that they are taken into
IPD_MAX = 1460  # bytes of one +IPD
UDP_MAX = 4096  # bytes of a datagram that is received whole
WINDOW = 5760  # bytes that a link keeps in passive receive mode
WINDOWS = 28800  # and all of them together
GARBAGE = -1  # bytes that are collected at the latest: as many as there is memory for
TLS_ON_HEAP = False  # mbedTLS has memory elsewhere
IPV6 = False  # the port gives a program no addresses of it; the simulator can have it, for trial
# 802.11 b, g, n and long range: as AT+CWSTAPROTO has them, as the port has them.
PROTOCOLS = ((1, 1), (3, 3), (7, 7), (8, 8), (9, 9), (11, 11), (15, 15))
STATIONS = 0  # on the softAP: as many as the host says
BLOCK = 2920  # bytes that passthrough sends at a time
ROM_SLOTS = False  # whether updates go into halves of the ROMFS partition
DNS_PORT = 53
NTP_PORT = 123
RF_MAX = 78  # in units of 0.25 dBm; an ESP32-C3 sends with up to 84
RF_LEVELS = None  # the port tells the level itself
SLEEP_MAX = 2147483647  # ms of deep sleep
SLEEPS_FOR_EVER = False  # what deep sleep of 0 ms means
SLEEPS_BY_ITSELF = True  # light sleep needs a call
NO_SLEEP = None  # the mode of AT+SLEEP that the port does not have
# Where the registers of the pins begin, and how many bytes they take.
REGISTERS = {
    "ESP32": 0x3FF44000,
    "ESP32S2": 0x3F404000,
    "ESP32S3": 0x60004000,
    "ESP32C3": 0x60004000,
    "ESP32C6": 0x60091000,
}
REGISTERS_SIZE = 0x600
# The first and the last pin of the flash, and of a PSRAM that is in the package; a chip that loses them stops.
FLASH_PINS = {
    "ESP32": (6, 11),
    "ESP32S2": (26, 32),
    "ESP32S3": (26, 37),
    "ESP32C3": (12, 17),
    "ESP32C6": (24, 30),
}
RTC_FRACTION = 1000000  # the last field of machine.RTC().datetime() counts microseconds

# The reasons of esp_wifi_types.h that status() passes on, as codes of +CWJAP.
JOIN_FAILURES = {
    network.STAT_NO_AP_FOUND: 3,
    network.STAT_WRONG_PASSWORD: 2,
    network.STAT_HANDSHAKE_TIMEOUT: 2,
    15: 2,  # 4-way handshake timeout, which is how WPA2 shows a wrong password
    network.STAT_BEACON_TIMEOUT: 4,
    network.STAT_ASSOC_FAIL: 4,
    2: 4,  # authentication expired
    39: 4,  # no answer in time
    210: 3,  # no network with a security that fits
    211: 3,  # none that reaches the threshold of the security
    212: 3,  # none that reaches the threshold of the signal
}


_held = None


def variant(name):
    """Takes the chip and its pins from what os.uname() calls the board, such as "TinyS3 with ESP32-S3-FN8": the chip is
    behind the last "with". Before MicroPython 1.29 most had no hyphen there."""
    global CHIP, TX, RX, RTS, CTS, FLOW_CONTROL
    model = name.split(" with ")[-1].replace("-", "")
    chip = model[:7]
    if chip in PINS:
        CHIP = chip
        TX, RX, RTS, CTS = PINS[chip]
    elif model[5:6] in "CHPS" and model[6:7].isdigit():
        # Another chip of the family: the port knows pins for TX and RX.
        CHIP = chip
        TX = RX = RTS = CTS = None
        FLOW_CONTROL = False
    elif "PICO" in model or _is_taken(TX):
        TX, RX, RTS, CTS = _ELSEWHERE


def _is_taken(pin):
    # A MicroPython for a board with SPIRAM does not have the pins of that.
    try:
        machine.Pin(pin)
    except ValueError:
        return True
    return False


def uart(settings):
    """The AT port's UART: baud, data bits, stop bits, parity, flow control as AT+UART_CUR numbers them."""
    os.dupterm(None)  # the prompt may have had it
    wires = {"tx": TX, "rx": RX, "rts": RTS, "cts": CTS}
    wires = {name: pin for name, pin in wires.items() if pin is not None}
    port = machine.UART(UART, txbuf=TX_BUFFER, rxbuf=RX_BUFFER, timeout=0, **wires)
    configure(port, settings)
    return port


def hold_port(on=True):
    """Holds the port of mDNS, or lets it go. Whenever the station gets an address, MicroPython's own responder takes it
    for itself alone (mdns_init() in ports/esp32/network_wlan.c), unless somebody has it: so this does from the start,
    for as long as AT+MDNS has no use for it."""
    global _held
    if not on and _held:
        _held.close()
        _held = None
    elif on and not _held:
        try:
            from firmware.net.mdns_port import bound

            _held = bound()
        except OSError:  # the station has been online since before the start, as from MicroPython's prompt
            pass
        except ImportError:  # half a firmware is there, and the prompt is what is wanted
            pass


def images():
    """The module for slots that may have an image of MicroPython of their own."""
    from firmware import slot_image

    return slot_image


def scan(loop, station):
    """Await it: the networks that the station finds, while the links go on."""
    from firmware.board import esp32_scan

    return esp32_scan.scan(loop, station)


def configure(port, settings):
    """Changes the line settings; ValueError or OSError for what the chip cannot do."""
    baud, bits, stop, parity, flow = settings
    port.init(
        baudrate=baud,
        bits=bits,
        parity=(None, 1, 0)[parity],
        stop=2 if stop == 3 else 1,
        flow=(machine.UART.RTS if flow & 1 else 0) | (machine.UART.CTS if flow & 2 else 0),
    )


def prompt(port=None):
    """Gives the AT port to MicroPython's prompt, which keeps UART0 as well."""
    os.dupterm(port or uart([BAUD, 8, 1, 0, 0]))
