"""The hashtags that somebody shows on their page: what other servers list too (`listed.featured_tags`)."""

from typing import NamedTuple

from fediblog import db, ids, text
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.services import events, hashtags, locks, tags
from fediblog.services.events import Event
from fediblog.services.tags import Tag

MOST = 10
_SUGGESTED = 10
# Looked at for suggestions: what was written lately says best what somebody writes about.
_LATELY = 400


class Featured(NamedTuple):
    """One of them, in how many public posts of its owner it stands, and when it last did."""

    id: int
    name: str
    posts: int
    last_post_at: int | None


async def listing(owner: Account, viewer: Account | None) -> list[Featured]:
    """The featured hashtags of an account, the oldest first.

    None when the owner is suspended or blocks the viewer.
    """
    found = await db.rows(_LISTING, owner.id, viewer.id if viewer else 0)
    return [Featured(**line) for line in found]


async def feature(owner: Account, name: str) -> Featured:
    """Show a hashtag; twice is the same as once. Raises Invalid for what is no hashtag, and for too many."""
    try:
        name = tags.tidy(name)
    except NotFound:
        raise Invalid("That is not a hashtag.", "name") from None
    async with db.transaction():
        await locks.hold(f"featured tags:{owner.id}")
        number = await hashtags.number(name)
        if await db.value(_FEATURE, owner.id, number, ids.new()) is not None:
            if await db.value("SELECT count(*) FROM featured_tag WHERE account_id = $1", owner.id) > MOST:
                raise Invalid(f"You can show {MOST} hashtags at most. Take another one away first.")
            await events.record(Event.PROFILE_CHANGED, owner)
    found = await db.row(_ONE, owner.id, number)
    if found is None:
        raise NotFound
    return Featured(**found)


async def remove(owner: Account, featured_id: int) -> None:
    """Show it no more. Raises NotFound when it is not one of the owner's."""
    if not await _remove(owner, "id = $2", featured_id):
        raise NotFound


async def unfeature(owner: Account, name: str) -> None:
    """The same by name. Not shown: nothing. Raises NotFound for what can be no hashtag."""
    await _remove(owner, "tag_id = (SELECT g.id FROM tag g WHERE g.key = $2)", text.tag_key(tags.tidy(name)))


async def suggestions(owner: Account) -> list[Tag]:
    """What the owner has written about most lately, but for what is shown already."""
    return await tags.several(await db.column(_SUGGESTIONS, owner.id), owner)


async def _remove(owner: Account, which: str, value: int | str) -> bool:
    async with db.transaction():
        sql = f"DELETE FROM featured_tag WHERE account_id = $1 AND {which} RETURNING id"
        gone = await db.value(sql, owner.id, value)
        if gone is not None:
            await events.record(Event.PROFILE_CHANGED, owner)
    return gone is not None


_POSTS = "FROM post_tag x JOIN post p ON p.id = x.post_id WHERE x.tag_id = f.tag_id AND p.author_id = $1"
_FEATURED = f"""
SELECT f.id, g.name, (SELECT count(*) {_POSTS}) AS posts, (SELECT max(p.created_at) {_POSTS}) AS last_post_at
FROM featured_tag f JOIN tag g ON g.id = f.tag_id
"""
_LISTING = f"""
{_FEATURED} JOIN account a ON a.id = f.account_id AND a.suspended_at IS NULL AND a.deleted_at IS NULL
WHERE f.account_id = $1
  AND (SELECT 1 FROM block b WHERE b.account_id = $1 AND b.target_id = $2) IS NULL ORDER BY f.id
"""
_ONE = f"{_FEATURED} WHERE f.account_id = $1 AND f.tag_id = $2"
_FEATURE = """
INSERT INTO featured_tag (account_id, tag_id, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id
"""
_SUGGESTIONS = f"""
SELECT x.tag_id FROM (SELECT id FROM post WHERE author_id = $1 ORDER BY id DESC LIMIT {_LATELY}) p
JOIN post_tag x ON x.post_id = p.id
WHERE NOT EXISTS (SELECT 1 FROM featured_tag f WHERE f.account_id = $1 AND f.tag_id = x.tag_id)
GROUP BY x.tag_id ORDER BY count(*) DESC, x.tag_id LIMIT {_SUGGESTED}
"""
