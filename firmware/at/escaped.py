"""Data from the host with an end of their own, for AT+CIPSENDEX.
Its module is loaded when that command is used."""

from micropython import const

from firmware.at.data import Collector

_BACKSLASH = const(0x5C)


class EscapedCollector(Collector):
    """Takes up to `count` bytes, or until `\\0`; any other character behind a backslash stands for itself."""

    _escaped = False

    def _store(self, buffer, start, end):
        size = len(self._pieces[0])
        at = start
        while at < end and self.have < self._count:
            byte = buffer[at]
            at += 1
            if self._escaped:
                self._escaped = False
                if byte == 0x30:
                    self._count = self.have
                    break
            elif byte == _BACKSLASH:
                self._escaped = True
                continue
            self._pieces[self.have // size][self.have % size] = byte
            self.have += 1
        return at - start
