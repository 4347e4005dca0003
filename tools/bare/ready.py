"""The least that a start can be: MicroPython comes up and says so."""

print("ready")
