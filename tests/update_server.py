"""A web server on loopback with bundles for updates, over TCP or TLS: a good one, unless a test tells it otherwise.
It answers ranges as servers of static files do, also those that only hold while the file is the same (If-Range)."""

import contextlib
import hashlib
import socket
import struct
import threading

from module import LIMIT
from mpyat import bundle

_REASONS = {200: "OK", 206: "Partial Content", 404: "Not Found", 416: "Range Not Satisfiable"}
_DATE = "Mon, 02 Nov 2026 10:00:00 GMT"


class UpdateServer:
    """Serves `files`, {path: bytes}, each connection in a thread; with an ssl.SSLContext by TLS.

    requests: (path, {name in small letters: value}) of all requests so far. url: where it is."""

    def __init__(self, context=None, address="127.0.0.1", host=None):
        self.files, self.requests = {}, []
        self._context, self._plans, self._open = context, [], set()
        self._seen, self._released = threading.Condition(), threading.Event()
        self._listener = socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://{host or address}:{self.port}"
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def publish(self, data, version="9.0.0", board="esp32", name="ota", file=None):
        """Puts a bundle, and its line in the index, where the firmware looks for it, whatever it says itself."""
        file = file or f"{name}-{version}-{board}.atb"
        folder = f"/{name}/{board}"
        self.files[f"{folder}/{file}"] = data
        lines = self.files.get(f"{folder}/versions", b"").decode().splitlines()
        lines = [line for line in lines if line.split()[0] != version] + [f"{version} {len(data)} {file}"]
        lines.sort(key=lambda line: bundle.numbers(line.split()[0]))
        self.files[f"{folder}/versions"] = "".join(f"{line}\n" for line in lines).encode()

    def next(self, end=".atb", times=1, **plan):
        """What is done with the next requests, one after the other, for paths with this end; see _Answer."""
        self._plans += [(end, plan)] * times

    def forget(self):
        """Nothing special with the next requests, after all."""
        self._plans.clear()

    def release(self):
        """Lets the answers go on that stall."""
        self._released.set()

    def wait(self, count, end=""):
        """Waits until there were so many requests for paths with this end; returns their headers."""
        with self._seen:
            assert self._seen.wait_for(lambda: len(self.asked(end)) >= count, LIMIT), self.requests
        return self.asked(end)

    def asked(self, end=""):
        """The headers of the requests so far for paths with this end."""
        return [headers for path, headers in self.requests if path.endswith(end)]

    def ranges(self, end=".atb"):
        """The ranges that were asked for, None for requests of all."""
        return [headers.get("range") for headers in self.asked(end)]

    def close(self):
        self.release()
        # Only when nobody waits at it any more: its number may be that of another server at once, and the thread would
        # then answer for that one.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self._serve, args=self._listener.accept()[:1], daemon=True).start()

    def _serve(self, sock):
        sock.settimeout(LIMIT)
        self._open.add(sock)
        with contextlib.suppress(OSError):
            if self._context:
                self._open.discard(sock)
                sock = self._context.wrap_socket(sock, server_side=True)
                self._open.add(sock)
            # One request for each connection, unless the answer keeps it.
            while self._answer(sock):
                pass
        self._open.discard(sock)
        sock.close()

    def _answer(self, sock):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = sock.recv(1)
            if not byte:
                return False
            head += byte
        line, *rest = head.decode("latin-1").split("\r\n")[:-2]
        method, path, protocol = line.split(" ")
        assert (method, protocol) == ("GET", "HTTP/1.1"), line
        headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in rest)}
        with self._seen:
            plan = next((plan for plan in self._plans if path.endswith(plan[0])), ("", {}))
            if plan in self._plans:
                self._plans.remove(plan)
            self.requests.append((path, headers))
            self._seen.notify_all()
        return _Answer(self, headers, self.files.get(path), **plan[1]).send(sock)

    def stall(self):
        """Waits until the test lets the answers go on."""
        self._released.wait(LIMIT)


class _Answer:
    """An answer to one request. What a plan may say:

    protocol, status, headers: others than the usual ones; a header that is None is left out.
    body: others than the file's bytes. ranges=False: all of it, whatever was asked for.
    chunked: in chunks of so many bytes, with an extension on each and a trailer behind the last one.
    bare: neither a length nor chunks: the end of the connection is the end.
    keep: the connection stays open afterwards.
    raw: these bytes, or one piece after the other of an iterator, are the whole answer.
    drop: the connection ends after so many bytes of the body as it is on the wire; with reset=True by RST.
    stall: the answer stops after so many bytes, until the server is told to release it.
    pieces: what is sent at once."""

    def __init__(self, server, asked, data, status=None, headers=(), body=None, ranges=True, **how):
        self._server, self._how = server, how
        self._status, body, found = self._contents(asked, data if body is None else body, ranges)
        self._status = status or self._status
        if how.get("chunked"):
            found["Transfer-Encoding"] = "chunked"
            size = how["chunked"]
            parts = [body[at : at + size] for at in range(0, len(body), size)]
            body = b"".join(b'%X;note="a\\"b"\r\n%b\r\n' % (len(part), part) for part in parts)
            body += b"0;last\r\nX-Check: some\r\nX-More: 1\r\n\r\n"
        elif not how.get("bare"):
            found["Content-Length"] = len(body)
        found["Connection"] = "keep-alive" if how.get("keep") else "close"
        found |= dict(headers)
        self._head = f"{how.get('protocol', 'HTTP/1.1')} {self._status} {_REASONS.get(self._status, 'Other')}\r\n"
        self._head += "".join(f"{name}: {value}\r\n" for name, value in found.items() if value is not None)
        self._body = body

    def _contents(self, asked, data, ranges):
        """Status, body and headers for what was asked for."""
        if data is None:
            return 404, b"not here\n", {}
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        found = {"Server": "loopback", "ETag": tag, "Last-Modified": _DATE, "Content-Type": "application/octet-stream"}
        begin = asked.get("range", "").removeprefix("bytes=").removesuffix("-")
        if not ranges or not begin.isdigit() or asked.get("if-range", tag) not in (tag, _DATE):
            return 200, data, found
        if int(begin) >= len(data):
            return 416, b"", {"Content-Range": f"bytes */{len(data)}"}
        found["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        return 206, data[int(begin) :], found

    def send(self, sock):
        """Sends it; returns whether another request may come."""
        if "raw" in self._how:
            raw = self._how["raw"]
            for piece in [raw] if isinstance(raw, bytes) else raw:
                sock.sendall(piece)
            return False
        sock.sendall(self._head.encode() + b"\r\n")
        stall, drop = (self._how.get(name, len(self._body) + 1) for name in ("stall", "drop"))
        end = min(drop, len(self._body))
        self._send_body(sock, 0, min(stall, end))
        if stall < end:
            self._server.stall()
            self._send_body(sock, stall, end)
        if drop > len(self._body):
            return self._how.get("keep", False)
        if self._how.get("reset"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _send_body(self, sock, at, end):
        size = self._how.get("pieces", 4096)
        for begin in range(at, end, size):
            sock.sendall(self._body[begin : min(begin + size, end)])


def endless_headers():
    """An answer whose head never ends."""
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"X-Another: header\r\n" * 20


def endless_header():
    """One whose header never ends."""
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    while True:
        yield b"a" * 400
