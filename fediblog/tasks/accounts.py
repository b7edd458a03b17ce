"""Accounts that are deleted."""

from fediblog.queue import Job
from fediblog.services import deletion
from fediblog.tasks.runner import task


@task(Job.ERASE)
async def erase(key: str) -> None:
    """Take away what a deleted account has left."""
    await deletion.erase(int(key))
