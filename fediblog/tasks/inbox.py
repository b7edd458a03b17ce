"""What others have brought has its effect."""

from fediblog.activitypub.inbox import processing
from fediblog.queue import Job
from fediblog.tasks.runner import task, tray

tray(Job.RECEIVE, processing.begin, processing.stop)


@task(Job.RECEIVE)
async def receive() -> None:
    """Give all activities that are due their effect."""
    await processing.drain()
