"""Ending all follows between us and accounts elsewhere that were put away: pair by pair, as owed work.

A follower elsewhere would go on to get what is for followers only, so they are told; nobody is told on a
server with which we have nothing to do any more.
"""

from collections.abc import Sequence
from contextlib import suppress

from fediblog import db
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import follows, locks, work

_BATCH = 200
# So many in one go, then others get their turn.
_MOST = 2_000

Pair = tuple[int, int]


async def sever(account_id: int) -> None:
    """End all follows of a suspended account elsewhere, both ways. For any other account: nothing."""
    account = await Account.get_or_none(id=account_id, local=False)
    if account is None or account.suspended_at is None:
        return
    for _ in range(_MOST // _BATCH):
        found = await pairs([account_id])
        for pair in found:
            await _part(*pair)
        if len(found) < _BATCH:
            return
    await work.owe(Job.SEVER, account_id)


async def sever_silently(account_ids: Sequence[int]) -> None:
    """End all follows of these accounts, both ways, without a word to their servers."""
    while found := await pairs(account_ids):
        for one, other in found:
            async with db.transaction():
                await locks.pair(one, other)
                await follows.sever(one, other)


async def pairs(account_ids: Sequence[int]) -> list[Pair]:
    """Some of those who follow or ask, and whom, where one of the two is one of these."""
    found = await db.rows(_pairs_sql(), db.array(account_ids))
    return [(line["follower_id"], line["target_id"]) for line in found]


async def _part(follower_id: int, target_id: int) -> None:
    follower, target = await Account.get(id=follower_id), await Account.get(id=target_id)
    with suppress(NotFound):  # Somebody was quicker.
        if target.local:
            await follows.remove_follower(target, follower.id)
        else:
            await follows.unfollow(follower, target)


_PAIR = "SELECT f.follower_id, f.target_id FROM {table} f WHERE f.{column} IN (SELECT id FROM {given})"


def _pairs_sql() -> str:
    given = db.unnest("$1")
    ways = [
        _PAIR.format(table=table, column=column, given=given)
        for table in ("follow", "follow_request")
        for column in ("follower_id", "target_id")
    ]
    return f"{' UNION '.join(ways)} LIMIT {_BATCH}"
