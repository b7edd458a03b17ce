"""Asking other servers for what somebody here has come across."""

from fediblog.activitypub import resolver, threads
from fediblog.queue import Job
from fediblog.tasks.runner import task


@task(Job.RESOLVE)
async def resolve(key: str) -> None:
    """Take in the account or the post with this address."""
    await threads.resolve(key)


@task(Job.REFRESH)
async def refresh(key: str) -> None:
    """Read the profile of an account elsewhere anew."""
    await resolver.refresh(int(key))
