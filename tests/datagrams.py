"""A UDP server on loopback that a test drives: it takes a question, and answers when the test says so.
What it answers is up to the protocols that build on it."""

import socket

from module import LIMIT


class DatagramServer:
    """`ip` is an address of 127.0.0.0/8 or ::1; servers that share a port differ in it."""

    def __init__(self, ip="127.0.0.1", port=0):
        self.sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((ip, port))
        self.sock.settimeout(LIMIT)
        self.ip, self.port = self.sock.getsockname()[:2]
        self.question = self.client = None

    def send(self, packet):
        """To whom the last question came from."""
        self.sock.sendto(packet, self.client)

    def idle(self):
        """Whether nobody has asked since the last question; does not wait for one."""
        self.sock.setblocking(False)
        try:
            self.sock.recv(512)
        except BlockingIOError:
            return True
        finally:
            self.sock.settimeout(LIMIT)
        return False

    def close(self):
        self.sock.close()


def network(folder, *settings):
    """Writes a file for --wifi with the default network and more settings, a line each; returns its path."""
    path = folder / "wifi.toml"
    path.write_text("\n".join(("[[ap]]", 'ssid = "mpy-at"', 'password = "12345678"', *settings, "")))
    return path
