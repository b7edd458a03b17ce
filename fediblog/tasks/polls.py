"""Polls end, and others hear how they stand."""

from fediblog.queue import Job
from fediblog.services import polls
from fediblog.tasks.runner import task


@task(Job.CLOSE_POLL)
async def close(key: str) -> None:
    """Close a poll whose time is over."""
    await polls.close(int(key))


@task(Job.TALLY)
async def tally(key: str) -> None:
    """Tell how a poll stands after the votes of the last minute."""
    await polls.tell_tally(int(key))
