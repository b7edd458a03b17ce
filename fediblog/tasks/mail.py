"""Mails leave."""

from fediblog.queue import Job
from fediblog.services import mail
from fediblog.tasks.runner import task


@task(Job.MAIL)
async def send(key: str) -> None:
    """Send a mail that waits."""
    await mail.send(int(key))
