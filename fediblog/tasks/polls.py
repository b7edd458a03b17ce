"""Polls end."""

from fediblog.queue import Job
from fediblog.services import polls
from fediblog.tasks.runner import task


@task(Job.CLOSE_POLL)
async def close(key: str) -> None:
    """Close a poll whose time is over."""
    await polls.close(int(key))
