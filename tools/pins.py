"""The chip's pins: what the chip drives, and what the bench does.
A pin that nobody drives is low."""

# The pins that a module has, and what machine.Pin calls an output.
_PINS = {
    "esp8266": frozenset(range(17)),
    "esp32": frozenset((*range(6), *range(12, 24), *range(25, 28), *range(32, 40))),
}
_OUTPUT = {"esp8266": 1, "esp32": 3}
_INPUTS_ONLY = {"esp8266": (), "esp32": range(34, 40)}


class Pins:
    """The pins of one board, by number."""

    def __init__(self, board):
        self._there = _PINS[board]
        self.range = min(self._there), max(self._there)
        self._output = _OUTPUT[board]
        self._inputs_only = _INPUTS_ONLY[board]
        self._outside = {}
        self.reset()

    def reset(self):
        """The chip drives no pin any more; what the bench does stays."""
        self._driven = {}

    def drive(self, number, level):
        """The bench sets a pin; ValueError if there is none of that number."""
        self._check(number)
        self._outside[number] = level

    def level(self, number):
        """What a voltmeter would say: 0 or 1."""
        return self._driven.get(number, self._outside.get(number, 0))

    def request(self, number, mode, *level):
        """What the chip does to a pin, as machine.Pin: sets its mode unless that is None, then its level or asks."""
        self._check(number)
        if mode is not None:
            if mode == self._output:
                if number in self._inputs_only:
                    raise ValueError("pin can only be input")
                self._driven.setdefault(number, 0)
            else:
                self._driven.pop(number, None)
        if not level:
            return self.level(number)
        if number in self._driven:
            self._driven[number] = int(bool(level[0]))
        return None

    def _check(self, number):
        if number not in self._there:
            raise ValueError("invalid pin")
