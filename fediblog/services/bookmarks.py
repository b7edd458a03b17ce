"""Bookmarks: posts that somebody keeps for themselves. Nobody else hears of them."""

from fediblog import db, ids
from fediblog.models import Account, Post
from fediblog.services import acting


async def bookmark(account: Account, post: Post) -> Post:
    """Keep a post, or what a boost passes on; gives the post that was meant. Twice is the same as once."""
    post = await acting.original(post)
    async with db.transaction():
        await db.execute(_KEEP, account.id, post.id, ids.new())
    return post


async def unbookmark(account: Account, post: Post) -> Post:
    """Keep it no longer; gives the post that was meant. Without a bookmark: nothing."""
    post = await acting.original(post)
    async with db.transaction():
        await db.execute("DELETE FROM bookmark WHERE account_id = $1 AND post_id = $2", account.id, post.id)
    return post


# From `post`, so that one deleted a moment ago is simply not kept.
_KEEP = """
INSERT INTO bookmark (account_id, post_id, id) SELECT CAST($1 AS BIGINT), p.id, CAST($3 AS BIGINT)
FROM post p WHERE p.id = $2 ON CONFLICT DO NOTHING
"""
