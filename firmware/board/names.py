"""Which names the build has given to the values of board/, as lines "NAME NEW"; none where it gives no new names.
For the ESP8266 tools/build.py writes this module anew."""

NAMES = b""
