"""What comes by the clock, and the beat that says when. Exactly one beat runs for one installation."""

from typing import Any

import structlog
from celery import Celery
from celery.beat import EmbeddedService, Scheduler
from celery.schedules import crontab

from fediblog import queue
from fediblog.queue import Job

log = structlog.get_logger()

_SECONDS: dict[Job, float] = {Job.SWEEP: 5, Job.EXPIRE_MUTES: 60}
# The day is counted a little after its end, so that what was posted in its last moment is in the database.
_CLOCK = {Job.STATISTICS: crontab(hour=0, minute=5), Job.UPKEEP: crontab(minute=17)}
# These also come when the beat starts: for the days and hours in which none was running.
_AT_START = (Job.STATISTICS, Job.UPKEEP)


class Beat:
    """Celery's beat in a thread of this process."""

    def __init__(self, app: Celery) -> None:
        app.conf.beat_schedule = _schedule()
        self._service = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)

    def start(self) -> None:
        """Start the clock. What belongs to a start is nudged."""
        self._service.start()
        for job in _AT_START:
            queue.nudge(job)

    def stop(self) -> None:
        """Stop the clock. A broker that hangs does not hold us up: the thread is a daemon."""
        self._service.service.stop()
        self._service.join(timeout=2)


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
