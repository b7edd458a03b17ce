"""Doing jobs: one event loop for all of them, a lease for what is owed, and what happens when a job fails.

Celery's threads only bring the messages: each waits here until its coroutine has run on the loop of this
process, so there is one set of database connections and, on SQLite, one writer. This is the only place below
`web` and `api` that catches whatever may come.
"""

import asyncio
import concurrent.futures
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars

from fediblog import logs, moments
from fediblog.errors import FediblogError, NoSpace, TooMany, Unavailable
from fediblog.queue import Job
from fediblog.services import work
from fediblog.services.work import Work

log = structlog.get_logger()

# Errors that say "later" rather than "broken".
_LATER = (Unavailable, NoSpace, TooMany)

# They come every few seconds, mostly in vain.
_OFTEN = frozenset((Job.SWEEP, Job.RECEIVE, Job.DELIVER))

# Jobs that take long wait for a place in the loop instead of in a thread, so that they never take the threads
# from what people wait for. The numbers are for one process.
_PLACES = {"media": 2, "maintenance": 2}
_MOST_PENDING = 500

_WATCH = 5.0
_QUIET = 15.0
_PATIENCE_WHEN_QUIET = 5 * moments.SECOND
_LONGEST_PAUSE = moments.DAY
_TRIES = 8
_PAUSE = 1.0
_LAST_WORDS = 3.0

Duty = Callable[..., Awaitable[object]]
duties: dict[Job, Duty] = {}


@dataclass(frozen=True, slots=True)
class Tray:
    """What a worker tells those that keep rows of their own: its name when it begins, and when it stops."""

    begin: Callable[[str], Awaitable[object]]
    stop: Callable[[], object]


trays: dict[Job, Tray] = {}


def tray(job: Job, begin: Callable[[str], Awaitable[object]], stop: Callable[[], object]) -> None:
    """Says that a job by the clock takes rows which are not of `work`: letters, the inbox.

    `begin(owner)` frees what this name held when it died; after `stop()` no more is begun. Without a broker
    such a job is woken by the watch, like all others.
    """
    trays[job] = Tray(begin, stop)


def task(job: Job) -> Callable[[Duty], Duty]:
    """Makes a coroutine the one that does a job. Owed jobs get the key of their row, others nothing."""

    def register(duty: Duty) -> Duty:
        duties[job] = duty
        return duty

    return register


class Runner:
    """Does the jobs of one process, under the name `owner`, on the loop that runs when it is made."""

    def __init__(self, owner: str, jobs: Collection[Job] = tuple(Job), at_once: int = 8) -> None:
        self.owner = owner
        self._jobs = [job for job in jobs if job.owed]
        self._trays = [job for job in jobs if job in trays]
        self._loop = asyncio.get_running_loop()
        self._room = asyncio.Semaphore(at_once)
        self._places = {name: asyncio.Semaphore(number) for name, number in _PLACES.items()}
        self._doing: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()
        self._suspects = asyncio.Lock()
        self._in_hand: Counter[int] = Counter()
        self._in_doubt = False
        self._heard_at = time.monotonic()
        self._stopping = False

    def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run something on the loop and wait for its end, whatever that is. For threads."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        # A loop that ends at this moment never looks at it, and nobody should wait for ever then.
        while not concurrent.futures.wait([future], timeout=1).done and not self._loop.is_closed():
            pass

    async def take(self, job: Job, args: tuple[Any, ...], request_id: str = "") -> None:
        """A message has come. Returns when the job is done, or at once when it waits for a place."""
        self._heard_at = time.monotonic()
        if self._stopping or len(self._doing) >= _MOST_PENDING:
            return
        doing = self._spawn(self.perform(job, args, request_id), self._doing)
        if job.queue not in self._places:
            await asyncio.wait([doing])

    async def perform(self, job: Job, args: tuple[Any, ...] = (), request_id: str = "") -> None:
        """Do a job now. Whatever goes wrong is written down, never raised."""
        async with self._places.get(job.queue, nullcontext()):
            if self._stopping:
                return
            with bound_contextvars(job=job.value, request_id=logs.request_id_from(request_id)):
                await self._guarded(self._owed(job, *args) if job.owed else self._by_the_clock(job))

    async def watch(self) -> None:
        """Find due work without any broker, for ever: what the tray says is done even when no nudge comes.

        A process that hears nothing from the broker for a while takes work sooner.
        """
        while not self._stopping:
            quiet = time.monotonic() - self._heard_at > _QUIET
            patience = _PATIENCE_WHEN_QUIET if quiet else work.PATIENCE
            room = _MOST_PENDING - len(self._doing)
            found = await self._sweep(0 if await self._sort_out() else patience, room)
            if quiet:
                self._wake_trays()
            if len(found) < room:
                await asyncio.sleep(_WATCH)

    async def begin(self) -> None:
        """Free what this name held when it died, then start with everything that is due."""
        freed = await work.release(self.owner)
        if freed:
            log.warning("work of a worker that vanished is due again", rows=freed)
        for job in self._trays:
            await trays[job].begin(self.owner)
        await self._sweep(0, _MOST_PENDING)
        self._wake_trays()

    async def finish(self, seconds: float) -> None:
        """Take no more; what is being done gets so many seconds. The rest goes back into the tray."""
        self._stopping = True
        for job in self._trays:
            trays[job].stop()
        await _wait(self._doing, seconds)
        for doing in self._doing:
            doing.cancel()
        await _wait(self._doing | self._settling, _LAST_WORDS)
        try:
            await work.release(self.owner, crashed=False)
        except FediblogError as error:
            log.warning("leases could not be returned, they will run out", reason=error.message)

    async def _sort_out(self) -> bool:
        """True when the database was away and is back: nudges were spent in vain, and leases may stand.

        Whether a lease was written down when the connection broke nobody knew then; it is not in hand now.
        """
        if not self._in_doubt:
            return False
        try:
            leases = await work.leases(self.owner)
            await work.give_back(
                self.owner, {key: until for key, until in leases.items() if not self._in_hand[key]}
            )
        except (Unavailable, NoSpace):
            return False
        self._in_doubt = False
        return True

    async def _sweep(self, patience: int, most: int) -> list[tuple[Job, int]]:
        if most <= 0 or not self._jobs:
            return []
        try:
            found = await work.sweep(self._jobs, patience, most)
        except (Unavailable, NoSpace) as error:
            self._in_doubt = True
            log.warning("the tray cannot be read", reason=error.message)
            return []
        except Exception:
            log.exception("the tray cannot be read")
            return []
        for job, work_id in found:
            self._spawn(self._in_the_room(job, work_id), self._doing)
        return found

    def _wake_trays(self) -> None:
        for job in self._trays:
            self._spawn(self.perform(job), self._doing)

    async def _in_the_room(self, job: Job, work_id: int) -> None:
        # Who waits for a place of its own must not keep others out of the room meanwhile.
        async with nullcontext() if job.queue in self._places else self._room:
            await self.perform(job, (work_id,))

    async def _by_the_clock(self, job: Job) -> None:
        started = time.monotonic()
        async with asyncio.timeout(job.seconds):
            await duties[job]()
        _tell(job, "done", started)

    async def _owed(self, job: Job, work_id: int) -> None:
        if await self._take_and_do(job, work_id):
            return
        if await work.is_suspect(work_id) and len(self._doing) < _MOST_PENDING:
            # Not waited for: it would keep a thread or a place from others.
            self._spawn(self._guarded(self._alone(job, work_id)), self._doing)

    async def _alone(self, job: Job, work_id: int) -> None:
        # One at a time: when one of these kills us, none of the others is held responsible.
        async with self._suspects:
            if not self._stopping:
                await self._take_and_do(job, work_id, suspect=True)

    async def _take_and_do(self, job: Job, work_id: int, suspect: bool = False) -> bool:
        """False when the row was not to be had."""
        self._in_hand[work_id] += 1
        try:
            held = await work.lease(job, work_id, self.owner, suspect)
            if held is not None:
                await self._do(held)
            return held is not None
        finally:
            self._in_hand[work_id] -= 1
            if not self._in_hand[work_id]:
                del self._in_hand[work_id]

    async def _do(self, held: Work) -> None:
        with bound_contextvars(work_id=held.id, request_id=held.request_id or logs.request_id()):
            started = time.monotonic()
            outcome, settle = await self._attempt(held)
            # Shielded: what has been done is written down even when the stop comes at this moment.
            await asyncio.shield(self._spawn(_settle(settle), self._settling))
            _tell(held.job, outcome, started, key=held.key)

    async def _attempt(self, held: Work) -> tuple[str, Callable[[], Awaitable[None]]]:
        """Do it, and give the outcome in a word and as what is to be written."""
        try:
            async with asyncio.timeout(held.job.seconds):
                await duties[held.job](held.key)
        except _LATER as error:
            return "put off", partial(work.failed, held, error.message, _again_at(held, error))
        except Exception as error:
            log.exception("job failed", key=held.key, crashes=held.crashes + 1)
            return "failed", partial(work.failed, held, _describe(error, held.job), crash=True)
        return "done", partial(work.done, held)

    async def _guarded(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except (Unavailable, NoSpace) as error:
            self._in_doubt = True
            log.warning("job put off", reason=error.message)
        except Exception:
            log.exception("job failed")

    def _spawn(
        self, coroutine: Coroutine[Any, Any, None], where: set[asyncio.Task[None]]
    ) -> asyncio.Task[None]:
        doing = self._loop.create_task(coroutine)
        where.add(doing)
        doing.add_done_callback(where.discard)
        return doing


async def _settle(settle: Callable[[], Awaitable[None]]) -> None:
    # A database that restarts, or a disk full for a moment, should not make the same work be done twice.
    for _ in range(_TRIES - 1):
        try:
            return await settle()
        except (Unavailable, NoSpace):
            await asyncio.sleep(_PAUSE)
    await settle()


async def _wait(tasks: set[asyncio.Task[None]], seconds: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)


def _tell(job: Job, outcome: str, started: float, **more: Any) -> None:
    level = log.debug if job in _OFTEN else log.info
    level("job " + outcome, duration_ms=round((time.monotonic() - started) * 1000, 1), **more)


def _again_at(held: Work, error: FediblogError) -> int:
    asked: int = getattr(error, "retry_after", 0) * moments.SECOND
    return moments.now() + min(max(work.pause(held.attempts + 1), asked), _LONGEST_PAUSE)


def _describe(error: Exception, job: Job) -> str:
    if isinstance(error, TimeoutError):
        return f"It took longer than {job.seconds} s."
    return f"{type(error).__name__}: {error}"
