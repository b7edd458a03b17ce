"""What somebody elsewhere has pinned: read now and then, since some servers never tell (FEDERATION §5)."""

from fediblog.activitypub import listings, resolver
from fediblog.activitypub.budgets import Budget
from fediblog.config import settings
from fediblog.models import Account, Post, Visibility
from fediblog.services import pins


async def read(account: Account, budget: Budget | None = None) -> None:
    """Bring the pins of an account elsewhere in line with its server's. What cannot be had stays out.

    Raises as `resolver.document` does when the list itself cannot be had: then nothing has changed.
    """
    budget, most = budget or Budget(), settings().limits.max_pins
    listed = [uri async for uri in listings.items(account.featured_uri, account.uri, budget, 1, most)]
    found = [post for uri in listed if (post := await _post(uri, account, budget))]
    for post in await pins.pinned(account):
        if post.uri not in listed:
            await pins.unpin(account, post)
    # The first of the list stands first, and what was pinned last does.
    for post in reversed(found):
        await pins.pin(account, post)


async def _post(uri: str, account: Account, budget: Budget) -> Post | None:
    """One of the account's own posts."""
    try:
        post = await resolver.post(uri, budget)
    except resolver.TROUBLE:
        return None
    if post is None or post.author_id != account.id or post.visibility == Visibility.DIRECT:
        return None
    return post if post.boost_of_id is None else None
