"""What the bootloader of ESP-IDF does with two programs in the flash, as MicroPython's port has it built: with the way
back (CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE). Two records say which is started, and what is known of it; the higher
number counts, but not that of a program that was started once without being called valid then."""

NEW, PENDING, VALID, ABORTED = range(4)
_FAIL, _NOT_FOUND = (-1, "ESP_FAIL"), (-0x105, "ESP_ERR_NOT_FOUND")
_BAD_IMAGE = -0x1503, "ESP_ERR_OTA_VALIDATE_FAILED"


class Bootloader:
    """`apps` are the labels of the partitions with programs; with one alone there are no records.

    is_whole(label): whether there is a program. change(function): calls it, as one erase or write of the flash; False
    if the power went after that."""

    def __init__(self, apps, records, is_whole, change):
        self._apps, self._is_whole, self._change = apps, is_whole, change
        # Each is a number, which also says which program it is for, and what is known of that; None once it was erased.
        self._records = [None, None] if records else None
        self.running = apps[0]

    def _active(self):
        """The index of the record that counts, None without one."""
        found = [index for index, record in enumerate(self._records) if record and record[1] != ABORTED]
        return max(found, key=lambda index: self._records[index][0], default=None)

    def _label(self, index):
        return self._apps[(self._records[index][0] - 1) % len(self._apps)]

    def start(self):
        """Chooses what is started, as after a reset or when the power comes."""
        if self._records is None:
            return
        for record in self._records:
            if record and record[1] == PENDING:
                record[1] = ABORTED
        index = self._active()
        if index is None:
            chosen = self._apps[0]
            if self._records == [None, None]:
                self._records[0] = [1, VALID]
        else:
            chosen = self._label(index)
            if self._records[index][1] == NEW:
                self._records[index][1] = PENDING
        # What is damaged is passed over.
        self.running = chosen if self._is_whole(chosen) else next(filter(self._is_whole, self._apps), chosen)

    def boot(self):
        """The label of what is started next. Raises OSError where there are no records."""
        if self._records is None:
            raise OSError(2)  # ENOENT
        index = self._active()
        return self._apps[0] if index is None else self._label(index)

    def next(self, label):
        """The label of the partition for another program. Raises OSError where there is none."""
        if self._records is None:
            raise OSError(2)
        return self._apps[(self._apps.index(label) + 1) % len(self._apps)] if label in self._apps else self._apps[0]

    def set_boot(self, label):
        """Has a program started next; False if the power went meanwhile. Raises OSError."""
        if not self._is_whole(label):
            raise OSError(*_BAD_IMAGE)
        if self._records is None:
            raise OSError(*_NOT_FOUND)
        index = self._active()
        if index is None:
            return self._write(0, [self._apps.index(label) + 1, NEW])
        number = self._records[index][0]
        if self._label(index) == label:
            return self._write(index, [number, NEW])
        while self._apps[(number - 1) % len(self._apps)] != label:
            number += 1
        return self._write(1 - index, [number, NEW])

    def mark_valid(self):
        """What was started stays; False if the power went meanwhile. Raises OSError."""
        if self._records is None:
            raise OSError(*_NOT_FOUND)
        index = self._active()
        if index is None:
            raise OSError(*_FAIL)
        number, state = self._records[index]
        return state == VALID or self._write(index, [number, VALID])

    def _write(self, index, record):
        def put(value):
            self._records[index] = value

        return self._change(lambda: put(None)) and self._change(lambda: put(record))
