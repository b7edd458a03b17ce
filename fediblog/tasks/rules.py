"""Servers and accounts elsewhere that the staff has put away."""

from fediblog.queue import Job
from fediblog.services import domain_rules, severing
from fediblog.tasks.runner import task


@task(Job.RULES)
async def enforce(key: str) -> None:
    """Bring the accounts of a domain in line with the rules about it."""
    await domain_rules.enforce(key)


@task(Job.SEVER)
async def sever(key: str) -> None:
    """End the follows of an account elsewhere that was suspended."""
    await severing.sever(int(key))
