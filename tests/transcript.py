"""Transcripts: a session written down line by line, played against the module and real peers.

    > AT+CIPMUX=1       a line to the module, CR LF added
    >> hello            data to the module, as they stand
    < ⏎OK⏎              exactly these bytes come next; ⏎ is CR LF
    ~ \\+CWLAP:.*⏎       what comes next matches this regular expression
    ! ap down mpy-at    a line to the simulator's control socket, which answers ok
    ? pin 4 is high     the same, again and again until the answer is ok
    peer web            a TCP server on loopback; {web} is its port from here on
    web accepts         takes the module's connection; also: web ended, web broken, web closes, web resets
    link web 0          AT+CIPSTART=0,"TCP" to it, which it accepts; `link web` in single connection mode
    web sends abc       data from the peer
    web gets abc        exactly these data reach the peer
    udp a               a UDP peer on loopback; {a} is its port from here on. `peer` and `udp` take an address, too
    a gets abc          exactly this datagram comes next
    a sends abc         a datagram to whom it heard from last
    a faces 4000        whom it sends to from here on: this port of 127.0.0.1
    free p              {p} is a UDP port that nobody has
    door d              {d} is a TCP port that nobody has
    client c {d}        connects to this port of the module; {c} is its own port, and it does what a peer does

In texts, \\r \\n \\t \\0 and \\xNN stand for bytes. Empty lines and lines that begin with # are skipped.
At the end the module must have nothing more to say."""

import re
import time

from clients import Client, Door
from module import LIMIT, encode
from peers import FreePort, Peer, UDPPeer

_KINDS = {"peer": Peer, "udp": UDPPeer, "free": FreePort, "door": Door, "client": Client}


def play(module, text, settled=True):
    """Plays a transcript; AssertionError names the line that failed. Without `settled` the module may go on talking."""
    peers = {}
    try:
        for number, line in enumerate(text.splitlines(), 1):
            line = line.strip()
            if line and not line.startswith("#"):
                for name, peer in peers.items():
                    line = line.replace("{" + name + "}", str(peer.port))
                try:
                    _step(module, peers, line)
                except (AssertionError, OSError) as error:
                    raise AssertionError(f"line {number}: {line}\n{error}\n{module.console()}") from error
        if settled:
            module.settled()
    finally:
        for peer in peers.values():
            peer.close()


def _step(module, peers, line):
    word, _, rest = line.partition(" ")
    if word == ">":
        module.send(rest)
    elif word == ">>":
        module.write(encode(rest))
    elif word == "<":
        module.expect(rest)
    elif word == "~":
        module.match(re.sub(r"⏎", r"\\r\\n", rest))
    elif word == "!":
        answer = module.control(rest)
        assert answer == "ok", answer
    elif word == "?":
        deadline = time.monotonic() + LIMIT
        while (answer := module.control(rest)) != "ok":
            assert time.monotonic() < deadline, answer
            time.sleep(0.02)
    elif word in _KINDS:
        name, *address = rest.split()
        peers[name] = _KINDS[word](*address)
    elif word == "link":
        _link(module, peers, *rest.split())
    else:
        _peer(peers[word], rest)


def _link(module, peers, name, number=None):
    """Opens a link to the peer: link `number`, or the only one."""
    before = f"{number}," if number else ""
    module.send(f'AT+CIPSTART={before}"TCP","127.0.0.1",{peers[name].port}')
    peers[name].accept()
    module.expect(f"{before}CONNECT⏎⏎OK⏎")


def _peer(peer, text):
    verb, _, data = text.partition(" ")
    data = encode(data)
    if verb == "accepts":
        peer.accept()
    elif verb == "sends":
        peer.send(data)
    elif verb == "gets":
        got = peer.get(len(data))
        assert got == data, f"the peer got {got!r} instead of {data!r}"
    elif verb == "closes":
        peer.sock.close()
    elif verb == "faces":
        peer.face(int(data))
    else:
        getattr(peer, {"ended": "ended", "broken": "broken", "resets": "reset"}[verb])()
