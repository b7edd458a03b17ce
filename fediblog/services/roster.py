"""Who has an account here, for the eyes of whoever runs the server."""

from dataclasses import dataclass
from enum import StrEnum

from fediblog import db, uris
from fediblog.errors import NotFound
from fediblog.models import Role, User
from fediblog.services import audit, names, one_time
from fediblog.services.mailing.notices import NOTICES


class State(StrEnum):
    """How far somebody has come."""

    ACTIVE = "active"
    UNCONFIRMED = "unconfirmed"
    WAITING = "waiting"
    DISABLED = "disabled"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Entry:
    """An account here and the user who owns it."""

    account_id: int
    user_id: int
    username: str
    email: str
    role: str
    state: str
    posts: int
    created_at: int
    last_active_at: int | None


async def listing(role: Role | None = None, state: State | None = None) -> list[Entry]:
    """Everybody, or those with a role or in a state, by name."""
    found = [Entry(**line) for line in await db.rows(f"{_ENTRIES} ORDER BY a.username_key, u.id")]
    return [
        entry
        for entry in found
        if (role is None or entry.role == role) and (state is None or entry.state == state)
    ]


async def user(username: str) -> User:
    """The user who owns the account of this name, whatever the state. Raises NotFound."""
    found = await db.value(_OWNER, names.key(username.removeprefix("@")))
    if found is None:
        raise NotFound(f"Nobody here is called {username}.")
    return await User.get(id=found)


async def reset_link(user: User) -> str:
    """A link with which somebody may choose a new password, for half an hour; older ones end."""
    async with db.transaction():
        await one_time.void(one_time.RESET, user.id)
        token = await one_time.make(one_time.RESET, user.id, _RESET_SECONDS)
        await audit.record(None, "user.reset_link", str(user.id))
    return uris.absolute(NOTICES["reset"].path + token)


_RESET_SECONDS = 30 * 60
_ENTRIES = """
SELECT a.id AS account_id, u.id AS user_id, a.username, u.email, u.role,
    CASE WHEN u.confirmed_at IS NULL THEN 'unconfirmed'
        WHEN u.approved_at IS NULL THEN 'waiting'
        WHEN u.disabled_at IS NOT NULL THEN 'disabled'
        WHEN a.suspended_at IS NOT NULL THEN 'suspended'
        ELSE 'active' END AS state,
    a.posts_count AS posts, u.created_at, u.last_active_at
FROM account a
JOIN membership m ON m.account_id = a.id AND m.role = 'owner'
JOIN person u ON u.id = m.user_id
WHERE a.domain = '' AND a.deleted_at IS NULL
"""
_OWNER = """
SELECT m.user_id FROM account a JOIN membership m ON m.account_id = a.id AND m.role = 'owner'
WHERE a.username_key = $1 AND a.domain = '' AND a.deleted_at IS NULL ORDER BY m.user_id LIMIT 1
"""
