"""The other ends of TLS links: Python's ssl, which is OpenSSL, on loopback; and what a module needs to know first."""

import contextlib
import socket
import ssl
import threading
import time

from module import LIMIT
from peers import Peer

KINDS = ("cert", "key", "ca")


class TLSPeer(Peer):
    """A TLS server on loopback with one connection at a time; `context` is an ssl.SSLContext."""

    def __init__(self, context, address="127.0.0.1"):
        super().__init__(address)
        self.context = context

    def accept(self, receive_buffer=0):
        """Takes the next connection, and makes TLS of it; ssl.SSLError if the module does not want that."""
        plain = super().accept(receive_buffer)
        try:
            self.sock = self.context.wrap_socket(plain, server_side=True, suppress_ragged_eofs=True)
        except (ssl.SSLError, ConnectionError):
            plain.close()
            raise
        return self.sock


@contextlib.contextmanager
def accepting(peer):
    """Takes all connections that come meanwhile, and keeps them open: the list of those whose handshake was done."""
    socks = []

    def accept():
        while True:
            try:
                socks.append(peer.accept())
            except (ssl.SSLError, ConnectionError):
                pass
            except OSError:  # the listener is at its end
                return

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield socks
    finally:
        peer.listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        for sock in socks:
            sock.close()


def serving(folder, certificate, authority=None, weak=False):
    """The context of a server; with `authority` its clients need a certificate by that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if weak:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(*certificate.files(folder))
    if authority:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=authority.root.pem.decode())
    return context


def asking(folder, authority, certificate=None, weak=False):
    """The context of a client that verifies the module, and may show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if weak:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_verify_locations(cadata=authority.root.pem.decode())
    if certificate:
        context.load_cert_chain(*certificate.files(folder))
    return context


def put(module, name, data):
    """Writes a file of the certificate store, such as client_ca.0."""
    module.send(f'AT+SYSMFG=2,"{name.split(".")[0]}","{name}",8,{len(data)}')
    module.expect("⏎OK⏎⏎>")
    module.write(data)
    module.expect("⏎OK⏎")


def set_clock(module):
    module.command(f"AT+SYSTIMESTAMP={int(time.time())}")


def prepare(module, authority):
    """Gives the module the time, a client's certificate, and the authority for the server's."""
    set_clock(module)
    put(module, "client_ca.0", authority.root.pem)
    put(module, "client_cert.0", authority.client.pem)
    put(module, "client_key.0", authority.client.private())


def closed(sock):
    """Waits until the module has closed its end."""
    sock.settimeout(LIMIT)
    try:
        rest = sock.recv(100)
    except ssl.SSLEOFError:  # without close_notify
        return
    assert not rest, rest
