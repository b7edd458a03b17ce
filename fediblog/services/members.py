"""Which user may act for which account, and as what. The two are n:m: a shared account has many members."""

from enum import StrEnum

from fediblog import db
from fediblog.errors import Forbidden
from fediblog.models import Account, Role, User
from fediblog.services import joined

_RANKS = {Role.USER: 0, Role.MODERATOR: 1, Role.ADMIN: 2}


class Membership(StrEnum):
    """What a user may do with an account: everything, or everything but managing it."""

    OWNER = "owner"
    EDITOR = "editor"


async def add(user_id: int, account_id: int, role: Membership) -> None:
    """Let a user act for an account, or change as what. Inside a transaction."""
    await db.execute(
        "INSERT INTO membership (user_id, account_id, role) VALUES ($1, $2, $3)"
        " ON CONFLICT (user_id, account_id) DO UPDATE SET role = excluded.role",
        *(user_id, account_id, role.value),
    )


async def membership(user: User, account: Account) -> Membership | None:
    """As what this user may act for this account, None when not at all."""
    sql = "SELECT role FROM membership WHERE user_id = $1 AND account_id = $2"
    found = await db.value(sql, user.id, account.id)
    return Membership(found) if found is not None else None


async def require_owner(user: User, account: Account) -> None:
    """Raises Forbidden when this user may not manage this account."""
    if await membership(user, account) is not Membership.OWNER:
        raise Forbidden("Only an owner of the account may do that.")


async def accounts(user: User) -> tuple[Account, ...]:
    """The accounts that this user may act for: the own ones first, then by age, suspended ones last."""
    lines = await db.rows(
        f"SELECT {joined.columns(Account, 'a')} FROM membership m JOIN account a ON a.id = m.account_id"
        " WHERE m.user_id = $1 AND a.deleted_at IS NULL"
        " ORDER BY CASE WHEN a.suspended_at IS NULL THEN 0 ELSE 1 END,"
        " CASE m.role WHEN 'owner' THEN 0 ELSE 1 END, a.id",
        user.id,
    )
    return tuple(joined.build(Account, "a", line) for line in lines)


async def users(account_id: int) -> tuple[User, ...]:
    """The users who may act for an account: owners first, then by age."""
    lines = await db.rows(
        f"SELECT {joined.columns(User, 'u')} FROM membership m JOIN person u ON u.id = m.user_id"
        " WHERE m.account_id = $1 ORDER BY CASE m.role WHEN 'owner' THEN 0 ELSE 1 END, u.id",
        account_id,
    )
    return tuple(joined.build(User, "u", line) for line in lines)


async def acted_for(user: User, account_id: int | None = None) -> Account:
    """The account that a user acts for: the one asked for, or the first.

    Raises Forbidden when the user may not act for it, or has none.
    """
    for account in await accounts(user):
        if account_id in (None, account.id):
            return account
    raise Forbidden("You cannot act for that account.")


async def rank(account_id: int) -> Role:
    """The highest role among the users of an account: what has to be outranked to act against it."""
    roles = [user.role for user in await users(account_id)]
    return max(roles, key=_RANKS.__getitem__, default=Role.USER)


def outranks(user: User, role: Role) -> bool:
    """Whether a member of the staff may act against somebody with this role. Nobody may against an equal."""
    return _RANKS[user.role] > _RANKS[role]


def require_staff(user: User, least: Role = Role.MODERATOR) -> None:
    """Raises Forbidden for those who are not moderators, or not of the higher role that is asked for."""
    if _RANKS[user.role] < _RANKS[least]:
        raise Forbidden("Only the staff of this server may do that.")
