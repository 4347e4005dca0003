"""A small event loop: file descriptors and timers, in one thread.
Used in place of asyncio because importing that would take a third of the simulator's start-up time."""

import heapq
import itertools
import selectors
import time


class Loop:
    """Calls back when a descriptor is readable or a time, in seconds of time(), has come."""

    def __init__(self):
        self.running = True
        self._selector = selectors.DefaultSelector()
        self._timers = []
        self._order = itertools.count()
        self._ahead = 0.0

    def time(self):
        """Seconds, those included that were skipped."""
        return time.monotonic() + self._ahead

    def skip(self, seconds):
        """Lets so much time pass at once."""
        self._ahead += seconds

    def watch(self, fd, callback, events=selectors.EVENT_READ):
        """Calls callback() whenever fd is ready; a second call for the same fd replaces the first."""
        if fd in self._selector.get_map():
            self._selector.modify(fd, events, callback)
        else:
            self._selector.register(fd, events, callback)

    def forget(self, fd):
        """Stops watching fd; does nothing if it is not watched."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def at(self, when, callback):
        """Calls callback() once, at the time `when`; returns a handle for cancel()."""
        timer = [when, next(self._order), callback]
        heapq.heappush(self._timers, timer)
        return timer

    def cancel(self, timer):
        """Takes back a timer; does nothing for None or one that has run."""
        if timer is not None:
            timer[2] = None

    def stop(self):
        self.running = False

    def run(self):
        """Runs until stop()."""
        while self.running:
            for key, _ in self._selector.select(self._run_timers()):
                # An earlier callback of this round may have closed the descriptor.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()

    def _run_timers(self):
        """Runs what is due and returns the seconds until the next timer, None without one."""
        while self._timers and self.running:
            when, _, callback = self._timers[0]
            if callback is not None and (left := when - self.time()) > 0:
                return left
            heapq.heappop(self._timers)
            if callback is not None:
                callback()
        return None if self.running else 0
