"""Letting people in: an account is seen and may act from the moment its user is confirmed and approved.

Until then the account is suspended, like one that the staff has put away: its name is taken, and otherwise
it does not exist for anybody (SECURITY §1.3). One state that every query checks already, instead of two.
"""

from fediblog import db, moments
from fediblog.models import User
from fediblog.services import mail


async def confirm(user: User) -> None:
    """The user has shown that the address is hers. Twice is the same as once. Inside a transaction.

    Who has to be approved now waits for that, and the staff hears of it.
    """
    marked = await _mark("confirmed_at", user.id)
    if marked is not None and marked["approved_at"] is None:
        await mail.account_mail(user, "waiting")


async def approve(user_id: int) -> bool:
    """The staff lets the user in. True the first time. Inside a transaction."""
    return await _mark("approved_at", user_id) is not None


async def pending(account_id: int) -> bool:
    """Whether an account has not been let in yet, so that it must not be shown even as a suspended one."""
    return await db.value(PENDING.format("$1"), account_id) is not None


async def _mark(column: str, user_id: int) -> db.Row | None:
    """Both marks as they are now, None when this one was set before."""
    found = await db.row(
        f"UPDATE person SET {column} = $2 WHERE id = $1 AND {column} IS NULL"
        " RETURNING confirmed_at, approved_at",
        *(user_id, moments.now()),
    )
    if found is not None and found["confirmed_at"] and found["approved_at"]:
        await db.execute(_SHOW, user_id)
    return found


# `deleted_at` tells an account that has left from one that has not come yet. Who was suspended by the staff
# while waiting was so at a later moment than the first, and stays away: opening a mail does not undo that.
_SHOW = """UPDATE account SET suspended_at = NULL, version = version + 1
WHERE deleted_at IS NULL AND suspended_at = created_at
  AND id IN (SELECT account_id FROM membership WHERE user_id = $1 AND role = 'owner')"""
# Whether an account waits to be let in, for those who ask for many at once.
PENDING = """SELECT 1 FROM membership m JOIN person u ON u.id = m.user_id
WHERE m.account_id = {} AND m.role = 'owner' AND (u.confirmed_at IS NULL OR u.approved_at IS NULL)"""
