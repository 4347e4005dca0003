"""The mDNS responder: one service of this module for the local network to find (RFC 6762 and RFC 6763).
Names are claimed (probed), announced, defended, and given up for `name-2` when somebody else has them."""

import select
import socket
from os import urandom
from time import ticks_diff, ticks_ms

from micropython import const

from firmware.loop import Timer
from firmware.net import address
from firmware.net.mdns_packet import GROUP, PORT, Writer, items, name, receive
from firmware.net.mdns_port import bound

# Types of records, and the class of all of them.
_IS_A = const(1)
_IS_PTR = const(12)
_IS_TXT = const(16)
_IS_SRV = const(33)
_IS_NSEC = const(47)
_ANY = const(255)
_INTERNET = const(1)
# In a record's class: it replaces what others have kept. In a question's: the answer may come to the asker alone.
_TOP_BIT = const(0x8000)
# The sections of a message.
_QUESTION = const(0)
_ANSWER = const(1)
_AUTHORITY = const(2)
_ADDITIONAL = const(3)

# Seconds that others may keep a record: short for what names the host, as RFC 6762 has it.
_HOST_TTL = const(120)
_TTL = const(4500)
# Who asks from another port than 5353 knows DNS only, and must not keep the answer.
_LEGACY_TTL = const(10)

_PROBE_MS = const(250)
_ANNOUNCE_MS = const(1000)
# A record is sent to all at most so often; only its name's defence does not wait.
_AGAIN_MS = const(1000)
# A name was lost to somebody who claims it at the same time, or so many names were lost that all must slow down.
_LOST_MS = const(1000)
_CONFLICTS = const(15)
_CONFLICTS_MS = const(5000)
# Answers that others may give too are put off by 20 to 120 ms, those to an asker who has more to say by 400 to 500.
_SHARED_MS = const(20)
_MORE_MS = const(400)

# The records by their place, which is also their bit: two pointers that others have too (to the service and to its
# type), then those that are ours alone: SRV and TXT of the service, and of the host its address, and that it has
# no records of other types (without which many wait in vain for an IPv6 address).
_SRV = const(2)
_TXT = const(3)
_A = const(4)
_SHARED = const(0b000011)
_ALL = const(0b111111)
# What is claimed, and what is given up at the end: the type belongs to others as well.
_CLAIMED = const(0b011100)
_OURS = const(0b011101)
# The records that whoever gets one of them will ask for next.
_MORE = b"\x3c\x00\x30\x00\x20\x10"

# What comes next: to join the group, to probe for the first time (and twice more), to announce, once more.
_JOIN = const(0)
_PROBE = const(1)
_ANNOUNCE = const(4)
_REPEAT = const(5)


class Responder:
    """`own_ip()` is the address of the interface. `txt` is the data of the TXT record: pieces behind their length.

    OSError when the port is taken; ValueError for names that DNS does not allow."""

    def __init__(self, loop, own_ip, host, instance, service, proto, port, txt):
        self._loop = loop
        self._own_ip = own_ip
        self._names = host, instance
        self._numbers = [1, 1]  # how often host and instance were named, and what follows their names
        self._type = name(service, proto, "local")
        self._service = service, proto
        self._port = port
        self._txt = txt or b"\0"
        self._records = self._keys = ()
        self._sent = [0] * 6  # when each record went to all
        self._conflicts = 0
        self._stage = _JOIN
        self._pending = 0  # answers that are put off
        self._steps = Timer(loop, self._step)
        self._answers = Timer(loop, self._flush)
        name(host), name(instance)
        self._group = address.resolved(GROUP, PORT, socket.SOCK_DGRAM)
        # The port is taken even while there is no network, see board/esp32.py.
        self._sock = bound()

    def online(self):
        """The network is there, perhaps another one than before: claims the names on it."""
        self._steps.start(0)

    def offline(self):
        """The network is gone."""
        self._loop.forget(self._sock)
        self._steps.stop()
        self._answers.stop()
        self._stage = _JOIN
        self._pending = 0

    def stop(self):
        """Ends it; says goodbye to those who know of it."""
        if self._announced():
            packet = Writer(True)
            for i, (owner, kind, group, _, data) in enumerate(self._records):
                if _OURS >> i & 1:
                    packet.record(_ANSWER, owner, kind, group, 0, data)
            self._send(packet)
        self.offline()
        self._sock.close()

    def _announced(self):
        return self._stage > _ANNOUNCE

    # Claiming the names

    def _join(self):
        """Takes part in the group on the network as it is now; the old socket only goes when the new one is there."""
        sock = bound()
        try:
            here = self._own_ip()
            from firmware.net import groups

            groups.groups_on(sock, False, here)
            groups.join_group(sock, GROUP, here)
        except BaseException:
            sock.close()
            raise
        self._loop.forget(self._sock)
        self._sock.close()
        self._sock = sock
        self._loop.watch(sock, select.POLLIN, self._event)

    def _claim(self, wait=None):
        """Begins to probe in `wait` ms; by default after a moment that differs between those who start together."""
        self._build()
        self._stage = _PROBE
        self._pending = 0
        self._answers.stop()
        if self._conflicts > _CONFLICTS:
            wait = _CONFLICTS_MS
        self._steps.start(urandom(1)[0] if wait is None else wait)

    def _build(self):
        host, instance = (_numbered(*pair) for pair in zip(self._names, self._numbers))  # noqa: B905  not in MicroPython
        host = name(host, "local")
        instance = name(instance, *self._service, "local")
        here = bytes(int(number) for number in self._own_ip().split("."))
        place = bytes((0, 0, 0, 0, self._port >> 8, self._port & 255)) + host
        unique = _INTERNET | _TOP_BIT
        self._records = (
            (self._type, _IS_PTR, _INTERNET, _TTL, instance),
            (name("_services", "_dns-sd", "_udp", "local"), _IS_PTR, _INTERNET, _TTL, self._type),
            (instance, _IS_SRV, unique, _HOST_TTL, place),
            (instance, _IS_TXT, unique, _TTL, self._txt),
            (host, _IS_A, unique, _HOST_TTL, here),
            # Block 0 of the types, one byte long, in which the bit of A is set.
            (host, _IS_NSEC, unique, _HOST_TTL, host + b"\0\1\x40"),
        )
        self._keys = [record[0].lower() for record in self._records]

    def _step(self):
        try:
            if self._stage == _JOIN:
                self._join()
                self._claim()
            elif self._stage < _ANNOUNCE:
                self._probe()
                self._stage += 1
                self._steps.start(_PROBE_MS)
            else:
                self._tell(_ALL)
                if self._stage == _ANNOUNCE:
                    self._stage = _REPEAT
                    self._steps.start(_ANNOUNCE_MS)
        except (OSError, MemoryError):  # no socket or no memory is free at the moment
            self._steps.start(_AGAIN_MS)

    def _probe(self):
        # Only the first is to be answered to us alone, as that does not reach those who share an address (on a PC).
        alone = _TOP_BIT if self._stage == _PROBE else 0
        packet = Writer(False)
        for i in (_SRV, _A):
            packet.question(self._records[i][0], _ANY, _INTERNET | alone)
        for i, (owner, kind, _, ttl, data) in enumerate(self._records):
            if _CLAIMED >> i & 1:
                packet.record(_AUTHORITY, owner, kind, _INTERNET, ttl, data)
        self._send(packet)

    def _conflict(self, place):
        """Somebody has another record of the name at `place`."""
        if not self._announced():
            self._conflicts += 1
            self._numbers[place != _A] += 1
        # A name that was ours already is claimed anew, and lost only if the other one insists.
        self._claim()

    # What others say

    def _event(self, _):
        try:
            packet, source = receive(self._sock)
            port = address.parts(source)[1]
            if packet[2] & 0x78:  # not a query, nor the answer to one
                return
            if packet[2] & 0x80:
                if port == PORT:
                    self._heard(packet)
            elif self._announced():
                self._asked(packet, source, port)
            else:
                self._rival(packet)
        except (OSError, IndexError, ValueError, MemoryError):
            # No DNS, or too much of it for the memory that is free: as if it had been lost on its way.
            pass

    def _heard(self, packet):
        """Looks in a response for records that contradict ours; our own come back to us, and do not."""
        for section, owner, kind, _, ttl, data in items(packet):
            if section != _QUESTION and ttl:
                owner = owner.lower()
                for i in (_SRV, _TXT, _A):
                    if self._keys[i] == owner and self._records[i][1] == kind and self._records[i][4] != data:
                        self._conflict(i)
                        return

    def _rival(self, packet):
        """Compares our claim with that of another probe: the greater one wins, equal ones share the name."""
        theirs = {}
        for section, owner, kind, _, _, data in items(packet):
            owner = owner.lower()
            if section == _AUTHORITY and owner in self._keys:
                theirs.setdefault(owner, []).append((kind, data))
        for owner, claims in theirs.items():
            ours = []
            for i in (_SRV, _TXT, _A):
                if self._keys[i] == owner:
                    ours.append((self._records[i][1], self._records[i][4]))
            if sorted(claims) > sorted(ours):
                self._claim(_LOST_MS)
                return

    def _asked(self, packet, source, port):
        wanted = alone = known = questions = 0
        probe = False
        try:
            for section, owner, kind, group, ttl, data in items(packet):
                owner = owner.lower()
                if section == _QUESTION:
                    questions += 1
                    bits = self._matching(owner, kind)
                    wanted |= bits
                    if group & _TOP_BIT:
                        alone |= bits
                elif section == _ANSWER:
                    for i, record in enumerate(self._records):
                        if self._keys[i] == owner and record[1] == kind and record[4] == data and ttl * 2 >= record[3]:
                            known |= 1 << i
                elif section == _AUTHORITY:
                    probe = True
        except (IndexError, ValueError):  # cut off behind the questions, in the list of what the asker knows
            if not questions:
                return
        wanted &= ~known
        if not questions:  # the rest of what the asker of a moment ago knows already
            self._pending &= ~known
        elif port != PORT:
            self._answer_legacy(packet, source, wanted)
        elif probe:
            self._tell(wanted)
        else:
            self._answer(wanted, alone, source, packet[2] & 2)

    def _matching(self, owner, kind):
        bits = 0
        for i, record in enumerate(self._records):
            # NSEC answers for each type that is not there.
            if self._keys[i] == owner and (kind in (record[1], _ANY) or (record[1] == _IS_NSEC and kind != _IS_A)):
                bits |= 1 << i
        return bits

    # Answering

    def _answer_legacy(self, packet, source, wanted):
        if wanted:
            answer = Writer(True, packet[:2])
            for section, owner, kind, group, _, _ in items(packet):
                if section != _QUESTION:
                    break
                answer.question(owner, kind, group)
            self._fill(answer, wanted, True)
            self._sock.sendto(answer.data, source)

    def _answer(self, wanted, alone, source, more_follows):
        now = ticks_ms()
        alone &= wanted
        for i, record in enumerate(self._records):
            # Others should hear of a record from time to time too.
            if alone >> i & 1 and ticks_diff(now, self._sent[i]) > record[3] * 250:
                alone &= ~(1 << i)
        if alone:
            answer = Writer(True)
            self._fill(answer, alone, False)
            self._sock.sendto(answer.data, source)
        wanted &= ~alone
        if wanted:
            delay = 0
            if more_follows:
                delay = _MORE_MS
            elif wanted & _SHARED:  # others may answer too, and shall not do so in the same moment
                delay = _SHARED_MS
            if not self._pending or not delay:
                self._answers.start(delay and delay + urandom(1)[0] * 100 // 256)
            self._pending |= wanted

    def _flush(self):
        """Sends the answers that were put off, except those that all have just had."""
        now = ticks_ms()
        bits = wait = 0
        for i in range(6):
            if self._pending >> i & 1:
                since = ticks_diff(now, self._sent[i])
                if 0 <= since < _AGAIN_MS:
                    wait = max(wait, _AGAIN_MS - since)
                else:
                    bits |= 1 << i
        if wait:
            self._answers.start(wait)
        try:
            self._tell(bits)
        except MemoryError:
            self._answers.start(_AGAIN_MS)

    def _tell(self, bits):
        """Sends these records to all."""
        if bits:
            packet = Writer(True)
            bits = self._fill(packet, bits, False)
            self._send(packet)
            self._pending &= ~bits
            now = ticks_ms()
            for i in range(6):
                if bits >> i & 1:
                    self._sent[i] = now

    def _fill(self, packet, bits, legacy):
        """Puts in the records of `bits`, and behind them those that will be asked for next; returns all their bits."""
        more = 0
        for i in range(6):
            if bits >> i & 1:
                more |= _MORE[i]
        for section, mask in ((_ANSWER, bits), (_ADDITIONAL, more & ~bits)):
            for i, (owner, kind, group, ttl, data) in enumerate(self._records):
                if mask >> i & 1:
                    if legacy:
                        packet.record(section, owner, kind, _INTERNET, _LEGACY_TTL, data)
                    else:
                        packet.record(section, owner, kind, group, ttl, data)
        return bits | more

    def _send(self, packet):
        try:
            self._sock.sendto(packet.data, self._group)
        except OSError:  # the network is just going
            pass


def _numbered(text, number):
    """`text`, or `text-2` for number 2, with the end of `text` cut off where a label would become too long."""
    if number == 1:
        return text
    end = "-%d" % number
    while len(text.encode()) + len(end) > 63:
        text = text[:-1]
    return text + end
