"""What comes by the clock, and the beat that says when. Exactly one beat runs for one installation."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from celery import Celery
from celery.beat import EmbeddedService, Scheduler
from celery.schedules import crontab
from redis.asyncio import Redis
from redis.exceptions import RedisError

from fediblog import queue
from fediblog.config import Config
from fediblog.ending import end
from fediblog.queue import Job

log = structlog.get_logger()

_SECONDS: dict[Job, float] = {Job.SWEEP: 5, Job.RECEIVE: 5, Job.DELIVER: 5, Job.EXPIRE_MUTES: 60}
# Today is counted anew each hour, and a day a last time a little after its end, when all of it is there.
_CLOCK = {
    Job.STATISTICS: crontab(minute=5),
    Job.UPKEEP: crontab(minute=17),
    Job.TRENDS: crontab(minute="*/15"),
    Job.TRIM: crontab(hour=3, minute=40),
    Job.ORPHANS: crontab(hour=4, minute=20),
}
# These also come when the beat starts: for the days and hours in which none was running.
_AT_START = (Job.STATISTICS, Job.UPKEEP)

_LOCK = "fediblog:beat"
_LOCK_SECONDS = 15
_RENEW_SECONDS = 4.0
# Take the lock when it is free, or renew it when it is ours, in one step; 0 when somebody else has it.
_TAKE = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
_LET_GO = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


@asynccontextmanager
async def beating(app: Celery, config: Config) -> AsyncIterator[None]:
    """The clock ticks while the block runs.

    In one process it is alone by nature. With Redis whoever holds a lock there ticks, the others stand by.
    """
    lock = None if config.embedded else Lock(config.redis.url.get_secret_value())
    keeping = asyncio.create_task(_keep(app, lock), name="beat")
    try:
        yield
    finally:
        await end(keeping)
        if lock is not None:
            await lock.let_go()


class Beat:
    """Celery's beat in a thread of this process."""

    def __init__(self, app: Celery) -> None:
        app.conf.beat_schedule = _schedule()
        self._thread = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)

    def start(self) -> None:
        """Start the clock. What belongs to a start is nudged."""
        self._thread.start()
        for job in _AT_START:
            queue.nudge(job)

    @property
    def alive(self) -> bool:
        """Whether it ticks."""
        return bool(self._thread.is_alive())

    def stop(self) -> None:
        """Stop the clock. A broker that hangs does not hold us up: the thread is a daemon."""
        self._thread.service.stop()
        self._thread.join(timeout=2)


class Lock:
    """A lock in Redis that ends by itself some seconds after its holder has."""

    def __init__(self, url: str) -> None:
        self._redis = Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
        self._token = secrets.token_hex(16)

    async def take(self) -> bool:
        """Take it, or renew what we have. False when somebody else has it, or when nobody can tell."""
        try:
            return bool(await self._redis.eval(_TAKE, 1, _LOCK, self._token, str(_LOCK_SECONDS)))
        except (RedisError, OSError):
            return False

    async def let_go(self) -> None:
        """Give it to whoever waits for it."""
        with suppress(RedisError, OSError):
            await self._redis.eval(_LET_GO, 1, _LOCK, self._token)
        await self._redis.aclose()


async def _keep(app: Celery, lock: Lock | None) -> None:
    """Tick while the lock is ours, until cancelled."""
    beat: Beat | None = None
    try:
        while True:
            ours = lock is None or await lock.take()
            if beat is not None and not (ours and beat.alive):
                log.warning("this beat stands by: it ended, another has the lock, or Redis is away")
                await asyncio.to_thread(beat.stop)
                beat = None
            if ours and beat is None:
                log.info("this beat ticks now")
                beat = Beat(app)
                beat.start()
            await asyncio.sleep(_RENEW_SECONDS)
    finally:
        if beat is not None:
            await asyncio.to_thread(beat.stop)


def _schedule() -> dict[str, dict[str, Any]]:
    return {
        job.value: {
            "task": job.value,
            "schedule": when,
            # One that nobody took before the next comes is void.
            "options": {"queue": job.queue, "expires": 15 if when == 5 else queue.LIFETIME},
        }
        for job, when in {**_SECONDS, **_CLOCK}.items()
    }
