"""Whom somebody might follow: those whom people they follow follow, then those whom many here follow.

Only who wants to be found is suggested, and nobody who was dismissed once. What somebody follows is no secret
of the friends either: who hides it suggests nobody.
"""

from enum import StrEnum
from typing import NamedTuple

from fediblog import db
from fediblog.models import Account

# Of how many that were followed last one looks at whom they follow.
_FRIENDS = 100


class Source(StrEnum):
    """Why somebody is suggested."""

    FRIENDS = "friends_of_friends"
    POPULAR = "most_followed"


class Suggestion(NamedTuple):
    """An account by id, and why."""

    id: int
    source: Source


async def listing(viewer: Account, limit: int, offset: int = 0) -> list[Suggestion]:
    """Suggestions, the best first, in two statements."""
    async with db.freely_planned():
        friends = await db.column(_FRIENDS_SQL, viewer.id, limit + offset)
        popular = await db.column(_POPULAR_SQL, viewer.id, limit + offset)
    found = dict.fromkeys(friends, Source.FRIENDS) | {
        number: Source.POPULAR for number in popular if number not in friends
    }
    return [Suggestion(number, source) for number, source in found.items()][offset : offset + limit]


async def dismiss(viewer: Account, account_id: int) -> None:
    """Suggest somebody never again. Whoever is not there: nothing."""
    async with db.transaction():
        await db.execute(_DISMISS, viewer.id, account_id)


_SUGGESTABLE = """
a.id <> $1 AND a.discoverable AND a.moved_to_id IS NULL
AND a.suspended_at IS NULL AND a.silenced_at IS NULL AND a.deleted_at IS NULL
AND NOT EXISTS (SELECT 1 FROM follow f WHERE f.follower_id = $1 AND f.target_id = a.id)
AND NOT EXISTS (SELECT 1 FROM follow_request q WHERE q.follower_id = $1 AND q.target_id = a.id)
AND NOT EXISTS (SELECT 1 FROM hidden h WHERE h.account_id = $1 AND h.target_id = a.id)
AND NOT EXISTS (SELECT 1 FROM dismissed_suggestion d WHERE d.account_id = $1 AND d.target_id = a.id)
"""
_FRIENDS_SQL = f"""
SELECT a.id FROM (
    SELECT s.target_id, count(*) AS common
    FROM (SELECT target_id FROM follow WHERE follower_id = $1 ORDER BY id DESC LIMIT {_FRIENDS}) f
    JOIN account x ON x.id = f.target_id AND NOT x.hide_collections
    JOIN follow s ON s.follower_id = f.target_id
    GROUP BY s.target_id
) c JOIN account a ON a.id = c.target_id
WHERE {_SUGGESTABLE} ORDER BY c.common DESC, a.id DESC LIMIT $2
"""
_POPULAR_SQL = f"""
SELECT a.id FROM account a WHERE a.local AND a.last_post_at IS NOT NULL AND {_SUGGESTABLE}
ORDER BY a.followers_count DESC, a.id DESC LIMIT $2
"""
_DISMISS = """
INSERT INTO dismissed_suggestion (account_id, target_id)
SELECT CAST($1 AS BIGINT), a.id FROM account a WHERE a.id = $2 ON CONFLICT DO NOTHING
"""
