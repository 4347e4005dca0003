"""Partitions of the simulated flash beside the one for files, with the manners of flash: erased bytes are 0xff, and
writing only clears bits. They last as long as the simulator does."""

# Where stock tables of partitions end; and type and first subtype of a user partition, as ESP-AT has them.
_FIRST = 0x400000
_TYPE, _SUBTYPE = 0x40, 1


class Partitions:
    """`sizes` has a name and a size in bytes for each."""

    def __init__(self, sizes):
        self._data = {name: bytearray(b"\xff" * size) for name, size in sizes}

    def infos(self):
        """For each what esp32.Partition.info() tells: type, subtype, address, size, name, encrypted."""
        found, address = [], _FIRST
        for number, (name, data) in enumerate(self._data.items()):
            found.append((_TYPE, _SUBTYPE + number, address, len(data), name, False))
            address += len(data)
        return found

    def read(self, name, offset, size):
        return bytes(self._area(name, offset, size))

    def write(self, name, offset, new):
        old = self._area(name, offset, len(new))
        self._data[name][offset : offset + len(new)] = bytes(a & b for a, b in zip(old, new, strict=True))

    def erase(self, name, offset, size):
        self._area(name, offset, size)
        self._data[name][offset : offset + size] = b"\xff" * size

    def _area(self, name, offset, size):
        data = self._data[name]
        if offset + size > len(data):
            raise OSError(-261, "ESP_ERR_INVALID_SIZE")
        return data[offset : offset + size]
