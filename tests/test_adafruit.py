"""A host driver that nobody here wrote: Adafruit's ESP-AT library for CircuitPython, as PyPI has it.
It runs under CPython; stood in for are only CircuitPython's bytes, its modules for hardware, and the UART."""

import contextlib
import http.server
import os
import socket
import sys
import threading
import time
import types

import pytest
import serial
from module import LIMIT
from nameserver import Responder
from peers import Peer
from privileges import pings
from timeserver import TimeServer, seconds

SECRETS = types.MappingProxyType({"ssid": "mpy-at", "password": "12345678"})
BOARDS = pytest.mark.parametrize("board", ["esp32", "esp8266"])
# The driver takes its time, so what does not move much data runs on the board with little memory only.
SMALL = pytest.mark.parametrize("board", ["esp8266"])


class CircuitPythonBytes(bytes):
    """Bytes that may be asked whether they begin with a str, as the driver does."""

    def __add__(self, other):
        return CircuitPythonBytes(bytes(self) + other)

    def __radd__(self, other):
        return CircuitPythonBytes(other + bytes(self))

    def __getitem__(self, key):
        found = super().__getitem__(key)
        return CircuitPythonBytes(found) if isinstance(key, slice) else found

    def split(self, separator):
        return [CircuitPythonBytes(part) for part in super().split(separator)]

    def startswith(self, start):
        return super().startswith(start.encode() if isinstance(start, str) else start)


class UART:
    """busio.UART on a terminal.

    No more than a line is there at a time: the driver throws away what it reads together with SEND OK, which
    on a slow line is nothing."""

    def __init__(self, port):
        self._serial = serial.Serial(port, 115200, timeout=LIMIT)
        self._taken = b""

    @property
    def baudrate(self):
        return self._serial.baudrate

    @baudrate.setter
    def baudrate(self, baudrate):
        self._serial.baudrate = baudrate

    @property
    def in_waiting(self):
        self._taken += self._serial.read(self._serial.in_waiting)
        return self._taken.find(b"\n") + 1 or len(self._taken)

    def read(self, count):
        found, self._taken = self._taken[:count], self._taken[count:]
        return CircuitPythonBytes(found)

    def write(self, data):
        return self._serial.write(data)

    def reset_input_buffer(self):
        self._serial.reset_input_buffer()
        self._taken = b""

    def close(self):
        self._serial.close()


@pytest.fixture(scope="module")
def library():
    """The driver's modules: the control, its sockets, its manager with adafruit_requests."""
    hardware = {
        "digitalio": types.SimpleNamespace(DigitalInOut=None, Direction=None),
        "busio": types.SimpleNamespace(UART=UART),
        "micropython": types.SimpleNamespace(const=lambda value: value),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, module in hardware.items():
            patch.setitem(sys.modules, name, module)
        from adafruit_espatcontrol import (
            adafruit_espatcontrol,
            adafruit_espatcontrol_socket,
            adafruit_espatcontrol_wifimanager,
        )

        yield types.SimpleNamespace(
            control=adafruit_espatcontrol,
            socket=adafruit_espatcontrol_socket,
            manager=adafruit_espatcontrol_wifimanager,
        )


@pytest.fixture
def names():
    """A name server that knows two hosts."""
    responder = Responder({"host.example": ["127.0.0.1"], "time.example": ["127.0.0.1"]})
    yield responder
    responder.close()


@pytest.fixture
def clock():
    server = TimeServer()
    yield server
    server.close()


@pytest.fixture
def driver(start, library, names, clock, tmp_path, board):
    """A function that gives a driver of a module whose network has the test's servers."""
    ports = []

    def make():
        path = names.access_points(tmp_path, f"ntp_port = {clock.port}\n")
        module = start("--board", board, "--wifi", path, ready=False)
        module.close()
        ports.append(UART(module.port))
        return library.control.ESP_ATcontrol(ports[0], 115200)

    yield make
    for port in ports:
        port.close()


@pytest.fixture
def online(driver):
    """A driver that has joined the network."""
    esp = driver()
    esp.begin()
    esp.connect(SECRETS)
    return esp


@BOARDS
def test_begin_join_and_leave(driver):
    esp = driver()
    esp.begin()
    assert esp.version.startswith("AT version:")
    assert esp.status == 1
    assert not esp.is_connected
    assert ["mpy-at", -40] in [network[1:3] for network in esp.scan_APs()]
    esp.connect(SECRETS)
    assert esp.status == esp.STATUS_APCONNECTED
    assert esp.is_connected
    assert esp.mode == esp.MODE_STATION
    assert esp.remote_AP[0] == "mpy-at"
    assert esp.local_ip == "127.0.0.1"
    esp.connect(SECRETS)  # it finds that there is nothing to do
    esp.join_AP(SECRETS["ssid"], SECRETS["password"])
    esp.set_autoconnect(False)
    esp.set_autoconnect(True)
    esp.disconnect()
    assert not esp.is_connected
    assert esp.remote_AP == [None] * 4


@SMALL
def test_a_wrong_password(driver, library):
    esp = driver()
    esp.begin()
    with pytest.raises(library.control.OKError):
        esp.join_AP("mpy-at", "something else", retries=1)
    assert esp.status == esp.STATUS_NOTCONNECTED
    esp.connect(SECRETS)
    assert esp.is_connected


@BOARDS
def test_resets(driver, board):
    """There is no pin for a reset, so a hard one does nothing."""
    esp = driver()
    esp.begin()
    esp.connect(SECRETS)
    assert esp.soft_reset()
    esp.hard_reset()
    esp.begin()
    esp.factory_reset()
    esp.begin()
    # The network is forgotten, so nothing is joined.
    assert esp.status == 1


@SMALL
def test_names(online, library):
    assert online.nslookup("host.example") == "127.0.0.1"
    with pytest.raises(library.control.OKError):
        online.nslookup("nowhere.example")


@pings
@SMALL
def test_pings(online):
    assert online.ping("127.0.0.1") < 1000 * LIMIT
    assert online.ping("host.example") < 1000 * LIMIT
    assert online.ping("nowhere.example") is None


@BOARDS
@pytest.mark.parametrize("host", ["127.0.0.1", "host.example"])
def test_tcp(online, host):
    """All byte values, in blocks that are larger than one +IPD can be."""
    peer = Peer()
    with contextlib.closing(peer):
        assert online.socket_connect(online.TYPE_TCP, host, peer.port)
        peer.accept()
        assert online.status == online.STATUS_SOCKETOPEN
        for size in (1, 256, 2048):
            data = os.urandom(size)
            assert online.socket_send(data)
            assert peer.get(size) == data
            data = bytes(range(256)) * (size // 256 + 1)
            peer.sock.sendall(data)
            assert received(online, len(data)) == data
        online.socket_disconnect()
        peer.ended()
        assert online.status == online.STATUS_APCONNECTED


def received(esp, count):
    data = b""
    while len(data) < count:
        more = esp.socket_receive(timeout=LIMIT)
        assert more, f"only {len(data)} of {count} bytes came"
        data += more
    return data


@pytest.mark.roomy(reason="a PC's recvfrom() needs memory twice, and loses a datagram that does not fit")
@BOARDS
def test_udp(online):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(LIMIT)
        # What the driver takes for the keep-alive is the local port for UDP; its own 10 is not open to everybody.
        assert online.socket_connect(online.TYPE_UDP, "127.0.0.1", peer.getsockname()[1], keepalive=0)
        for size in (1, 256, 1460):
            data = os.urandom(size)
            assert online.socket_send(data)
            got, module = peer.recvfrom(2048)
            assert got == data
            peer.sendto(data[::-1], module)
            assert online.socket_receive(timeout=LIMIT) == data[::-1]
        online.socket_disconnect()


class Pages(http.server.BaseHTTPRequestHandler):
    """9,000 bytes of all values, to GET; what was POSTed, to POST. The connection stays open in between."""

    protocol_version = "HTTP/1.1"

    BODY = os.urandom(9000)

    def do_GET(self):
        self._answer(self.BODY)

    def do_POST(self):
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def web():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@BOARDS
def test_http(online, library, web):
    wifi = library.manager.ESPAT_WiFiManager(online, SECRETS)
    for host in ("127.0.0.1", "host.example"):
        url = f"http://{host}:{web.server_port}/page"
        wifi.set_conntype(url)
        answer = wifi.get(url)
        assert answer.status_code == 200
        assert answer.content == Pages.BODY
        answer.close()
    answer = wifi.post(url, data=b"a=1&b=2")
    assert answer.text == "a=1&b=2"
    answer.close()


@BOARDS
def test_time(online, clock):
    online.sntp_config(True, 8, "time.example")
    clock.asked()
    clock.answer(seconds(2031, 5, 6, 7, 8, 9))
    deadline = time.monotonic() + LIMIT
    while b"1970" in online.sntp_time and time.monotonic() < deadline:
        pass
    assert online.sntp_time.startswith(b"Tue May  6 15:08:")
    online.sntp_config(False)
