"""The part of the TCP/IP chapter about passthrough: CIPMODE, TRANSINTVL, CIPRECONNINTV, SAVETRANSLINK.
Manual: TCP-IP_AT_Commands.rst of espressif/esp-at, tag v2.3.0.0_esp8266, with what HEAD adds."""

from time import ticks_diff, ticks_ms

from micropython import const

from firmware import commands
from firmware.at import messages
from firmware.at.command import ALWAYS, STORE, command
from firmware.at.messages import ATError
from firmware.net.links import SERVER

# The mode of AT+SAVETRANSLINK in which clients connect.
_SERVER = const(3)
# Seconds of keep-alive, as with CIPSTART.
_LONGEST_ALIVE = const(7200)


@command("AT+CIPMODE", "mode:0..1")
class Mode:
    """1: data of the link come as they are, and CIPSEND without a length enters passthrough. With CIPMUX=1 only after
    CIPSERVERMAXCONN=1, for the one client of the server, and while there is no other link."""

    def query(at):
        at.line("+CIPMODE:%d", at.reports.raw)

    def set(at, mode):
        if mode and at.links.multiple:
            _serving(at)
        if mode:
            at.block  # noqa: B018  made by being asked for: later there may be no room for it in one piece
        at.reports.raw = bool(mode)


@command("AT+TRANSINTVL", "interval:0..1000")
class Interval:
    """Milliseconds after the last byte from the host until the bytes in passthrough are sent."""

    def query(at):
        at.line("+TRANSINTVL:%d", at.interval)

    def set(at, interval):
        at.interval = interval


@command("AT+CIPRECONNINTV", "interval:1..36000", saved=STORE)
class Reconnect:
    """Time between two attempts to connect again in passthrough, in units of 100 ms."""

    def query(at):
        at.line("+CIPRECONNINTV:%d", at.settings.get("CIPRECONNINTV", [1])[0])

    def set(at, interval):
        pass


@command(
    "AT+SAVETRANSLINK",
    "mode:0..1, host:text64?, port:1..65535?, type:TCP|TCPv6|UDP|UDPv6|SSL|SSLv6=TCP, option:0..65535=0",
    "mode:3..3, port:1..65535=333, type:TCP|TCPv6|SSL|SSLv6=TCP, ca:0..2=0, netif:0..2=0",
    saved=ALWAYS,
)
class Saved:
    """1: enters passthrough to this host at each start, without a word of the host; 3: to the client that connects to
    a port; 0: does not. The option is the keep-alive in seconds (0 to 7200), of UDP the local port (0: any)."""

    def set(at, mode, *values):
        if not mode:
            at.interpreter.keep(0)
        elif mode == _SERVER:
            return
        elif not values[0] or values[1] is None:
            raise ATError(messages.E_COUNT)
        elif values[3] > _LONGEST_ALIVE and not values[2].startswith("UDP"):
            raise ATError()


def _serving(at):
    """The server's one client, None before it has come; ATError where there may be other links."""
    server = at.links.server
    clients = server.clients() if server else []
    if not server or server.limit > 1 or len(clients) > 1:
        raise ATError()
    for link in at.links.table:
        if link and link not in clients:
            raise ATError()
    # One whose TLS is not there yet is told of later.
    return clients[0] if clients and clients[0].open else None


async def enter(at):
    """CIPSEND without a length: passthrough over the link that is open, or to the next client of the server."""
    if not at.reports.raw:
        raise ATError()
    link = _serving(at) if at.links.multiple else at.links.get(0)
    server = at.links.server
    if not link.fixed() if link else not server or not server.running():
        raise ATError()
    if link is None or link.role == SERVER:
        at.origin = None  # the next one is up to the clients
    elif link.datagrams:
        # The peer knows the module by its port, so that stays when the link is made anew.
        at.origin = list(at.origin)
        at.origin[3] = link.local_port
    if link:
        at.reports.need_buffer(link)  # in passive mode there was none
    tunnel = _make(at)
    at.interpreter.answer(messages.PROMPT)
    if link:
        if link.box is not None:
            from firmware import passive

            await passive.end(at, link)  # what waits in passive mode comes first
        tunnel.attach(link)
        if at.reports.tunnel is not tunnel:  # the host has left meanwhile
            _passive_again(at)


def _passive_again(at):
    for link in at.links.table:
        if link and link.open and at.reports.passive[link.number] & 1:
            from firmware import passive

            passive.begin(at, link)


def enter_saved(at, saved):
    """At start: passthrough to the saved host, as soon as it can be reached; `+++` leaves it before, too."""
    if saved[0] == _SERVER:
        _enter_serving(at, *saved[1:])
        return
    _, host, port, kind, option = saved
    if not host or not port:  # no AT+SAVETRANSLINK has saved this
        return
    # As CIPSTART has them: local port, mode 0, and keep-alive; then no local address, and the usual patience.
    at.origin = (kind, host, port, option) + ((0, None, 0) if kind.startswith("UDP") else (None, 0))
    at.reports.raw = True
    _make(at, first=True).lost()


def _enter_serving(at, port, kind, ca, netif):
    """Passthrough to one client after another. The AT port stays what it is if the server cannot run."""
    from firmware.commands.serving import listen, server_of

    server = server_of(at)
    try:
        listen(at, port, kind, ca if kind.startswith("SSL") else 0, netif)
    except (OSError, ATError, MemoryError):
        return
    server.limit = 1
    at.reports.raw = True
    _make(at, first=True)


def _make(at, first=False):
    commands.drop()  # for as long as the host is in passthrough, there are no commands
    block, memory = at.block, at.memory(at.board.SEND_MAX)
    from firmware.passthrough import Passthrough

    commands.need(512)

    task = None
    began = None  # when the newest attempt to connect did, in ticks

    def lost():
        nonlocal task
        if at.origin and (task is None or task.ended):
            task = at.loop.start(renew(), _ended)

    async def renew():
        """Connects until it has worked."""
        nonlocal began
        while True:
            pause = at.settings.get("CIPRECONNINTV", [1])[0] * 100
            if began is not None:
                left = pause - ticks_diff(ticks_ms(), began)
                if left > 0:
                    await at.loop.sleep(min(left, pause))
            began = ticks_ms()
            try:
                from firmware.commands.opening import open_link

                link = await open_link(at, 0, *at.origin)
                break
            except (OSError, ATError):  # not there yet; it may come
                pass
            except MemoryError:
                commands.drop()
        found(link)

    def found(link):
        """Goes on with a new link. The prompt of a saved passthrough comes when the first one is there."""
        nonlocal first
        if first:
            first = False
            at.port.write(messages.PROMPT_SAVED)
            at.reports.silent = _is_silent(at)
        else:
            at.reports.text(at.reports.connected(link))
        link.resume()
        tunnel.attach(link)

    def dropped(count):
        at.reports.unsent += count

    def left():
        at.reports.tunnel = None
        at.leaving = None if tunnel.empty() else tunnel
        if task and not task.ended:
            task.cancel()
        if at.settings.get("SYSMSG", [0])[0] & 1:
            at.port.write(messages.QUIT)
        _passive_again(at)

    held = bool(at.line_settings[4] & 1)
    tunnel = Passthrough(at.loop, at.port, at.reports, memory, block, at.interval, held, dropped, lost, found, left)
    at.reports.tunnel = tunnel
    at.reports.silent = not first and _is_silent(at)
    return tunnel


def _is_silent(at):
    return not at.settings.get("SYSMSG", [0])[0] & 4


def _ended(_, error):
    if error:
        raise error
