"""A slot of an ESP32, for updates that bring MicroPython as well: its image goes into the partition that does not run,
by esp32.Partition, where the board has one for that. boot.py reads in /slot which partition belongs to which slot."""

from esp32 import Partition
from micropython import const

from firmware import slots
from firmware.slot_files import Slot as Files

_IMAGE = "micropython-"
_BLOCK = const(4096)


class Slot(Files):
    """The slot that does not run: its folder, and where its MicroPython is, if that is another one.

    `labels` has the partition of each slot, and nothing if it is the same for both."""

    KINDS = ("mpy", "image")

    def __init__(self, at):
        super().__init__(at)
        self._chip = at.board.CHIP.lower()
        self.labels = slots.read()[5:]

    def fits(self, entries):
        """ValueError if these files are not a firmware for this chip, or if there is no place for them."""
        self.labels = []
        super().fits(self._beside_image(entries))

    def _beside_image(self, entries):
        for size, digest, path in entries:
            if path.startswith(_IMAGE):
                self._find_place(size, path)
            else:
                yield size, digest, path

    def _find_place(self, size, path):
        """Chooses the partition for the image. The flash is as it was; what is wrong is a ValueError."""
        if path != _IMAGE + self._chip + ".bin":
            raise ValueError("it is for another chip: " + path)
        label = _label(Partition.RUNNING)
        try:
            found = Partition(Partition.RUNNING).get_next_update().info()
        except OSError:
            found = None
        if not found or found[4] == label:
            raise ValueError("this board's flash has no OTA partitions")
        if size > found[3]:
            raise ValueError("too large: %d bytes, and a partition has %d" % (size, found[3]))
        with open("/boot.py") as file:
            if "set_boot" not in file.read():
                raise ValueError("the board's boot.py is too old for images: bring a new one with make deploy")
        self.labels = [label, label]
        self.labels[self.number] = found[4]

    async def begin(self):
        """Empties the slot, which no start may choose from now on."""
        running = Partition(Partition.RUNNING)
        try:
            if _label(Partition.BOOT) != running.info()[4]:  # an update before this one was not started yet
                running.set_boot()
                confirm()
        except OSError:  # no OTA partitions
            pass
        await super().begin()

    def _create(self, path):
        return _Image(self._partition()) if path.startswith(_IMAGE) else super()._create(path)

    def _written(self, path, size, new):
        return _Image(self._partition(), size) if path.startswith(_IMAGE) else super()._written(path, size, new)

    def _partition(self):
        return Partition(self.labels[self.number] if self.labels else Partition.RUNNING)

    def boot(self, before):
        """Has the chip start the image. If it does not take it, /slot has again what was there before."""
        try:
            self._partition().set_boot()
        except OSError as error:
            slots.write(before)
            raise ValueError("the chip does not take the image: " + str(error.args[-1]))


class _Image:
    """A partition as a file, which is written or read from its start; `size` is how much there is to be read."""

    def __init__(self, partition, size=0):
        self._partition = partition
        self._left = size
        self._place = self._have = 0
        self._block = None if size else bytearray(_BLOCK)

    def write(self, data):
        done = 0
        while done < len(data):
            count = min(_BLOCK - self._have, len(data) - done)
            self._block[self._have : self._have + count] = memoryview(data)[done : done + count]
            self._have += count
            done += count
            if self._have == _BLOCK:
                self.close()

    def close(self):
        """Writes what there is of a block, after its place was erased."""
        if self._have:
            for i in range(self._have, _BLOCK):
                self._block[i] = 0xFF
            self._partition.writeblocks(self._place, self._block)
            self._place += 1
            self._have = 0

    def readinto(self, buffer):
        count = min(len(buffer), self._left)
        self._partition.readblocks(0, memoryview(buffer)[:count], self._place)
        self._place += count
        self._left -= count
        return count

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def _label(which):
    return Partition(which).info()[4]


def confirm():
    """This start has come as far as `ready`, so the bootloader does not go back to another image."""
    try:
        Partition.mark_app_valid_cancel_rollback()
    except OSError:  # there is only one
        pass
