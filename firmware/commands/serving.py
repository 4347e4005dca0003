"""The part of the TCP/IP chapter about the server: CIPSERVER, CIPSERVERMAXCONN, CIPSTO.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from micropython import const

from firmware.at.command import command
from firmware.at.messages import ATError

_PORT = const(333)


@command("AT+CIPSERVER", "mode:0..1, param2:0..65535?, type:TCP|TCPv6|SSL|SSLv6?, ca:0..1?, netif:0..2?")
class Serve:
    """1: listens on a port (333). 0: stops; param2 1 closes the clients too. Only with CIPMUX=1. ca 1: the clients of
    a server of the kind SSL need a certificate."""

    def query(at):
        server = at.links.server
        if server and server.running():
            at.line('+CIPSERVER:1,%d,"%s",%d', server.port, server.kind, server.verifies)
        else:
            at.line("+CIPSERVER:0")

    def set(at, mode, param2, kind, ca, netif):
        server = server_of(at)
        if mode:
            kind = kind or "TCP"
            if not at.links.multiple or server.running() or param2 == 0 or (netif or 0) > 1:
                raise ATError()
            listen(at, _PORT if param2 is None else param2, kind, ca or 0)
            return
        if not server.running() or (param2 or 0) > 1 or kind or ca:
            raise ATError()
        server.stop()
        if param2:
            for link in server.clients():
                known = link.open  # the host has not heard of one whose TLS is not there yet
                link.close()
                if known:
                    at.port.write(at.reports.ended(link))


@command("AT+CIPSERVERMAXCONN", "number:1..5")
class Limit:
    """The most clients of the server at a time. To be set before it listens."""

    def query(at):
        at.line("+CIPSERVERMAXCONN:%d", server_of(at).limit)

    def set(at, number):
        server = server_of(at)
        if server.running():
            raise ATError()
        server.limit = number


@command("AT+CIPSTO", "time:0..7200")
class Silence:
    """Seconds after which a client of the server that has sent nothing is closed; 0 never."""

    def query(at):
        at.line("+CIPSTO:%d", server_of(at).silence)

    def set(at, time):
        server_of(at).watch(time)


def listen(at, port, kind, ca=0):
    """Starts the server, or raises ATError or OSError; `ca` says that its clients need certificates."""
    if kind.endswith("v6") and not at.ipv6:
        raise ATError()
    context = None
    if kind.startswith("SSL"):
        from firmware import tls

        context = tls.listen(at, ca)
    elif ca:
        raise ATError()
    server_of(at).start(port, kind, context, ca)


def server_of(at):
    """The server, made when a command first asks for it."""
    if not at.links.server:
        from firmware.net.server import Server

        def accepted(link):
            at.reports.prepare(link)
            if at.reports.tunnel:
                at.reports.tunnel.found(link)
                return
            at.reports.text(at.reports.connected(link))
            link.resume()

        def refused(number):
            if at.reports.tunnel:  # what the host gets there comes from its link alone
                return
            at.reports.text(b"Have %d Connections\r\n" % number)

        at.links.server = Server(at.links, accepted, refused)
    return at.links.server
