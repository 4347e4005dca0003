"""What `make bench` measures and compares: each carries bytes between a terminal and a TCP connection.
All have the same two ends, so that what differs is what stands between them."""

import concurrent.futures
import contextlib
import datetime
import os
import pty
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import tty
from pathlib import Path

from .against import TODAY
from .bench_cpu import Samples, Ticks

_BARE = Path(__file__).resolve().parent / "bare"
LIMIT = 30  # seconds; only ever reached when something is broken
# What all carry TLS with, so that the same is done by each of them: the best that TLS 1.2 has for the chips.
_CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"


class BenchError(Exception):
    """A measurement that could not be made; the message is one line."""


class Terminal:
    """The host's end of a terminal, a descriptor that does not block."""

    def __init__(self, fd):
        self.fd = fd
        tty.setraw(fd)
        os.set_blocking(fd, False)

    def write(self, data):
        """All of the data; waits until they are taken."""
        data = memoryview(data)
        while data:
            self._wait(write=True)
            data = data[os.write(self.fd, data) :]

    def read(self):
        """What has come; waits until there is something."""
        self._wait()
        return os.read(self.fd, 65536)

    def take(self, count):
        """Waits for so many bytes; returns them, and whatever came with them."""
        data = self.read()
        while len(data) < count:
            data += self.read()
        return data

    def until(self, end):
        """Reads until the bytes that came end in `end`; returns them."""
        data = b""
        while not data.endswith(end):
            data += self.read()
        return data

    def command(self, line, end=b"\r\nOK\r\n"):
        self.write(line.encode() + b"\r\n")
        data = b""
        while not data.endswith(end):
            data += self.read()
            if data.endswith(b"\r\nERROR\r\n"):
                raise BenchError(f"{line} is an ERROR")
        return data

    def _wait(self, write=False):
        ready = select.select([] if write else [self.fd], [self.fd] if write else [], [], LIMIT)
        if not any(ready):
            raise BenchError("the other end of the terminal says nothing")

    def close(self):
        os.close(self.fd)


class Subject:
    """Something that stands between a terminal and a TCP connection, in a process of its own.

    `terminal` and `sock` are the two ends once open() has returned; user() is what the process has used. With `tls`
    the connection is one of TLS."""

    name = ""
    tls = False

    def __init__(self):
        self.terminal = self.sock = None
        self.environment = {}  # what is added to that of its process
        self.errors = None  # where it complains, if not here
        self._pid = 0
        self._meter = None
        self._cleanup = contextlib.ExitStack()

    def __enter__(self):
        with self._cleanup:
            self.listener = self._cleanup.enter_context(socket.create_server(("127.0.0.1", 0)))
            self.listener.settimeout(LIMIT)
            if self.tls:
                self.listener = self._cleanup.enter_context(_tls(self.listener))
            self.open(self.listener.getsockname()[1])
            self._cleanup = self._cleanup.pop_all()
        return self

    def __exit__(self, *_):
        self._cleanup.close()

    def open(self, port):
        """Starts it, connected to a port of 127.0.0.1."""
        raise NotImplementedError

    def accept(self):
        sock = self.listener.accept()[0]
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(LIMIT)
        self._cleanup.callback(sock.close)
        return sock

    def user(self):
        """Seconds of CPU that the process has spent in user mode, since this was asked for the first time."""
        if not self._meter:
            try:
                self._meter = Samples(self._pid)
            except OSError:
                self._meter = Ticks(self._pid)
            self._cleanup.callback(self._meter.close)
        return self._meter.seconds()

    def end(self):
        """Ends the process that is looked at, and no other; returns its number."""
        os.kill(self._pid, signal.SIGTERM)
        return self._pid

    def _start(self, command, **options):
        try:
            process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, **options)
        except OSError as error:
            raise BenchError(f"{command[0]}: {error.strerror}") from None
        self._cleanup.callback(process.wait)
        self._cleanup.callback(process.terminate)
        self._pid = process.pid
        return process

    def _pair(self):
        """A terminal: sets the host's end, returns the other one, which does not block."""
        other, end = pty.openpty()
        self.terminal = Terminal(end)
        self._cleanup.callback(self.terminal.close)
        self._cleanup.callback(os.close, other)
        os.set_blocking(other, False)
        return other


class Firmware(Subject):
    """The firmware in the simulator, in passthrough. `options` are atsim's, which is the version's own."""

    name = TODAY.name

    def __init__(self, *options, version=TODAY):
        super().__init__()
        self._options, self._version = options, version
        self.name = version.name

    def open(self, port):
        self.start()
        self.connect(port)

    def start(self):
        atsim = self._start(
            [sys.executable, "-m", "mpyat.simulator", *self._options],
            stdout=subprocess.PIPE,
            text=True,
            stderr=self.errors,
            env=self._version.environment | self.environment,
        )
        path = atsim.stdout.readline().removeprefix("AT port: ").strip()
        self._cleanup.callback(atsim.stdout.close)
        if not path:
            raise BenchError("atsim did not start")
        self.terminal = Terminal(os.open(path, os.O_RDWR | os.O_NOCTTY))
        self._cleanup.callback(self.terminal.close)
        self.terminal.until(b"ready\r\n")
        children = Path(f"/proc/{atsim.pid}/task/{atsim.pid}/children").read_text().split()
        self._pid = int(children[0])  # the chip; what atsim itself does is not part of the firmware
        self.terminal.command("ATE0")
        self.terminal.command('AT+CWJAP="mpy-at","12345678"')

    def connect(self, port):
        """Into passthrough, in which each chunk goes at once."""
        kind = "SSL" if self.tls else "TCP"
        with concurrent.futures.ThreadPoolExecutor() as pool:  # TLS needs both ends at the same time
            accepted = pool.submit(self.accept)
            self.terminal.command(f'AT+CIPSTART="{kind}","127.0.0.1",{port}')
            self.sock = accepted.result()
        for line in ("AT+CIPMODE=1", "AT+TRANSINTVL=0"):
            self.terminal.command(line)
        self.terminal.command("AT+CIPSEND", b">")

    def allocated(self):
        """Bytes of the heap that are in use, garbage included."""
        found = re.search(rb"\+BENCHMEM:(\d+)", self.terminal.command("AT+BENCHMEM?"))
        return int(found[1])


class ATPort(Firmware):
    """The firmware at its AT port, joined and without a link."""

    def open(self, port):
        self.start()


class Bare(Subject):
    """A loop in MicroPython that polls, reads and writes, and does nothing else."""

    name = "bare MicroPython"

    def __init__(self, script="passthrough.py", micropython=None):
        super().__init__()
        self._script = script
        self._micropython = [micropython] if micropython else [sys.executable, "-m", "micropython_unix"]

    def open(self, port):
        fd = self._pair()
        command = [*self._micropython, _BARE / self._script, fd, port]
        self._start(command, pass_fds=[fd], env=os.environ | self.environment)
        if "passthrough" in self._script:
            self.sock = self.accept()


class Socat(Subject):
    """The usual tool for this on a PC."""

    name = "socat"

    @staticmethod
    def there():
        return shutil.which("socat") is not None

    def open(self, port):
        fd = self._pair()
        os.set_blocking(fd, True)
        peer = f"OPENSSL:127.0.0.1:{port},verify=0,nodelay" if self.tls else f"TCP:127.0.0.1:{port},nodelay"
        self._start(["socat", f"FD:{fd}", peer], pass_fds=[fd])
        self.sock = self.accept()


class Redirect(Subject):
    """A serial port carried to TCP with pyserial, in two threads, as its example for that does it."""

    name = "pyserial"

    def open(self, port):
        master, slave = pty.openpty()
        path = os.ttyname(slave)
        self.terminal = Terminal(master)
        self._cleanup.callback(self.terminal.close)
        self._cleanup.callback(os.close, slave)
        self._start([sys.executable, "-m", "mpyat.bench_redirect", path, port])
        self.sock = self.accept()


class TLSFirmware(Firmware):
    """The firmware with a link of the kind SSL, in passthrough."""

    tls = True


class TLSATPort(ATPort):
    """The same, for links of the kind SSL."""

    tls = True


class TLSBare(Bare):
    """As Bare, with MicroPython's `tls` on the connection."""

    tls = True

    def __init__(self, script="passthrough_tls.py", micropython=None):
        super().__init__(script, micropython)


class TLSSocat(Socat):
    """socat with OpenSSL."""

    tls = True


def _tls(listener):
    """A listener whose connections are TLS 1.2, by Python's ssl, which is OpenSSL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHER)
    context.options |= ssl.OP_NO_TICKET
    with tempfile.NamedTemporaryFile() as file:
        file.write(_certificate())
        file.flush()
        context.load_cert_chain(file.name)
    return context.wrap_socket(listener, server_side=True)


def _certificate():
    """A certificate that nobody verifies, and its key, in PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench")])
    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return builder.sign(key, hashes.SHA256()).public_bytes(pem) + key.private_bytes(pem, *private)
