"""mpy-at on the PC: the simulator, the console and the build of the firmware.
The firmware itself is MicroPython and lives beside this package, not in it."""

__version__ = "0.1.0"
