"""Pins: a few posts of one's own that stand at the top of one's page."""

from fediblog import db, ids
from fediblog.config import settings
from fediblog.errors import Invalid
from fediblog.models import Account, Post, Visibility
from fediblog.services import events, locks
from fediblog.services.events import Event


async def pin(account: Account, post: Post) -> None:
    """Pin a post. Pinning twice is the same as once.

    Raises Invalid for other people's posts, boosts, direct posts, and beyond `limits.max_pins`.
    """
    _check(account, post)
    async with db.transaction():
        await locks.hold(f"pins:{account.id}")
        if not await locks.keep(post.id) or not await db.value(_PIN, account.id, post.id, ids.new()):
            return
        most = settings().limits.max_pins
        if await db.value("SELECT count(*) FROM pin WHERE account_id = $1", account.id) > most:
            raise Invalid(f"You can pin at most {most} posts. Unpin another one first.")
        await events.record(Event.PINNED, account, post_id=post.id)


async def unpin(account: Account, post: Post) -> None:
    """Take a post from the top. Without a pin: nothing."""
    async with db.transaction():
        if await db.value(_UNPIN, account.id, post.id) is not None:
            await events.record(Event.UNPINNED, account, post_id=post.id, detail={"uri": post.uri})


async def pinned(account: Account) -> list[Post]:
    """What an account has pinned."""
    found = await db.column("SELECT post_id FROM pin WHERE account_id = $1", account.id)
    return await Post.filter(id__in=found)


def _check(account: Account, post: Post) -> None:
    if post.author_id != account.id:
        raise Invalid("You can pin only your own posts.")
    if post.boost_of_id is not None:
        raise Invalid("A boost cannot be pinned.")
    if post.visibility == Visibility.DIRECT:
        raise Invalid("A post for a few people only cannot be pinned.")


_PIN = """
INSERT INTO pin (account_id, post_id, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id
"""
_UNPIN = "DELETE FROM pin WHERE account_id = $1 AND post_id = $2 RETURNING id"
