"""Uploads become files that are safe to show."""

from fediblog.queue import Job
from fediblog.services import media
from fediblog.tasks.runner import task


@task(Job.MEDIA)
async def process(key: str) -> None:
    """Make the files of an upload."""
    await media.process(int(key))
