"""Asking other servers for what somebody here has come across."""

from fediblog.activitypub import consents, errands
from fediblog.queue import Job
from fediblog.services import cards, link_checks
from fediblog.tasks.runner import task


@task(Job.CHECK_LINKS)
async def check_links(key: str) -> None:
    """See whether the pages that a profile names are its owner's."""
    await link_checks.check(int(key))


@task(Job.CARD)
async def card(key: str) -> None:
    """Ask a page what it says about itself, to show it under the posts that link to it."""
    await cards.look(int(key))


@task(Job.RESOLVE)
async def resolve(key: str) -> None:
    """Take in the account or the post with this address."""
    await errands.resolve(key)


@task(Job.REFRESH)
async def refresh(key: str) -> None:
    """Read the profile of an account elsewhere anew."""
    await errands.refresh(int(key))


@task(Job.CONSENT)
async def consent(key: str) -> None:
    """See whether who is quoted in a post elsewhere has agreed to that."""
    await consents.check(int(key))
