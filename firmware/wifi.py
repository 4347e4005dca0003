"""The radio: joins a network, notices when it is gone, joins again. MicroPython's ports report no events,
so the state is polled; `listener(event)` hears of JOINED and LOST."""

import network
from micropython import const

from firmware.loop import Signal, Timer

JOINED, LOST = 0, 1

# What AT+CWSTATE? answers.
NEVER, NO_ADDRESS, UP, JOINING, DOWN = 0, 1, 2, 3, 4

# What `+CWJAP:n` tells.
TIMEOUT, WRONG_PASSWORD, NO_AP, FAILED = 1, 2, 3, 4

_JOINING_MS = const(40)
_UP_MS = const(250)
# The ESP32 port goes on showing why the last attempt failed until an address is got. The same
# reason again counts only when a new attempt has had the time for a scan of all channels.
_STALE_MS = const(4000)
# An attempt to come back to a network that was lost; joining by command has its own limit.
_RETRY_PATIENCE_MS = const(15000)


class Radio:
    """The station (and the softAP as far as AT+CWMODE switches it)."""

    def __init__(self, loop, failures, listener):
        self._listener = listener
        self._failures = failures  # status() of the port -> code of +CWJAP
        self._timer = Timer(loop, self._look)
        self.joined = Signal(loop)
        self.station = network.WLAN(network.STA_IF)
        self.softap = network.WLAN(network.AP_IF)
        self.mode = 0
        self.state = NEVER
        self.target = None  # (ssid, password, bssid or None) that is joined or wanted
        self.error = 0
        self.interval = 1  # seconds between attempts after a loss, 0 for none
        self._again = False  # whether a failed attempt is followed by another
        self._waited = self._patience = 0
        self._stale = None
        self._bssid = None

    def set_mode(self, mode):
        """0 off, 1 station, 2 softAP, 3 both. The station's network is left when the station goes."""
        starts = mode & ~self.mode & 1
        if self.mode & ~mode & 1:
            self.leave()
            self.state = NEVER
        self.mode = mode
        self.station.active(bool(mode & 1))
        self.softap.active(bool(mode & 2))
        if starts:
            # The ESP8266's SDK has a memory of its own, and by now joins the network that it was on last.
            self._disconnect()
            try:
                # Joining again after a loss is ours, so that the interval is the host's; 0 means none.
                self.station.config(reconnects=0)
            except ValueError:  # the ESP8266's SDK joins again by itself as well, and cannot be told not to
                pass

    def access_point(self):
        """Of the network that is joined: the AP's MAC address (bytes, or None), channel, signal in dBm.

        No port tells the address of the AP, so the first question after joining costs a scan."""
        if not self._bssid:
            ssid, _, self._bssid = self.target
            if not self._bssid:
                found = [ap for ap in self.station.scan() if ap[0] == ssid.encode()]
                if found:
                    self._bssid = max(found, key=lambda ap: ap[3])[1]
        return self._bssid, self.station.config("channel"), self.station.status("rssi")

    def join(self, ssid, password, bssid, patience_ms, again=False):
        """Starts to join; `joined` is set when that has ended, with `error` 0 or a code of +CWJAP."""
        self.leave()
        self.target = ssid, password, bssid
        self._again = again
        self._attempt(patience_ms)

    def _attempt(self, patience_ms):
        ssid, password, bssid = self.target
        self.state = JOINING
        self.error = 0
        self._bssid = None
        self._waited = 0
        self._patience = patience_ms
        self._stale = self.station.status()
        self.joined.clear()
        try:
            self.station.connect(ssid, password or None, bssid=bssid)
        except OSError:
            self._fail(FAILED)
            return
        self._timer.start(_JOINING_MS)

    def leave(self):
        """Leaves the network, or gives up joining it."""
        self._timer.stop()
        was_up = self.state == UP
        if self.state in (UP, JOINING, NO_ADDRESS):
            self.state = DOWN
            self._disconnect()
        if was_up:
            self._listener(LOST)

    def _look(self):
        if self.state in (JOINING, NO_ADDRESS):
            self._look_for_address()
        elif self.state == UP:
            if self.station.isconnected():
                self._timer.start(_UP_MS)
            else:
                self.state = DOWN
                self._disconnect()  # else the ESP8266's SDK comes back by itself, unasked
                self._listener(LOST)
                self._again = True
                self._later()
        elif self.target:
            self._attempt(_RETRY_PATIENCE_MS)

    def _look_for_address(self):
        self._waited += _JOINING_MS
        if self.station.isconnected():
            self.state = UP
            self._listener(JOINED)
            self.joined.set()
            self._timer.start(_UP_MS)
            return
        status = self.station.status()
        code = self._failures.get(status)
        self.state = JOINING
        if self._associated():
            self.state = NO_ADDRESS
            code = None  # a reason that is still shown is that of an earlier attempt
        if code and (status != self._stale or self._waited > _STALE_MS):
            self._fail(code)
        elif self._waited > self._patience:
            self._fail(code or TIMEOUT)
        else:
            self._timer.start(_JOINING_MS)

    def _associated(self):
        """Whether an AP has let the station in. The ports tell by having a signal strength to show."""
        try:
            return self.station.status("rssi") < 0  # without a network: 31 on the ESP8266
        except OSError:  # on the ESP32
            return False

    def _fail(self, code):
        self.error = code
        self._disconnect()
        self.state = DOWN
        self.joined.set()
        self._later()

    def _disconnect(self):
        try:
            self.station.disconnect()
        except OSError:  # nothing to leave or to give up
            pass

    def _later(self):
        if self._again and self.interval:
            self._timer.start(self.interval * 1000)
