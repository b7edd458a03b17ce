"""Whether anybody here wants what others send. The rest is dropped: it may be spam (FEDERATION §5)."""

from collections.abc import Collection

from fediblog import db, uris
from fediblog.models import Account


async def is_followed(account: Account) -> bool:
    """Whether somebody here follows the account."""
    return bool(await db.value(_FOLLOWED_HERE, account.id))


async def is_wanted(author: Account, related: Collection[str], addressed: Collection[str]) -> bool:
    """Whether a post is for somebody here.

    Its author is followed, somebody here is addressed, or it is `related`, as an answer or a quote, to a post
    of ours.
    """
    if await is_followed(author):
        return True
    if await _is_one_here("account", addressed, "deleted_at IS NULL"):
        return True
    return await _is_one_here("post", related, "boost_of_id IS NULL")


async def _is_one_here(table: str, addresses: Collection[str], alive: str) -> bool:
    ours = sorted(filter(uris.is_local, set(addresses)))
    if not ours:
        return False
    places = ", ".join(f"${number}" for number in range(1, len(ours) + 1))
    return bool(await db.value(f"SELECT 1 FROM {table} WHERE uri IN ({places}) AND local AND {alive}", *ours))


_FOLLOWED_HERE = """
SELECT 1 FROM follow f JOIN account a ON a.id = f.follower_id WHERE f.target_id = $1 AND a.local LIMIT 1
"""
