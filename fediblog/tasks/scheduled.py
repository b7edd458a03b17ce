"""Posts for later are published."""

from fediblog.queue import Job
from fediblog.services import scheduled
from fediblog.tasks.runner import task


@task(Job.PUBLISH)
async def publish(key: str) -> None:
    """Publish a post whose time has come."""
    await scheduled.publish(int(key))
