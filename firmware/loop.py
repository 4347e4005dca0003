"""The event loop: commands, timers and background work are tasks of asyncio, in its queue. What is polled goes straight
to callbacks, so that steady traffic wakes no task and makes no object. Asyncio's own loop takes 2 KB of memory for what
only others need, so it is there, and runs the tasks, from when a command of one's own imports it, see sharing."""

import gc
import select
import sys
from _asyncio import Task, TaskQueue
from time import ticks_add, ticks_diff, ticks_ms

from micropython import const

# A collection costs as much as several short commands, so it waits until tasks and lines may have left garbage in about
# half of what was free, if each leaves so many bytes, and then for a moment in which nothing is due.
_GARBAGE = const(256)
# What has found no memory comes again after so long at the latest, and is given up after so many times in a row.
_AGAIN_MS = const(100)
_ATTEMPTS = const(50)


class Timer:
    """Calls `callback()` once, `ms` milliseconds after `start(ms)`, unless stopped; starting again moves it.

    It is one task of asyncio for all times, with itself in the place of the coroutine."""

    def __init__(self, loop, callback):
        self._loop = loop
        self._callback = callback
        self._task = Task(self)
        self._task.data = False  # asyncio makes it None when the task gets into its queue

    def start(self, ms):
        self.stop()
        self._loop.tasks.push(self._task, ticks_add(ticks_ms(), ms))

    def stop(self):
        if self._task.data is None:
            self._loop.tasks.remove(self._task)
            self._task.data = False

    def send(self, _):
        """For asyncio: it is time."""
        self._task.data = False
        try:
            self._callback()
        except Exception as error:  # asyncio would only tell of it
            if isinstance(error, MemoryError):
                self.start(_AGAIN_MS)
            self._loop.failed(error)


class Signal:
    """One task waits for it, anybody sets it; a set that comes early is kept until the wait."""

    def __init__(self, loop):
        self._loop = loop
        self._set = False
        self._task = None

    def set(self):
        self._set = True
        task = self._task
        # What is being cancelled is in asyncio's queue already, with something else in `data`.
        if task and (task.data is self or task.data is None):
            if task.data is None:
                self._loop.tasks.remove(task)
            self._loop.tasks.push(task, ticks_ms())

    def clear(self):
        self._set = False

    def wait(self, ms=-1):
        """Await it: True when set, False when `ms` milliseconds (if not negative) went by first."""
        if not self._set:
            self._loop.garbage += 1
            self._task = task = self._loop.context["cur_task"]
            if ms < 0:
                task.data = self  # to whom Task.cancel() says remove()
            else:
                self._loop.tasks.push(task, ticks_add(ticks_ms(), ms))
            try:
                yield
            finally:
                self._task = None
        done = self._set
        self._set = False
        return done

    def remove(self, task):
        """For asyncio: the task waits no longer."""
        self._task = None


class Loop:
    """Polls until a task is due, then gives each of `turns` a chance to move what has come together."""

    def __init__(self):
        self.tasks = TaskQueue()
        # What tasks know of their loop: in the end the globals of asyncio.core. `cur_task` is the one that runs.
        self.context = {"cur_task": None, "_task_queue": self.tasks, "CancelledError": GeneratorExit}
        self.core = None  # asyncio.core, once it is shared
        self.streams = ()  # those of asyncio that tasks wait for, and one thing more
        self.poll = select.poll()
        self.change = self.poll.modify  # change(pollable, events): from now on it is polled for these
        self.watched = {}
        self._soon = []
        self.garbage = self._enough = 0  # tasks and lines so far, and how many make a collection worth while
        self.hurry = False  # whether something can go on at once: then the next round does not sleep
        self.stopped = False
        self._fault = None
        self._failures = self._failed = 0  # how often in a row no memory was found, and when that was last, in ticks
        self.turns = []
        self.lacking = None  # called when something has found no memory
        # While set, it may poll in place of the loop, for up to `ms` and then for patience(): it returns None if it has
        # not, False if nothing is left to do in this round, True if something is. It may leave out the rest of a round
        # as long as all callbacks return True, which says that nothing is left to do.
        self.fast_path = None
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

    def forget(self, pollable):
        if self.watched.pop(pollable, None):
            self.poll.unregister(pollable)

    def start(self, coro, done):
        """Runs a coroutine as a task of asyncio, at once up to its first wait; returns the task. When it has ended by
        itself, `done(result, error)` is called once."""
        self.garbage += 1
        task = Task(self._run(coro, done), self.context)
        self._step(task)
        return task

    def cancel(self, task):
        """Ends a task of start() where it stands, without a call of its `done`. When this returns its `finally` blocks
        have run, but for what waits in them. One that waits for another task of asyncio ends soon, after that."""
        task.cancel()
        task.state = False
        if task.data is self.context["CancelledError"]:
            self.tasks.remove(task)
            self._step(task, task.data)

    def _step(self, task, error=None):
        """Has a task go on at once, whatever task this is called from."""
        outer = self.context["cur_task"]
        self.context["cur_task"] = task
        try:
            if error:
                task.coro.throw(error)
            else:
                task.coro.send(None)
        except StopIteration:
            task.state = False
        except MemoryError:  # there was none to throw
            task.coro.close()
        finally:
            self.context["cur_task"] = outer

    async def _run(self, coro, done):
        """What a task runs. Asyncio may keep it for long after its end, as what was next to it in the queue."""
        result = fault = None
        try:
            result = await coro
        except BaseException as error:  # whatever it is, it belongs to the one who started the task
            fault = error
        coro = None
        try:
            if self.context["cur_task"].state:
                done(result, fault)
            elif isinstance(fault, Exception):
                sys.print_exception(fault)
        except Exception as error:
            self.failed(error)

    def sleep(self, ms):
        """Await it: a pause that holds up only the task that asked for it."""
        return Signal(self).wait(ms)

    def soon(self, callback):
        """Calls `callback()` once after polling: from there sockets may be added to those that are polled."""
        self._soon.append(callback)

    def stop(self, fault=None):
        """Ends run(), which raises `fault`, if there is one."""
        self.stopped = True
        self._fault = fault

    def failed(self, error):
        """Takes an exception that is nobody's. Want of memory ends nothing, unless it lasts: what has found none is
        done again in the next rounds."""
        if isinstance(error, MemoryError):
            self.lacking()
            now = ticks_ms()
            self._failures = self._failures + 1 if ticks_diff(now, self._failed) < _AGAIN_MS else 0
            self._failed = now
            if self._failures <= _ATTEMPTS:
                return
        self.stop(error)

    def run(self):
        """Goes round until stop(), or raises what failed."""
        while not self.stopped:
            try:
                if self.core:
                    self.core.run_until_complete()
                else:
                    self.wait()
            except GeneratorExit:  # see sharing
                pass
            except MemoryError as error:  # it goes on where it was
                self.failed(error)
        if self._fault:
            raise self._fault

    def wait(self):
        """Goes round and runs tasks until stop(), or until asyncio itself has a task to run."""
        # All in one function, which has its state on the heap, as it is too large for the stack.
        watched, tasks = self.watched, self.tasks
        self.context["cur_task"] = None  # asyncio's last one; what follows is no part of it
        turned = False
        while not self.stopped:
            try:
                if not turned:
                    turned = True  # what fails is not done again before something else has been
                    for turn in self.turns:
                        turn()
                done = False
                while not done:
                    ms = self.patience()
                    self.hurry = False
                    # A fast path knows no streams of asyncio.
                    done = self.fast_path(ms) if ms and self.fast_path and len(self.streams) < 2 else None
                    if done is None:
                        done = True
                        for pollable, events in self.poll.ipoll(ms):
                            callback = watched.get(pollable)
                            if callback:
                                callback(events)
                            else:
                                self.core._io_queue.wake(pollable, events)
                for _ in range(len(self._soon)):
                    self._soon.pop(0)()
                turned = False
            except MemoryError as error:
                self.failed(error)
            task = tasks.peek()
            if task and ticks_diff(task.ph_key, ticks_ms()) <= 0:
                if self.core:
                    return
                self._step(tasks.pop())

    def patience(self):
        """Milliseconds that poll may sleep; collects first when it would sleep anyway."""
        ms = -1
        task = self.tasks.peek()
        if task:
            ms = max(ticks_diff(task.ph_key, ticks_ms()), 0)
        if self.hurry or self._soon:
            ms = 0
        if self.garbage > self._enough and ms:
            self.garbage = 0
            self.lowest = min(self.lowest, gc.mem_free())
            gc.collect()
            self._enough = gc.mem_free() // (2 * _GARBAGE)
        return ms
