"""Accounts that move to another server: those here who follow, mute or block them do the same to the new one.

That may be many, so it is a piece of owed work that ends, goes on and is repeated as often as need be.
Whether an account may say that it has moved is decided by who calls `begin` (FEDERATION §5, Move).
"""

from contextlib import suppress

import orjson

from fediblog import db, moments
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import blocks, follows, mutes, work

# Who moves on at once again would take followers along before anybody has noticed the first move.
COOLDOWN = 7 * moments.DAY
_BATCH = 200
# So many in one go, then others get their turn.
_MOST = 2_000


async def concerns_us(account: Account) -> bool:
    """Whether anybody here follows, mutes or blocks the account."""
    return bool(await db.value(_CONCERNED, account.id))


def rests(account: Account) -> bool:
    """Whether the account has moved lately and may not do so again yet."""
    return (account.moved_at or 0) > moments.now() - COOLDOWN


async def begin(old: Account, new: Account) -> bool:
    """Owe the move of everybody here. False when the account has moved lately."""
    now = moments.now()
    async with db.transaction():
        if await db.value(_TURN, old.id, now, now - COOLDOWN) is None:
            return False
        await work.owe(Job.MOVE, f"{old.id}:{new.id}")
    return True


async def carry(old_id: int, new_id: int) -> None:
    """What Job.MOVE does. Nothing any more when one of the two is gone; goes on later when it is much."""
    old = await Account.get_or_none(id=old_id, deleted_at=None)
    new = await Account.get_or_none(id=new_id, deleted_at=None, suspended_at=None)
    if old is None or new is None:
        return
    await _carry_blocks(old, new)
    await _carry_mutes(old, new)
    for _ in range(_MOST // _BATCH):
        found = await db.rows(_FOLLOWERS, old.id, _BATCH)
        for line in found:
            await _follow_on(line, old, new)
        if len(found) < _BATCH:
            return
    async with db.transaction():
        await work.owe(Job.MOVE, f"{old_id}:{new_id}")


async def _follow_on(line: db.Row, old: Account, new: Account) -> None:
    """Who follows the new one already goes on as they do; who cannot follow it leaves the old one."""
    follower = await Account.get(id=line["follower_id"])
    if not await db.value(_FOLLOWS, follower.id, new.id):
        languages = orjson.loads(line["languages"]) if line["languages"] else None
        with suppress(Forbidden, Invalid, NotFound):
            await follows.follow(follower, new, bool(line["show_boosts"]), bool(line["notify"]), languages)
    await follows.unfollow(follower, old)


async def _carry_blocks(old: Account, new: Account) -> None:
    for account in await _those(_BLOCKERS, old, new):
        await blocks.block(account, new)


async def _carry_mutes(old: Account, new: Account) -> None:
    """A mute that ends does so for the new one at the same time."""
    for line in await db.rows(_MUTERS, old.id, new.id):
        left = None if line["expires_at"] is None else (line["expires_at"] - moments.now()) // moments.SECOND
        if left is None or left > 0:
            muter = await Account.get(id=line["account_id"])
            await mutes.mute(muter, new, bool(line["notifications"]), left)


async def _those(sql: str, old: Account, new: Account) -> list[Account]:
    return await Account.filter(id__in=await db.column(sql, old.id, new.id))


_CONCERNED = """
SELECT 1 FROM follow f JOIN account a ON a.id = f.follower_id WHERE f.target_id = $1 AND a.local
UNION ALL SELECT 1 FROM mute m WHERE m.target_id = $1
UNION ALL SELECT 1 FROM block b JOIN account a ON a.id = b.account_id WHERE b.target_id = $1 AND a.local
LIMIT 1
"""
_TURN = """
UPDATE account SET moved_at = $2 WHERE id = $1 AND (moved_at IS NULL OR moved_at <= $3) RETURNING id
"""
_FOLLOWERS = """
SELECT f.follower_id, f.show_boosts, f.notify, f.languages
FROM follow f JOIN account a ON a.id = f.follower_id
WHERE f.target_id = $1 AND a.local ORDER BY f.follower_id LIMIT $2
"""
_FOLLOWS = """
SELECT 1 FROM follow WHERE follower_id = $1 AND target_id = $2
UNION ALL SELECT 1 FROM follow_request WHERE follower_id = $1 AND target_id = $2
"""
_BLOCKERS = """
SELECT b.account_id FROM block b JOIN account a ON a.id = b.account_id
WHERE b.target_id = $1 AND a.local AND a.id <> $2
  AND NOT EXISTS (SELECT 1 FROM block x WHERE x.account_id = b.account_id AND x.target_id = $2)
"""
_MUTERS = """
SELECT m.account_id, m.notifications, m.expires_at FROM mute m
WHERE m.target_id = $1 AND m.account_id <> $2
  AND NOT EXISTS (SELECT 1 FROM mute x WHERE x.account_id = m.account_id AND x.target_id = $2)
"""
