"""Bookmarks: posts that somebody keeps for themselves. Nobody else hears of them."""

from fediblog import db, ids
from fediblog.models import Account, Post
from fediblog.services import acting, locks


async def bookmark(account: Account, post: Post) -> Post:
    """Keep a post, or what a boost passes on; gives the post that was meant. Twice is the same as once."""
    post = await acting.original(post)
    async with db.transaction():
        if await locks.keep(post.id):
            await db.execute(_KEEP, account.id, post.id, ids.new())
    return post


async def unbookmark(account: Account, post: Post) -> Post:
    """Keep it no longer; gives the post that was meant. Without a bookmark: nothing."""
    post = await acting.original(post)
    async with db.transaction():
        await db.execute("DELETE FROM bookmark WHERE account_id = $1 AND post_id = $2", account.id, post.id)
    return post


_KEEP = "INSERT INTO bookmark (account_id, post_id, id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
