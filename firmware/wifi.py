"""The radio: joins a network, notices when it is gone, joins again. MicroPython's ports report no events,
so the state is polled; `listener(event)` hears of JOINED, MOVED and LOST."""

import network
from micropython import const

from firmware.loop import Signal, Timer

# MOVED: the address is another one, or gone for now (then the state is NO_ADDRESS).
JOINED, MOVED, LOST = 0, 1, 2

# What AT+CWSTATE? answers.
NEVER, NO_ADDRESS, UP, JOINING, DOWN = 0, 1, 2, 3, 4

# What `+CWJAP:n` tells.
TIMEOUT, WRONG_PASSWORD, NO_AP, FAILED = 1, 2, 3, 4

# As the least security 1 stands for any kind of WPA; in a list of networks it is WEP.
_ANY_WPA = const(1)
_WPA = const(2)
_NOWHERE = "0.0.0.0"
_JOINING_MS = const(40)
_UP_MS = const(250)
# Asking for the address makes garbage, so only each so many looks do.
_ADDRESS_LOOKS = const(4)
# The ESP32 port goes on showing why the last attempt failed until an address is got. The same
# reason again counts only when a new attempt has had the time for a scan of all channels.
_STALE_MS = const(4000)
# An attempt to come back to a network that was lost; joining by command has its own limit.
_RETRY_PATIENCE_MS = const(15000)


class Radio:
    """The station, and both interfaces' being on or off."""

    def __init__(self, loop, failures, listener):
        self._listener = listener
        self._failures = failures  # status() of the port -> code of +CWJAP
        self._timer = Timer(loop, self._look)
        self.joined = Signal(loop)
        self.station = network.WLAN(network.STA_IF)
        self.softap = network.WLAN(network.AP_IF)
        self.mode = 0
        self.state = NEVER
        # What is joined or wanted: (ssid as bytes, password, bssid or None, least security, whether to look for the
        # strongest).
        self.target = None
        self.error = 0
        self.interval, self.repeats = 1, 0  # seconds between attempts (0: none), how many (0: no end)
        self.listing = 1, 0x7FF, -100, 0xFFFF  # AT+CWLAPOPT
        self._again = False  # whether a failed attempt is followed by another
        self._left = 0  # attempts that are left, if they have an end
        self._told = False  # whether the listener has heard of JOINED, and not yet of LOST
        self._address = None
        self._waited = self._patience = self._looks = 0
        self._stale = None
        self.bssid = None

    def set_mode(self, mode):
        """0 off, 1 station, 2 softAP, 3 both; returns what was switched on, in the same way.

        The station's network is left when the station goes."""
        starts = mode & ~self.mode
        if self.mode & ~mode & 1:
            self.leave()
            self.state = NEVER
        self.mode = mode
        self.station.active(bool(mode & 1))
        self.softap.active(bool(mode & 2))
        if starts & 1:
            # The ESP8266's SDK has a memory of its own, and by now joins the network that it was on last.
            self._disconnect()
            try:
                # Joining again after a loss is ours, so that the interval is the host's; 0 means none.
                self.station.config(reconnects=0)
            except ValueError:  # the ESP8266's SDK joins again by itself as well, and cannot be told not to
                pass
        return starts

    def access_point(self):
        """Of the network that is joined: the AP's MAC address (bytes, None if it is not known), channel, signal in
        dBm."""
        self.bssid = self.bssid or self.target[2]
        return self.bssid, self.station.config("channel"), self.station.status("rssi")

    def join(self, target, patience_ms, again=False):
        """Starts to join; `joined` is set when that has ended, with `error` 0 or a code of +CWJAP."""
        self.leave()
        self.target = target
        self._again = again
        self._left = self.repeats
        self._attempt(patience_ms)

    def rejoin(self):
        """Starts to join what was left or lost."""
        self.join(self.target, _RETRY_PATIENCE_MS, True)

    def online(self):
        """Whether there is a network that a peer may be in: the station's, or that of the softAP."""
        return self.state == UP or self.mode & 2

    def set_reconnect(self, interval, repeats):
        """The interval and the number of attempts, from the next one on."""
        self.interval = interval
        self.repeats = self._left = repeats
        if self.state == DOWN:
            self._timer.stop()
            self._later()

    def _attempt(self, patience_ms):
        self.state = JOINING
        self.error = 0
        self._waited = 0
        self._patience = patience_ms
        self._stale = self.station.status()
        self.joined.clear()
        try:
            found, self.bssid = self._choose()
            if found:
                ssid, password = self.target[:2]
                self.station.connect(ssid, password or None, bssid=self.bssid)
        except (OSError, RuntimeError):  # the second is what the ESP32's port makes of rarer faults
            self._fail(FAILED)
        else:
            if found:
                self._timer.start(_JOINING_MS)
            else:
                self._fail(NO_AP)

    def _choose(self):
        """Whether there may be an AP to join, and its BSSID, None if that is the chip's to find.

        No port can be told what to look for, so where the host wants the strongest AP, or none below some kind of
        security, that is found out by a scan."""
        ssid, _, bssid, least, strongest = self.target
        if not least and not strongest:
            return True, bssid
        if least == _ANY_WPA:
            least = _WPA
        best = None
        for ap in self.station.scan():
            fits = ap[0] == ssid and ap[4] >= least and bssid in (None, ap[1])
            if fits and (best is None or ap[3] > best[3]):
                best = ap
        if best:
            return True, best[1]
        # A network may hide its name, but not what it needs.
        return not least, bssid

    def leave(self):
        """Leaves the network, or gives up joining it."""
        self._timer.stop()
        self._again = False
        if self.state in (UP, JOINING, NO_ADDRESS):
            self.state = DOWN
            self._disconnect()
        self._tell_lost()

    def _tell_lost(self):
        if self._told:
            self._told = False
            self._listener(LOST)

    def _look(self):
        if self.state in (JOINING, NO_ADDRESS):
            self._look_for_address()
        elif self.state == UP:
            self._looks = (self._looks + 1) % _ADDRESS_LOOKS
            if self._looks and self.station.isconnected():
                self._timer.start(_UP_MS)
            else:
                self.check()
        elif self.target:
            self._left -= 1
            self._attempt(_RETRY_PATIENCE_MS)

    def check(self):
        """Looks whether the network and its address are still what they were."""
        if self.state != UP:
            return
        self._timer.start(_UP_MS)
        address = self._current()
        if address == self._address:
            return
        if address:
            self._address = address
            self._listener(MOVED)
        elif self._associated():
            self.state = NO_ADDRESS
            self._waited = 0
            self._patience = _RETRY_PATIENCE_MS
            self._listener(MOVED)
        else:
            self._lose()

    def _lose(self):
        self.state = DOWN
        self._disconnect()  # else the ESP8266's SDK comes back by itself, unasked
        self._tell_lost()
        self._again = True
        self._left = self.repeats
        self._later()

    def _current(self):
        """The station's address, None without one: the ESP32's port goes on being connected when it has lost that."""
        address = self.station.ipconfig("addr4")[0] if self.station.isconnected() else _NOWHERE
        return None if address == _NOWHERE else address

    def _look_for_address(self):
        self._waited += _JOINING_MS
        address = self._current()
        if address:
            self.state = UP
            self._address = address
            event = MOVED if self._told else JOINED
            self._told = True
            self._listener(event)
            self.joined.set()
            self._timer.start(_UP_MS)
            return
        status = self.station.status()
        code = self._failures.get(status)
        self.state = JOINING
        if self._associated():
            self.state = NO_ADDRESS
            code = None  # a reason that is still shown is that of an earlier attempt
        elif self._told:
            self._lose()
            return
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
        if self._told:  # joined, but without an address for too long
            self._lose()
            return
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
        if self._again and self.interval and (self._left > 0 or not self.repeats):
            self._timer.start(self.interval * 1000)
