"""The part of the TCP/IP chapter about the server: CIPSERVER, CIPSERVERMAXCONN, CIPSTO.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from micropython import const

from firmware.at.command import command
from firmware.at.messages import ATError

_PORT = const(333)


@command("AT+CIPSERVER", "mode:0..1, param2:0..65535?, type:TCP|TCPv6|SSL|SSLv6?, ca:0..1?, netif:0..2?")
class Serve:
    """1: listens on a port (333). 0: stops; param2 1 closes the clients too. Only with CIPMUX=1. ca 1: the clients of
    a server of the kind SSL need a certificate. netif 1: serves those on the station's network alone, 2: on that of the
    softAP; who comes from elsewhere is closed."""

    def query(at):
        server = at.links.server
        if not server or not server.running():
            at.line("+CIPSERVER:0")
        elif at.board.DIALECT < 4:
            at.line('+CIPSERVER:1,%d,"%s",%d', *server.place[:3])
        else:
            at.line('+CIPSERVER:1,%d,"%s",%d,%d', *server.place)

    def set(at, mode, param2, kind, ca, netif):
        server = at.links.server
        if mode:
            place = _PORT if param2 is None else param2, kind or "TCP", ca or 0, netif or 0
            if not at.links.multiple or param2 == 0:
                raise ATError()
            if server and server.running():
                if at.board.DIALECT < 4 and place == server.place:
                    return  # ESP-AT 2.x takes it twice
                raise ATError()
            listen(at, *place)
            return
        if (param2 or 0) > 1 or kind or ca or netif:
            raise ATError()
        if not server:
            return
        if server.running():
            server.stop()
        if param2:
            for link in server.clients():
                known = link.open and at.reports.ended(link)  # the host has not heard of one whose TLS is not there yet
                link.close()
                if known:
                    at.port.write(known)


@command("AT+CIPSERVERMAXCONN", "number:1..5")
class Limit:
    """The most clients of the server at a time. To be set before it listens."""

    def query(at):
        at.line("+CIPSERVERMAXCONN:%d", server_of(at).limit)

    def set(at, number):
        server = server_of(at)
        # Where CIPMODE=1 holds for the one client, there are to be no others.
        if server.running() or (number > 1 and at.reports.raw):
            raise ATError()
        server.limit = number


@command("AT+CIPSTO", "time:0..7200")
class Silence:
    """Seconds after which a client of the server is closed that has sent nothing, and was sent nothing; 0 never."""

    def query(at):
        at.line("+CIPSTO:%d", server_of(at).silence)

    def set(at, time):
        server_of(at).watch(time)


def listen(at, *place):
    """Starts the server, or raises ATError or OSError; `place` is as Server.start() has it."""
    _, kind, ca, _ = place
    if kind.endswith("v6") and not at.ipv6:
        raise ATError()
    context = None
    if kind.startswith("SSL"):
        from firmware import tls

        context = tls.listen(at, ca)
    elif ca:
        raise ATError()
    server_of(at).start(place, context)


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

        def on_softap(ip):
            return bool(at.radio.mode & 2 and at.on_softap(ip))

        at.links.server = Server(at.links, accepted, refused, on_softap)
    return at.links.server
