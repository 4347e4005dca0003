"""DNS messages as multicast DNS has them (RFC 6762), read and written; a name is its bytes on the wire.
Lower case is taken of such bytes whole: the length of a label is below the codes of the letters."""

from micropython import const

GROUP = "224.0.0.251"
PORT = 5353
_PTR = const(12)
_SRV = const(33)
_QUESTION = const(0)  # the sections: then 1 answers, 2 authority, 3 additional records
_HEADER = const(12)
_NAME_MAX = const(255)
# Most messages have less than the first, and nearly all less than the second, which fills an Ethernet frame.
_SHORT = const(512)
_LONG = const(1472)


def name(*labels):
    """The name of these labels; ValueError if one is empty or has more than 63 bytes."""
    wire = b""
    for label in labels:
        label = label.encode()
        if not 0 < len(label) < 64:
            raise ValueError
        wire += bytes((len(label),)) + label
    return wire + b"\0"


def labels(wire):
    """The labels of a name, as bytes."""
    found = []
    at = 0
    while wire[at]:
        found.append(wire[at + 1 : at + 1 + wire[at]])
        at += wire[at] + 1
    return found


def receive(sock):
    """The next message and its sender; cut off when a small heap has no piece large enough for more."""
    try:
        return sock.recvfrom(_LONG)
    except MemoryError:
        pass
    try:
        return sock.recvfrom(_SHORT)
    except MemoryError:
        sock.recv(1)  # it cannot stay where it is, as it would be found again at once
        raise


def items(packet):
    """Yields (section, name, type, class, ttl, data) of each question and record. In `data` names are written out.

    IndexError or ValueError when it comes to what is no DNS."""
    at = _HEADER
    for section in range(4):
        for _ in range(packet[4 + 2 * section] << 8 | packet[5 + 2 * section]):
            owner, at = _name(packet, at)
            kind, group = _number(packet, at), _number(packet, at + 2)
            at += 4
            if section == _QUESTION:
                yield section, owner, kind, group, 0, b""
                continue
            ttl = _number(packet, at) << 16 | _number(packet, at + 2)
            start = at + 6
            at = start + _number(packet, at + 4)
            if at > len(packet):
                raise ValueError
            if kind == _PTR:
                data = _name(packet, start)[0]
            elif kind == _SRV:
                data = packet[start : start + 6] + _name(packet, start + 6)[0]
            else:
                data = packet[start:at]
            yield section, owner, kind, group, ttl, data


def _number(packet, at):
    return packet[at] << 8 | packet[at + 1]


def _name(packet, at):
    """The name at `at`, written out, and the place behind it."""
    wire = b""
    after = 0
    while True:
        size = packet[at]
        if size < 64:
            wire += packet[at : at + size + 1]
            at += size + 1
            if not size:
                return wire, after or at
        else:
            # A pointer only ever leads back, and a name has an end, so that no packet keeps us here.
            target = _number(packet, at) & 0x3FFF
            if size < 192 or target >= at:
                raise ValueError
            after = after or at + 2
            at = target
        if len(wire) > _NAME_MAX:
            raise ValueError


class Writer:
    """A message in the making, in `data`; questions come first, then answers, authority and additional records."""

    def __init__(self, response, identity=b"\0\0"):
        self.data = bytearray(_HEADER)
        self.data[:2] = identity
        if response:
            self.data[2] = 0x84  # a response, and the answer is ours to give

    def question(self, owner, kind, group):
        self._item(_QUESTION, owner, kind, group)

    def record(self, section, owner, kind, group, ttl, data):
        self._item(section, owner, kind, group)
        self._number(ttl >> 16)
        self._number(ttl & 0xFFFF)
        start = len(self.data)
        self._number(0)
        if kind == _PTR:
            self._name(data)
        else:
            self.data += data  # the name in SRV stays whole, for the sake of those that know DNS only
        size = len(self.data) - start - 2
        self.data[start] = size >> 8
        self.data[start + 1] = size & 255

    def _item(self, section, owner, kind, group):
        self.data[5 + 2 * section] += 1
        self._name(owner)
        self._number(kind)
        self._number(group)

    def _number(self, value):
        self.data.append(value >> 8)
        self.data.append(value & 255)

    def _name(self, wire):
        """Writes a name; its end is a pointer to where the same bytes have stood before, if they have."""
        at = 0
        while wire[at]:
            found = self.data.find(wire[at:])
            if found >= 0:
                self._number(0xC000 | found)
                return
            self.data += wire[at : at + wire[at] + 1]
            at += wire[at] + 1
        self.data.append(0)
