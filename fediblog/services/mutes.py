"""Muting: not seeing somebody, for a while or for good, without their noticing."""

from fediblog import db, ids, moments
from fediblog.errors import Invalid
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import blocks, locks, people
from fediblog.services.people import People, Relation

MUTED = Relation("mute", "account_id", "target_id")

_LONGEST = 10 * 366 * moments.DAY
_BATCH = 500


async def mute(
    account: Account, target: Account, notifications: bool = True, seconds: int | None = None
) -> None:
    """Mute; muting again changes how. `notifications` says whether those are muted too.

    Without `seconds` (None or 0) it lasts until `unmute`. Raises Invalid for oneself and for a time that is
    negative or longer than ten years.
    """
    if account.id == target.id:
        raise Invalid("You cannot mute yourself.")
    if not 0 <= (seconds or 0) * moments.SECOND <= _LONGEST:
        raise Invalid("A mute can last at most ten years.", "duration")
    now = moments.now()
    until = now + seconds * moments.SECOND if seconds else None
    async with db.transaction():
        await locks.pair(account.id, target.id)
        await db.execute(_MUTE, account.id, target.id, ids.new(), notifications, until, now)
        await blocks.settle_hidden(account.id, target.id)


async def unmute(account: Account, target: Account) -> None:
    """Lift a mute. Without one: nothing."""
    async with db.transaction():
        await locks.pair(account.id, target.id)
        await db.execute("DELETE FROM mute WHERE account_id = $1 AND target_id = $2", account.id, target.id)
        await blocks.settle_hidden(account.id, target.id)


async def muted(account: Account, page: Page) -> People:
    """Whom an account mutes."""
    return await people.listed(MUTED, account.id, page)


async def expire_mutes() -> int:
    """Lift the mutes whose time is over; gives their number."""
    lifted = 0
    while found := await db.rows(_OVER, moments.now(), _BATCH):
        for line in found:
            lifted += await _expire(line["account_id"], line["target_id"])
    return lifted


async def _expire(account_id: int, target_id: int) -> bool:
    """False when the mute was made longer meanwhile."""
    async with db.transaction():
        await locks.pair(account_id, target_id)
        ended = await db.value(_EXPIRE, account_id, target_id, moments.now())
        await blocks.settle_hidden(account_id, target_id)
    return ended is not None


_MUTE = """
INSERT INTO mute (account_id, target_id, id, notifications, expires_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (account_id, target_id) DO UPDATE SET
    notifications = excluded.notifications, expires_at = excluded.expires_at
"""
_OVER = "SELECT account_id, target_id FROM mute WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2"
_EXPIRE = "DELETE FROM mute WHERE account_id = $1 AND target_id = $2 AND expires_at <= $3 RETURNING id"
