"""Filling home timelines, and keeping them short."""

from fediblog.queue import Job
from fediblog.services import home
from fediblog.tasks.runner import task


@task(Job.FAN_OUT)
async def fan_out(key: str) -> None:
    """Put a post onto the homes of those who follow its author."""
    await home.fan_out(int(key))


@task(Job.BACKFILL)
async def backfill(key: str) -> None:
    """Give a new follower some posts to begin with."""
    follower_id, target_id = key.split(":")
    await home.backfill(int(follower_id), int(target_id))


@task(Job.TRIM)
async def trim() -> None:
    """Forget what lies deep below in all homes."""
    await home.trim_all()
