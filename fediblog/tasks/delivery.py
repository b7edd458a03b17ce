"""Letters go out."""

from fediblog.activitypub import delivery
from fediblog.queue import Job
from fediblog.tasks.runner import task, tray

tray(Job.DELIVER, delivery.begin, delivery.stop)


@task(Job.DELIVER)
async def deliver() -> None:
    """Deliver all that is due."""
    await delivery.drain()
