"""Telling other servers what happened here, and agreeing with them about who follows whom."""

from fediblog.activitypub import outbox, synchronisation
from fediblog.queue import Job
from fediblog.tasks.runner import task


@task(Job.FEDERATE)
async def federate(key: str) -> None:
    """Make letters of what an account has done; of what the server has done for 0."""
    await outbox.federate(int(key))


@task(Job.SYNCHRONISE)
async def synchronise(key: str) -> None:
    """Settle our follows of an account elsewhere with its server."""
    await synchronisation.reconcile(key)
