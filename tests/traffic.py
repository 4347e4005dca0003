"""Both ends of heavy traffic: a host that sorts what the module says, and peers that move data by themselves.
The sums are those of the whole data, so that a byte lost, doubled or out of place shows."""

import hashlib
import random
import selectors
import threading

from module import LIMIT


def noise(count, seed):
    """So many bytes that do not repeat."""
    return random.Random(seed).randbytes(count)


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Host:
    """The host's end: `data[number]` is what has come from each link."""

    def __init__(self, module):
        self.module = module
        self.data = [bytearray() for _ in range(5)]
        self.order = []  # the link of each block

    def next(self, pattern=""):
        """Takes the next block of data, or what matches `pattern`; returns the match, None for data."""
        found = self.module.match(r"\r\n\+IPD,(?:(?P<link>\d),)?(?P<size>\d+):" + ("|" + pattern if pattern else ""))
        if not found["size"]:
            return found
        number = int(found["link"] or 0)
        self.data[number] += self.module.take(int(found["size"]))
        self.order.append(number)
        return None

    def until(self, pattern):
        """Takes data until the pattern matches; returns the match."""
        while True:
            found = self.next(pattern)
            if found:
                return found

    def take(self, number, count):
        """Takes data until so many bytes have come from a link."""
        while len(self.data[number]) < count:
            self.next()

    def send(self, number, data):
        """AT+CIPSEND with everything that belongs to it, and data in between."""
        self.begin(number, data)
        self.until(r"\r\nSEND OK\r\n")

    def begin(self, number, data):
        """As send(), but does not wait for SEND OK."""
        self.module.send(f"AT+CIPSEND={number},{len(data)}")
        self.until(r"\r\nOK\r\n\r\n>")
        self.module.write(data)
        self.until(rf"\r\nRecv {len(data)} bytes\r\n")


class Mover(threading.Thread):
    """Sends `data` to the module and takes `count` bytes from it, both at once; then closes, if it shall."""

    def __init__(self, peer, data=b"", count=0, close=False):
        super().__init__(daemon=True)
        self.sock, self.data, self.count, self.close = peer.sock, memoryview(data), count, close
        self.received = bytearray()
        self.sock.setblocking(False)
        self.start()

    def run(self):
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ | selectors.EVENT_WRITE)
            while self.data or len(self.received) < self.count:
                wanted = (self.data and selectors.EVENT_WRITE) | selectors.EVENT_READ if self.data else 1
                selector.modify(self.sock, wanted)
                for _, events in selector.select(LIMIT):
                    if events & selectors.EVENT_READ:
                        got = self.sock.recv(65536)
                        if not got:
                            return
                        self.received += got
                    if events & selectors.EVENT_WRITE and self.data:
                        self.data = self.data[self.sock.send(self.data[:65536]) :]
        if self.close:
            self.sock.close()

    def finish(self):
        """Waits until all has been moved; returns what came from the module."""
        self.join(LIMIT)
        assert not self.is_alive() and not self.data, f"{len(self.data)} bytes were not sent"
        assert len(self.received) == self.count
        return bytes(self.received)
