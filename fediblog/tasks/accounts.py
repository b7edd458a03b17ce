"""Accounts that are deleted, or move, or hide a server."""

from fediblog.queue import Job
from fediblog.services import deletion, hidden_domains, moves
from fediblog.tasks.runner import task


@task(Job.ERASE)
async def erase(key: str) -> None:
    """Take away what a deleted account has left."""
    await deletion.erase(int(key))


@task(Job.MOVE)
async def move(key: str) -> None:
    """Take along those here who follow, mute or block an account that has moved."""
    old, _, new = key.partition(":")
    await moves.carry(int(old), int(new))


@task(Job.HIDE_DOMAIN)
async def hide_domain(key: str) -> None:
    """Hide everybody of a server from somebody."""
    await hidden_domains.carry_out(key)
