"""The event loop: what to do when a socket, the UART or a timer has something, and the tasks that wait for it.
Callbacks carry the data path, so that steady traffic allocates nothing; coroutines carry the commands."""

import gc
import select
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

# A collection costs as much as several short commands, so it waits until tasks and lines may have left garbage in about
# half of what was free, if each leaves so many bytes, and then for a moment in which nothing is due.
_GARBAGE = const(256)
# What has found no memory comes again after so long at the latest, and is given up after so many times in a row.
_AGAIN_MS = const(100)
_ATTEMPTS = const(50)


class Timer:
    """Calls `callback()` once, `ms` milliseconds after `start(ms)`, unless stopped; starting again moves it."""

    def __init__(self, loop, callback):
        self._loop = loop
        self._callback = callback
        self._active = False
        self._due = 0

    def start(self, ms):
        loop = self._loop
        self._due = due = ticks_add(ticks_ms(), ms)
        if not loop._timers or ticks_diff(due, loop._due) < 0:
            loop._due = due
        if not self._active:
            loop._timers.append(self)
            self._active = True

    def stop(self):
        if self._active:
            self._active = False
            self._loop._timers.remove(self)


class Signal:
    """One task waits for it, anybody sets it; a set that comes early is kept until the wait."""

    def __init__(self, loop):
        self._loop = loop
        self._set = False
        self._task = None

    def set(self):
        self._set = True
        if self._task:
            self._loop.wake(self._task)

    def clear(self):
        self._set = False

    def wait(self, ms=-1):
        """Await it: True when set, False when `ms` milliseconds (if not negative) went by first."""
        if not self._set:
            self._task = task = self._loop.task
            task.late = False
            if ms >= 0:
                task.timer.start(ms)
            try:
                while not self._set and not task.late:
                    yield
            finally:
                task.timer.stop()
                self._task = None
        done = self._set
        self._set = False
        return done


class Task:
    """A coroutine that the loop drives; `done(result, error)` is called once when it has ended by itself."""

    def __init__(self, loop, coro, done):
        self._coro = coro
        self._done = done
        self._loop = loop
        self.late = self.ended = False
        self.timer = Timer(loop, self._timeout)

    def _timeout(self):
        self.late = True
        self._loop.wake(self)

    def step(self):
        try:
            self._coro.send(None)
        except StopIteration as stop:
            self.ended = True
            self._done(stop.value, None)
        except Exception as error:  # whatever it is, it belongs to the one who started the task
            self.ended = True
            self._done(None, error)

    def cancel(self):
        """Ends the coroutine where it stands (its `finally` blocks run); `done` is not called."""
        self.timer.stop()
        self._coro.close()
        if self in self._loop._ready:
            self._loop._ready.remove(self)


class Loop:
    """Polls, fires timers, runs tasks, then gives each of `turns` a chance to move what has come together."""

    def __init__(self):
        self.poll = select.poll()
        self.watched = {}
        self._timers = []
        self._due = 0  # no timer is due before; the one that was may have been stopped or put off
        self._ready = []
        self._soon = []
        self.garbage = self._enough = 0  # tasks and lines so far, and how many make a collection worth while
        self._stopped = self._late = False
        self.hurry = False  # whether something can go on at once: then the next round does not sleep
        self.task = None  # the one that runs at this moment
        self.turns = []
        self.lacking = None  # called when something has found no memory
        # While set, it may poll in place of the loop, for up to `ms` and then for patience(): it returns None if it has
        # not, False if nothing is left to do in this round, True if something is. It may leave out the rest of a round
        # as long as all callbacks return True, which says that nothing is left to do.
        self.express = None
        self.lowest = gc.mem_free()  # bytes of heap that were free at the worst collection so far

    def watch(self, pollable, events, callback):
        """Calls `callback(events)` while `pollable` has any of `events` (select.POLL*). It may return True if nothing
        is left to do in this round."""
        self.watched[pollable] = callback
        try:
            self.poll.register(pollable, events)
        except MemoryError:
            del self.watched[pollable]
            raise

    def change(self, pollable, events):
        self.poll.modify(pollable, events)

    def forget(self, pollable):
        if self.watched.pop(pollable, None):
            self.poll.unregister(pollable)

    def start(self, coro, done):
        """Runs a coroutine as a task, at once up to its first wait."""
        task = Task(self, coro, done)
        self._step(task)
        return task

    def _step(self, task):
        outer = self.task
        self.task = task
        self.garbage += 1
        try:
            task.step()
        finally:
            self.task = outer

    def wake(self, task):
        if task not in self._ready:
            self._ready.append(task)

    def sleep(self, ms):
        """Await it: a pause that holds up only the task that asked for it."""
        return Signal(self).wait(ms)

    def soon(self, callback):
        """Calls `callback()` once after polling: from there sockets may be added to those that are polled."""
        self._soon.append(callback)

    def stop(self):
        self._stopped = True

    def run(self):
        """Goes round until stop(). What finds no memory is done again in the next rounds; only if that never helps, it
        is the MemoryError of run()."""
        failures = 0
        while not self._stopped:
            began = ticks_ms()
            try:
                self._rounds()
            except MemoryError:
                self.lacking()
                failures = failures + 1 if ticks_diff(ticks_ms(), began) < _AGAIN_MS else 0
                if failures > _ATTEMPTS:
                    raise

    def _rounds(self):
        watched = self.watched
        while not self._stopped:
            ms = self.patience()
            self.hurry = False
            done = self.express(ms) if ms and self.express else None
            if done is None:
                for pollable, events in self.poll.ipoll(ms):
                    watched[pollable](events)
            elif not (done or self._soon):
                continue
            for _ in range(len(self._soon)):
                self._soon.pop(0)()
            if self._late:
                self._fire()
            while self._ready:
                self._step(self._ready.pop(0))
            for turn in self.turns:
                turn()

    def patience(self):
        """Milliseconds that poll may sleep; collects first when it would sleep anyway."""
        ms = -1
        if self._timers:
            ms = ticks_diff(self._due, ticks_ms())
            if ms <= 0:
                self._late = True
                ms = 0
        if self._ready or self.hurry or self._soon:
            ms = 0
        if self.garbage > self._enough and ms:
            self.garbage = 0
            self.lowest = min(self.lowest, gc.mem_free())
            gc.collect()
            self._enough = gc.mem_free() // (2 * _GARBAGE)
        return ms

    def _fire(self):
        self._late = False
        now = ticks_ms()
        i = len(self._timers)
        while i:
            i -= 1
            # A callback may stop other timers, so the list can be shorter than it was.
            if i < len(self._timers):
                timer = self._timers[i]
                if ticks_diff(timer._due, now) <= 0:
                    timer.stop()
                    try:
                        timer._callback()
                    except MemoryError:
                        timer.start(_AGAIN_MS)
                        raise
        for i, timer in enumerate(self._timers):
            if not i or ticks_diff(timer._due, self._due) < 0:
                self._due = timer._due
