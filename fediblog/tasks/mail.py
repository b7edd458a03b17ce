"""Mails leave, and devices are woken."""

from fediblog.queue import Job
from fediblog.services import mail, push
from fediblog.tasks.runner import task


@task(Job.MAIL)
async def send(key: str) -> None:
    """Send a mail that waits."""
    await mail.send(int(key))


@task(Job.PUSH)
async def wake(key: str) -> None:
    """Tell a device of a notification."""
    await push.send(key)
