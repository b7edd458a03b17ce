"""What keeps the house in order, by the clock: the sweep, mutes that end, rows nobody needs any more."""

from fediblog import queue
from fediblog.queue import Job
from fediblog.services import work
from fediblog.tasks.runner import task


@task(Job.SWEEP)
async def sweep() -> None:
    """Nudge what is due and has not been nudged for a while: the broker may have lost everything."""
    for job, work_id in await work.sweep():
        queue.nudge(job, work_id)
