"""Searching what we know by name: accounts and hashtags. Nobody else is asked here."""

from fediblog import db, hosts, text
from fediblog.models import Account
from fediblog.services import names

LONGEST = 500
_HIGHEST = "\U0010ffff"


async def accounts(
    typed: str, viewer: Account | None, limit: int, offset: int = 0, followed: bool = False
) -> list[int]:
    """Accounts whose name, or the beginning of it, was typed, those whom the viewer follows first; by id.

    `name@host` narrows to the server, `followed` to those whom the viewer follows. Who is suspended, gone or
    hidden from the viewer is not found.
    """
    name, _, domain = typed.strip().removeprefix("@").partition("@")
    low = names.key(name)
    try:
        domain = hosts.to_ascii(domain)
    except ValueError:
        return []
    if not low:
        return []
    sql = _ACCOUNTS.format(more=_FOLLOWED if followed else "")
    return await db.column(sql, low, low + _HIGHEST, domain, viewer.id if viewer else 0, limit, offset)


async def hashtags(typed: str, limit: int, offset: int = 0) -> list[str]:
    """Hashtags that begin with what was typed, as they were first written, the shortest first."""
    low = text.tag_key(typed.strip().removeprefix("#"))
    if not low:
        return []
    return await db.column(_HASHTAGS, low, low + _HIGHEST, limit, offset)


_ACCOUNTS = """
SELECT a.id FROM account a
WHERE a.username_key >= $1 AND a.username_key < $2 AND ($3 = '' OR a.domain = $3)
  AND a.suspended_at IS NULL AND a.deleted_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.account_id = $4 AND h.target_id = a.id) {more}
ORDER BY (SELECT 1 FROM follow f WHERE f.follower_id = $4 AND f.target_id = a.id) IS NULL,
  length(a.username_key), a.domain, a.id LIMIT $5 OFFSET $6
"""
_FOLLOWED = "AND EXISTS (SELECT 1 FROM follow f WHERE f.follower_id = $4 AND f.target_id = a.id)"
_HASHTAGS = "SELECT name FROM tag WHERE key >= $1 AND key < $2 ORDER BY length(key), key LIMIT $3 OFFSET $4"
