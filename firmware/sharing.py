"""Asyncio for commands of one's own: its tasks are in the loop's queue, its streams in what the loop polls, and then
on its own loop runs all tasks. This is loaded when asyncio is."""

import select
from asyncio import core
from time import ticks_ms


class _Poller(core.IOQueue):
    """What asyncio waits with."""

    def __init__(self, loop):
        super().__init__()
        self.loop = loop
        self.poller = loop.poll
        self.again = False
        self.map[0] = None, None, None  # asyncio goes on without a task while there is something; this is no stream

    def wait_io_event(self, left):
        # In `left` ms a task is due; -1: there is none. After that asyncio looks at the time, and comes again.
        if self.again:
            self.again = False
            return
        self.loop.wait()
        if self.loop.stopped:
            raise GeneratorExit
        self.again = left > 0

    def wake(self, stream, events):
        """Does what IOQueue.wait_io_event() does with the tasks that wait for a stream."""
        tasks = self.map[id(stream)]
        for place, other in enumerate((select.POLLOUT, select.POLLIN)):
            if events & ~other and tasks[place]:
                core._task_queue.push(tasks[place], ticks_ms())
                tasks[place] = None
        if tasks[0] or tasks[1]:
            self.poller.modify(stream, select.POLLIN if tasks[0] else select.POLLOUT)
        else:
            self._dequeue(stream)


def share(loop):
    """Has asyncio and the loop go on as one."""
    context = core.__dict__
    core._task_queue = loop.tasks
    core._io_queue = queue = _Poller(loop)
    core.cur_task = loop.context["cur_task"]
    core.Task(None, context)  # it is this that Task.cancel() looks into from now on
    loop.context = context
    loop.streams = queue.map
    loop.core = core
