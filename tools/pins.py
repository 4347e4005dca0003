"""The chip's pins: what the chip drives, and what the bench does.
A pin that nobody drives is low."""

# What machine.Pin calls an output.
_OUTPUT = {"esp8266": 1, "esp32": 3}
_INPUTS_ONLY = {"ESP32": range(34, 40), "ESP32-SPIRAM": range(34, 40), "ESP32S2": (46,)}


class Pins:
    """The pins of one chip, by number."""

    def __init__(self, chip):
        self._there = chip.pins
        self.range = min(self._there), max(self._there)
        self._output = _OUTPUT[chip.board]
        self._inputs_only = _INPUTS_ONLY.get(chip.name, ())
        self._outside = {}
        self.reset()

    def reset(self):
        """The chip drives no pin any more; what the bench does stays."""
        self._driven = {}

    def drive(self, number, level):
        """The bench sets a pin; ValueError if there is none of that number."""
        self.check(number)
        self._outside[number] = level

    def level(self, number):
        """What a voltmeter would say: 0 or 1."""
        return self._driven.get(number, self._outside.get(number, 0))

    def request(self, number, mode, *level):
        """What the chip does to a pin, as machine.Pin: sets its mode unless that is None, then its level or asks."""
        self.check(number)
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

    def check(self, number):
        """Raises what the chip does where there is no such pin."""
        if number not in self._there:
            raise ValueError("invalid pin")
