"""What keeps the house in order by the clock: the sweep, mutes that end, old rows, the numbers of a day."""

from fediblog import queue
from fediblog.queue import Job
from fediblog.services import mutes, orphans, statistics, trending, upkeep, work
from fediblog.tasks.runner import task


@task(Job.SWEEP)
async def sweep() -> None:
    """Nudge what is due and has not been nudged for a while: the broker may have lost everything."""
    for job, work_id in await work.sweep():
        queue.nudge(job, work_id)


@task(Job.EXPIRE_MUTES)
async def expire_mutes() -> None:
    """Lift the mutes whose time is over."""
    await mutes.expire_mutes()


@task(Job.STATISTICS)
async def count_days() -> None:
    """Count the days that have not been counted; when there are very many, go on in a while."""
    if await statistics.back_fill():
        queue.nudge(Job.STATISTICS)


@task(Job.UPKEEP)
async def prune() -> None:
    """Throw away what is over."""
    await upkeep.prune()


@task(Job.TRENDS)
async def count_trends() -> None:
    """Count what many talk about."""
    await trending.compute()


@task(Job.ORPHANS)
async def sweep_files() -> None:
    """Remove the files that no row names any more."""
    await orphans.sweep()
