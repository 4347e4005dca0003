# Runs first, on the chip and in the simulator. What belongs to the board alone goes into /board.json.
import machine

try:
    import esp32  # noqa: F401  only the ESP32 family has it
except ImportError:
    pass
else:
    if machine.reset_cause() == machine.SOFT_RESET:
        # Only somebody at MicroPython's prompt starts anew so, as mpremote does. On this chip the prompt forgets that
        # AT+MPYREPL has given it the AT port; on the ESP8266 it is there by itself.
        from firmware import board

        board.load().prompt()
