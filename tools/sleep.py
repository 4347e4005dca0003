"""The chip's sleep, and what wakes it: a time, its reset pin, a pin with a level."""


class Sleep:
    """One sleep at a time; the chip's next start makes a new one."""

    def __init__(self, loop):
        self._loop = loop
        self._timer = None
        self._wake = None  # what is to be called when light sleep ends
        self._pins, self._level = (), 0
        self.deep = False

    @property
    def light(self):
        return self._wake is not None

    def wake_on(self, numbers, level):
        """Any of these pins with this level ends light sleep."""
        self._pins, self._level = numbers, int(level)

    def deeply(self, ms, wake):
        """Deep sleep; `ms` are the milliseconds, or None for a sleep without an end."""
        self.deep = True
        self._until(ms, wake)

    def lightly(self, ms, pins, wake):
        """Light sleep, which is over at once if a pin has its level already."""
        self._wake = wake
        self._until(ms, self.pulse)
        self.look(pins)

    def _until(self, ms, wake):
        if ms is not None:
            self._timer = self._loop.at(self._loop.time() + ms / 1000, wake)

    def look(self, pins):
        """Ends light sleep if one of the pins that it waits for has its level."""
        if any(pins.level(number) == self._level for number in self._pins):
            self.pulse()

    def nudge(self):
        """A short pulse at a pin that light sleep waits for; False if there is none."""
        return bool(self._pins) and self.pulse()

    def pulse(self):
        """Ends light sleep; False if there was none."""
        wake = self._wake
        self.end()
        if wake:
            wake()
        return bool(wake)

    def end(self):
        """Forgets the sleep, for whatever reason it is over."""
        self._loop.cancel(self._timer)
        self._timer = self._wake = None
        self.deep = False
