"""Celery's worker as a thread of this process, and the order in which everything starts and stops.

The same worker serves the embedded default and the machines of a big installation: Celery's `WorkController`
with a pool of threads, whose tasks run on the event loop of the process (runner.py). There is no fork, so
nothing is left when the process is gone.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog
from celery import Celery
from celery.worker import WorkController, state

from fediblog import queue
from fediblog.queue import Job
from fediblog.tasks import (
    accounts,
    announcements,
    delivery,
    federation,
    fetching,
    inbox,
    mail,
    media,
    polls,
    rules,
    scheduled,
    timelines,
    upkeep,
)
from fediblog.tasks.runner import Runner, duties

log = structlog.get_logger()

# Importing them is what makes their jobs known.
AREAS = (
    accounts,
    announcements,
    delivery,
    federation,
    fetching,
    inbox,
    mail,
    media,
    polls,
    rules,
    scheduled,
    timelines,
    upkeep,
)

# How long work in progress may go on after the signal to stop, and how long Celery may take to say goodbye.
DRAIN = 18.0
_GOODBYE = 3.0
_LOOK = 5.0


@asynccontextmanager
async def working(
    app: Celery, owner: str, queues: Sequence[str] = queue.QUEUES, at_once: int = 8
) -> AsyncIterator[Runner]:
    """Work, as long as the block runs; on the way out finish what is in progress and return the rest.

    `owner` names this worker: what it held when it died is freed first, so no other may have the name.
    """
    runner = Runner(owner, [job for job in Job if job.queue in queues], at_once)
    await runner.begin()
    thread = _Thread(app, runner, queues, at_once)
    thread.start()
    chores = [asyncio.create_task(runner.watch()), asyncio.create_task(_keep_alive(thread))]
    try:
        yield runner
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        thread.ask_to_stop()
        await runner.finish(DRAIN)
        await thread.ended(_GOODBYE)


async def _keep_alive(thread: "_Thread") -> None:
    """Celery gives up on errors that it does not know. We do not."""
    while True:
        await asyncio.sleep(_LOOK)
        if not thread.alive:
            log.error("the worker's consumer has ended and is started again")
            thread.start()


class _Thread:
    """Celery's consumer. It brings messages to the runner until it is asked to stop."""

    def __init__(self, app: Celery, runner: Runner, queues: Collection[str], at_once: int) -> None:
        _register(app, runner)
        self._app = app
        self._options = {
            "app": app,
            "hostname": runner.owner,
            "pool_cls": "threads",
            "concurrency": at_once,
            "queues": list(queues),
            "without_gossip": True,
            "without_mingle": True,
            "without_heartbeat": True,
        }
        self._thread = threading.Thread()

    def start(self) -> None:
        """Consume. Celery connects again by itself for as long as it takes."""
        # Celery keeps this in a module: a worker that ran here before must not stop this one.
        state.should_stop = None
        # Its pool's threads ask for the default application, and know no task of any other.
        self._app.set_default()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it consumes, or tries to."""
        return self._thread.is_alive()

    def _run(self) -> None:
        WorkController(**self._options).start()

    def ask_to_stop(self) -> None:
        """What Celery's own signal handler does: its loop looks at this between two messages."""
        state.should_stop = 0
        if self._app.conf.broker_url == queue.IN_MEMORY:
            # There it waits up to two seconds for each of the next two messages: here they are.
            queue.nudge(Job.SWEEP)
            queue.nudge(Job.SWEEP)

    async def ended(self, seconds: float) -> None:
        """Wait for the end, but not for ever: the thread is a daemon."""
        await asyncio.to_thread(self._thread.join, seconds)
        if self.alive:
            log.warning("the worker's connection did not close in time")


def _register(app: Celery, runner: Runner) -> None:
    for job in duties:
        # Not shared: what is shared turns up in every application that this process makes later.
        app.task(_celery_task(job, runner), name=job.value, bind=True, typing=False, shared=False)


def _celery_task(job: Job, runner: Runner) -> Any:
    def take(self: Any, *args: Any) -> None:
        headers = self.request.headers or {}
        runner.run(runner.take(job, args, str(headers.get("request_id", ""))))

    return take
