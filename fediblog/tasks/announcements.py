"""What the staff announces is told to those who listen."""

from fediblog.queue import Job
from fediblog.services import announcements
from fediblog.tasks.runner import task


@task(Job.ANNOUNCE)
async def announce(key: str) -> None:
    """Tell of an announcement that came or went."""
    await announcements.tell(int(key))
