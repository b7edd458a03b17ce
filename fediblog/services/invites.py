"""Invites: links that let somebody sign up, for so many people and so many days."""

import secrets
from dataclasses import dataclass

from fediblog import db, ids, moments
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.services import locks

_MOST_OPEN = 100
_MOST_LISTED = 2 * _MOST_OPEN
_MOST_USES = 1000
_MOST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Invite:
    """An invite as its maker sees it. No `most_uses` and no `expires_at` mean: without an end."""

    id: int
    code: str
    account_id: int
    most_uses: int | None
    uses: int
    expires_at: int | None
    created_at: int

    @property
    def open(self) -> bool:
        """Whether it still lets somebody in."""
        expired = self.expires_at is not None and self.expires_at <= moments.now()
        return not expired and (self.most_uses is None or self.uses < self.most_uses)


async def create(account: Account, most_uses: int | None = None, days: int | None = None) -> Invite:
    """A new invite. Raises Invalid for figures out of bounds, or when the account has too many open ones."""
    faults = {}
    if most_uses is not None and not 1 <= most_uses <= _MOST_USES:
        faults["most_uses"] = f"An invite is for 1 to {_MOST_USES} people."
    if days is not None and not 1 <= days <= _MOST_DAYS:
        faults["days"] = f"An invite is good for 1 to {_MOST_DAYS} days."
    if faults:
        raise Invalid(fields=faults)
    now = moments.now()
    expires_at = now + days * moments.DAY if days is not None else None
    invite = Invite(ids.new(), secrets.token_urlsafe(12), account.id, most_uses, 0, expires_at, now)
    async with db.transaction():
        await locks.hold(f"invites:{account.id}")
        if await db.value(_COUNT, account.id, now) >= _MOST_OPEN:
            raise Invalid(f"You have {_MOST_OPEN} open invites. Take some back first.")
        await db.execute(
            "INSERT INTO invite (id, code, account_id, most_uses, uses, expires_at, created_at)"
            " VALUES ($1, $2, $3, $4, 0, $5, $6)",
            *(invite.id, invite.code, account.id, most_uses, expires_at, now),
        )
    return invite


async def find(code: str) -> Invite | None:
    """The invite with this code, if it still lets somebody in."""
    if not _typable(code):
        return None
    line = await db.row(f"SELECT {_COLUMNS} FROM invite WHERE code = $1 AND {_OPEN}", code, moments.now())
    return Invite(**line) if line is not None else None


async def listing(account: Account) -> tuple[Invite, ...]:
    """What an account has given out, newest first, as far as a page can show it."""
    sql = f"SELECT {_COLUMNS} FROM invite WHERE account_id = $1 ORDER BY id DESC LIMIT {_MOST_LISTED}"
    return tuple(Invite(**line) for line in await db.rows(sql, account.id))


async def revoke(account: Account, invite_id: int) -> None:
    """Take an invite back. Raises NotFound for somebody else's. Who came with it stays."""
    async with db.transaction():
        sql = "UPDATE invite SET expires_at = $3 WHERE id = $1 AND account_id = $2 RETURNING id"
        if await db.value(sql, invite_id, account.id, moments.now()) is None:
            raise NotFound()


async def use(code: str) -> int | None:
    """Take one place and tell the invite's id; None when there is none left. Inside a transaction.

    One statement decides, so of two people who want the last place one gets it.
    """
    if not _typable(code):
        return None
    sql = f"UPDATE invite SET uses = uses + 1 WHERE code = $1 AND {_OPEN} RETURNING id"
    found = await db.value(sql, code, moments.now())
    return int(found) if found is not None else None


_COLUMNS = "id, code, account_id, most_uses, uses, expires_at, created_at"
# An invite is worth what its maker is: one who is suspended or has left lets nobody in.
_OPEN = """(expires_at IS NULL OR expires_at > $2) AND (most_uses IS NULL OR uses < most_uses)
AND EXISTS (SELECT 1 FROM account a
  WHERE a.id = invite.account_id AND a.suspended_at IS NULL AND a.deleted_at IS NULL)"""
_COUNT = f"SELECT count(*) FROM invite WHERE account_id = $1 AND {_OPEN}"


def _typable(code: str) -> bool:
    return 0 < len(code) <= 100 and code.isascii() and code.isprintable()
