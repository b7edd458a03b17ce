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
from fediblog.queue import Job

log = structlog.get_logger()

_SECONDS: dict[Job, float] = {Job.SWEEP: 5, Job.EXPIRE_MUTES: 60}
# Today is counted anew each hour, and a day a last time a little after its end, when all of it is there.
_CLOCK = {
    Job.STATISTICS: crontab(minute=5),
    Job.UPKEEP: crontab(minute=17),
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
    if config.embedded:
        beat = Beat(app)
        beat.start()
        try:
            yield
        finally:
            await asyncio.to_thread(beat.stop)
        return
    keeping = asyncio.create_task(_keep(app, config), name="beat")
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


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

    def stop(self) -> None:
        """Stop the clock. A broker that hangs does not hold us up: the thread is a daemon."""
        self._thread.service.stop()
        self._thread.join(timeout=2)


async def _keep(app: Celery, config: Config) -> None:
    """Hold or wait for the lock, and tick while it is ours, until cancelled."""
    token = secrets.token_hex(16)
    beat: Beat | None = None
    url = config.redis.url.get_secret_value()
    async with Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3) as redis:
        try:
            while True:
                ours = await _take(redis, token)
                if ours and beat is None:
                    log.info("this beat ticks now")
                    beat = Beat(app)
                    beat.start()
                elif not ours and beat is not None:
                    log.warning("this beat stands by: another has the lock, or Redis is away")
                    await asyncio.to_thread(beat.stop)
                    beat = None
                await asyncio.sleep(_RENEW_SECONDS)
        finally:
            if beat is not None:
                await asyncio.to_thread(beat.stop)
            with suppress(RedisError, OSError):
                await redis.eval(_LET_GO, 1, _LOCK, token)


async def _take(redis: Redis, token: str) -> bool:
    try:
        return bool(await redis.eval(_TAKE, 1, _LOCK, token, str(_LOCK_SECONDS)))
    except (RedisError, OSError):
        return False


def _schedule() -> dict[str, dict[str, Any]]:
    return {
        job.value: {
            "task": job.value,
            "schedule": when,
            # One that nobody took before the next comes is void.
            "options": {"queue": job.queue, "expires": 4 if job is Job.SWEEP else queue.LIFETIME},
        }
        for job, when in {**_SECONDS, **_CLOCK}.items()
    }
