"""A host that does a little of everything all day: five links, a server, names, the time, mDNS, datagrams.
It takes what the module says in whichever order that comes, and notes what goes wrong in place of stopping there."""

import functools
import random
import re
import select
import threading

from clients import Client
from module import LIMIT
from peers import FreePort, Peer, UDPPeer
from timeserver import TimeServer, seconds
from traffic import noise

LINKS = 5
# The largest datagram that an Ethernet frame carries.
DATAGRAM = 1472
HOSTS = tuple(f"host{number}.example" for number in range(20))
_UDP = 2
# Seconds without a word from the module, after which it is asked whether it has dropped a datagram.
_SILENCE = 0.2
_MOMENT = seconds(2021, 10, 19, 9, 47, 56)
_SAID = (
    rb"\r\n\+IPD,(?P<source>\d),(?P<size>\d+):"
    rb"|\r\n\+IPD,(?P<notice>\d),\d+\r\n"
    rb"|\+CIPRECVDATA:(?P<read>\d+),"
    rb"|(?P<link>\d),(?P<event>CONNECT|CLOSED)\r\n"
    rb"|\r\n(?P<result>OK|ERROR|SEND OK|SEND FAIL|busy p\.\.\.)\r\n"
    rb"|\r\nRecv \d+ bytes\r\n"
    rb"|\r\n(?P<prompt>>)"
    rb"|(\r\n)?(?P<line>ready|ERR CODE:\w+|Have \d Connections|\+[A-Z_]+(:[^\r]*)?)\r\n"
)


class Host:
    """The host's end of a module that has joined. Of each link there is what it has brought, how often it was opened
    and closed. `problems` are those so far, `commands` how many lines were sent."""

    def __init__(self, module):
        self.module = module
        self.data = [bytearray() for _ in range(LINKS)]
        self.notices = [0] * LINKS
        self.opened, self.closed = [0] * LINKS, [0] * LINKS
        self.lines = []
        self.problems = []
        self.commands = 0
        self.when = "before the first cycle"
        self._result = self._prompt = self._reads = None

    def problem(self, text):
        self.problems.append(f"{self.when}: {text}")

    def command(self, line):
        """Sends a line, and takes what comes until its end; returns whether that is OK."""
        self.lines.clear()
        self.commands += 1
        self._result = self._prompt = None
        self.module.send(line)
        self.until(lambda: self._result)
        if self._result != "OK":
            self.problem(f"{line}: {self._result} {' '.join(self.lines)}")
        return self._result == "OK"

    def numbers(self, line):
        """The numbers of a command's answer; None when it is an ERROR."""
        return [*map(int, re.findall(r"\d+", self.lines[-1].partition(":")[2]))] if self.command(line) else None

    def send(self, number, data):
        """Whether the module has sent these data, as it says."""
        if not self.command(f"AT+CIPSEND={number},{len(data)}"):
            return False
        self.until(lambda: self._prompt)
        self._result = None
        self.module.write(data)
        self.until(lambda: self._result)
        if self._result != "SEND OK":
            self.problem(f"AT+CIPSEND={number},{len(data)}, its data: {self._result} {' '.join(self.lines)}")
        return self._result == "SEND OK"

    def receive(self, number, count):
        """Takes what comes until so many bytes have come from a link, which it reads where that is passive."""
        data = self.data[number]
        while len(data) < count:
            self.until(lambda: len(data) >= count or self.notices[number])
            if self.notices[number] and len(data) < count:
                self.read(number)
        taken = bytes(data)
        data.clear()
        return taken

    def read(self, number):
        """Reads what a passive link has, for which there was a notice."""
        self.notices[number] = 0
        self._reads = number
        self.command(f"AT+CIPRECVDATA={number},{DATAGRAM}")

    def until(self, condition):
        """Takes what the module says until the condition holds."""
        while not condition():
            self.take()

    def take(self):
        """Takes one thing that the module says."""
        try:
            found = self.module.match(_SAID)
        except AssertionError as error:
            raise AssertionError("\n".join((f"{self.when}: {error}", *self.problems))) from None
        if found["source"]:
            self.data[int(found["source"])] += self.module.take(int(found["size"]))
        elif found["notice"]:
            self.notices[int(found["notice"])] += 1
        elif found["read"]:
            self.data[self._reads] += self.module.take(int(found["read"]))
        elif found["event"]:
            (self.opened if found["event"] == b"CONNECT" else self.closed)[int(found["link"])] += 1
        elif found["result"]:
            self._result = found["result"].decode()
        elif found["prompt"]:
            self._prompt = True
        elif found["line"] == b"ready":
            said = f"{self.when}: the module has restarted\n{self.module.console()}"
            raise AssertionError("\n".join((said, *self.problems)))
        elif found["line"]:
            self.lines.append(found["line"].decode())


class Clock(TimeServer):
    """A time server that answers by itself."""

    def __init__(self):
        super().__init__()
        self.sock.settimeout(None)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while True:
            self.question, self.client = self.sock.recvfrom(512)
            if not self.question:
                return
            self.answer(_MOMENT)

    def close(self):
        self.sock.sendto(b"", (self.ip, self.port))
        self._thread.join()
        super().close()


class Day:
    """The cycles of a day. `door` is the port of the module's server; the names in HOSTS have an address, `neighbour`
    hears the module's mDNS. `others` is what is done beside the links: any of "names", "time" and "mdns";
    "hosts" has link 3 opened by a name. `sent`, `received` and `lost` count the datagrams to the module."""

    def __init__(self, module, door, neighbour, others):
        self.host = Host(module)
        self.sent = self.received = self.lost = 0
        self._module, self._door, self._neighbour, self._others = module, door, neighbour, others
        self._peers = [None] * LINKS
        self._dice = random.Random(1)

    def cycle(self, number):
        """Five links are opened, used and closed, with all else in between, in another order each time."""
        host = self.host
        host.when = f"cycle {number}"
        host.command(f"AT+CIPRECVMODE={number % 2}")
        self._open()
        steps = [self._datagram] * 3 + [functools.partial(self._talk, link) for link in (0, 1, 3, 4)] * 2
        others = {"names": self._name, "time": self._time, "mdns": self._mdns}
        steps += [step for name, step in others.items() if name in self._others]
        self._dice.shuffle(steps)
        for step in steps:
            step()
        if "mdns" in self._others:
            host.command("AT+MDNS=0")
        self._close(number % 3)
        self.memory()

    def dropped(self):
        """What the module has dropped: reports, datagrams, bytes for passthrough."""
        return self.host.numbers("AT+MPYDROPPED?")

    def memory(self):
        """The largest free block, what is free, the least that ever was, and the whole heap; bytes."""
        return self.host.numbers("AT+SYSRAM=0")

    def _open(self):
        """0 and 4 are clients of the server, 1 and 3 links to servers, 2 is UDP."""
        self._enter(0)
        self._connect(1, "127.0.0.1")
        self._connect_datagrams()
        self._connect(3, self._dice.choice(HOSTS) if "hosts" in self._others else "127.0.0.1")
        if all(self._peers[:4]):  # else the client would get another id
            self._enter(4)

    def _enter(self, number):
        client, opened = Client(self._door), self.host.opened[number]
        ends = [self._module.fd, client.sock]
        while self.host.opened[number] == opened:
            if not self._module.received and client.sock in select.select(ends, [], [], LIMIT)[0]:
                client.close()
                self.host.problem(f"client {number} was sent away")
                return
            self.host.take()
        self._peers[number] = client

    def _connect(self, number, host):
        peer = Peer()
        if self.host.command(f'AT+CIPSTART={number},"TCP","{host}",{peer.port}'):
            peer.accept()
            self._peers[number] = peer
        else:
            peer.close()

    def _connect_datagrams(self):
        peer, here = UDPPeer(), FreePort().port
        peer.face(here)
        if self.host.command(f'AT+CIPSTART={_UDP},"UDP","127.0.0.1",{peer.port},{here}'):
            self._peers[_UDP] = peer
        else:
            peer.close()

    def _talk(self, number):
        """Data both ways over a stream."""
        peer = self._peers[number]
        if not peer:
            return
        up, down = (noise(self._dice.randrange(1, most), self._dice.random()) for most in (1500, 4000))
        peer.send(down)
        if self.host.send(number, up) and peer.get(len(up)) != up:
            self.host.problem(f"other bytes than those were sent on link {number}")
        if self.host.receive(number, len(down)) != down:
            self.host.problem(f"other bytes than those have come from link {number}")

    def _datagram(self):
        """The largest datagram, up and down; one that the module drops is counted by it."""
        host, peer = self.host, self._peers[_UDP]
        if not peer:
            return
        up, down = (noise(DATAGRAM, self._dice.random()) for _ in range(2))
        if host.send(_UDP, up) and peer.get() != up:
            host.problem("another datagram than that was sent")
        peer.send(down)
        self.sent += 1
        while len(host.data[_UDP]) < DATAGRAM:
            if host.notices[_UDP]:
                host.read(_UDP)
            elif self._module.received or select.select([self._module.fd], [], [], _SILENCE)[0]:
                host.take()
            elif (lost := self.dropped()[1]) > self.lost:
                self.lost = lost
                return
        self.received += 1
        if bytes(host.data[_UDP]) != down:
            host.problem("another datagram than that has come")
        host.data[_UDP].clear()

    def _name(self):
        name = self._dice.choice(HOSTS)
        if self.host.command(f'AT+CIPDOMAIN="{name}"') and self.host.lines[-1] != '+CIPDOMAIN:"127.0.0.1"':
            self.host.problem(f"{name} has another address: {self.host.lines}")

    def _time(self):
        """The clock is set by a server, told, and left alone after that."""
        if self.host.command('AT+CIPSNTPCFG=1,0,"127.0.0.1"'):
            self.host.until(lambda: "+TIME_UPDATED" in self.host.lines)
        if self.host.command("AT+CIPSNTPTIME?") and "2021" not in self.host.lines[-1]:
            self.host.problem(f"the clock is wrong: {self.host.lines}")
        self.host.command("AT+CIPSNTPCFG=0")

    def _mdns(self):
        """A service is announced, and stays until the end of the cycle."""
        word = self._neighbour.word.decode()
        if self.host.command(f'AT+MDNS=1,"{word}","_{word}",8080'):
            self._neighbour.probe()

    def _close(self, how):
        """All at once, each by the host, or each by its peer; each end is told once."""
        host = self.host
        there = [number for number, peer in enumerate(self._peers) if peer]
        if how == 0:
            host.command("AT+CIPCLOSE=5")
        for number in there:
            if how == 1 or (number == _UDP and how == 2):
                host.command(f"AT+CIPCLOSE={number}")
            elif how == 2:
                self._peers[number].sock.close()
        host.until(lambda: host.closed == host.opened)
        for number in there:
            if how != 2 and number != _UDP:
                self._peers[number].ended()
            self._peers[number].close()
            self._peers[number] = None
