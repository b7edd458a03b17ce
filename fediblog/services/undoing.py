"""Acts of accounts elsewhere that are taken back: found again by their name, or by what they are.

An Undo may come before what it undoes, for several workers deliver at once. So what nobody here knows yet is
remembered for a day, and drops what comes late (FEDERATION §5, Undo).
"""

from dataclasses import dataclass
from enum import StrEnum

from fediblog import db, moments
from fediblog.models import Account

# Some servers name every follow of the same two people alike: longer, and following again would be dropped.
KEPT = moments.DAY


class Act(StrEnum):
    """What can be taken back."""

    FOLLOW = "follow"
    LIKE = "like"
    BOOST = "boost"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Found:
    """An act of an account that is there: `other_id` is the account it concerns, or the post."""

    act: Act
    account_id: int
    other_id: int


async def find(uri: str) -> Found | None:
    """The act that came under this name, whoever did it."""
    line = await db.row(_BY_NAME, uri)
    return Found(Act(line["act"]), line["account_id"], line["other_id"]) if line else None


async def find_about(actor: Account, act: Act, uri: str, emoji: str | None = None) -> Found | None:
    """The act of this account that concerns the account or the post with this address.

    `emoji` is what a post was liked with, "" for a plain like, None when that is not known.
    """
    values = (uri, actor.id, emoji) if act is Act.LIKE else (uri, actor.id)
    other_id = await db.value(_ABOUT[act], *values)
    return Found(act, actor.id, other_id) if other_id is not None else None


async def remember(actor: Account, uri: str) -> None:
    """Note that the account has taken something back that has not come yet."""
    async with db.transaction():
        await db.execute(_REMEMBER, uri, actor.id, moments.now())


async def came_first(actor: Account, uri: str | None) -> bool:
    """Whether the account has taken back already, or deleted, what comes under this name only now."""
    if uri is None:
        return False
    return bool(await db.value(_CAME_FIRST, uri, actor.id, moments.now() - KEPT))


_BY_NAME = """
SELECT 'follow' AS act, follower_id AS account_id, target_id AS other_id FROM follow WHERE uri = $1
UNION ALL
SELECT 'follow', follower_id, target_id FROM follow_request WHERE uri = $1
UNION ALL
SELECT 'like', account_id, post_id FROM post_like WHERE uri = $1
UNION ALL
SELECT 'boost', author_id, boost_of_id FROM post WHERE uri = $1 AND boost_of_id IS NOT NULL
UNION ALL
SELECT 'block', account_id, target_id FROM block WHERE uri = $1
LIMIT 1
"""
_ABOUT = {
    Act.FOLLOW: """
SELECT f.target_id FROM account a JOIN follow f ON f.target_id = a.id WHERE a.uri = $1 AND f.follower_id = $2
UNION ALL
SELECT f.target_id FROM account a JOIN follow_request f ON f.target_id = a.id
WHERE a.uri = $1 AND f.follower_id = $2
LIMIT 1
""",
    Act.LIKE: """
SELECT l.post_id FROM post p JOIN post_like l ON l.post_id = p.id
WHERE p.uri = $1 AND l.account_id = $2 AND (CAST($3 AS TEXT) IS NULL OR l.emoji = $3)
""",
    Act.BOOST: """
SELECT b.boost_of_id FROM post p JOIN post b ON b.boost_of_id = p.id WHERE p.uri = $1 AND b.author_id = $2
""",
    Act.BLOCK: """
SELECT b.target_id FROM account a JOIN block b ON b.target_id = a.id WHERE a.uri = $1 AND b.account_id = $2
""",
}
# A name belongs to whoever uses it first: with their ids on one server neighbours cannot take each other's.
_REMEMBER = "INSERT INTO undone (uri, account_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
_CAME_FIRST = """
SELECT 1 FROM undone WHERE uri = $1 AND account_id = $2 AND created_at > $3
UNION ALL
SELECT 1 FROM tombstone WHERE uri = $1 AND account_id = $2
LIMIT 1
"""
