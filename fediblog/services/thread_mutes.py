"""Muting a conversation: nothing that happens in it is told any more."""

from fediblog import db
from fediblog.models import Account, Post
from fediblog.services import acting


async def mute(account: Account, post: Post) -> Post:
    """Mute the conversation that a post belongs to; gives the post that was meant."""
    post = await acting.original(post)
    async with db.transaction():
        await db.execute(
            "INSERT INTO thread_mute (account_id, thread_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            *(account.id, post.thread_id),
        )
    return post


async def unmute(account: Account, post: Post) -> Post:
    """Hear of it again; gives the post that was meant. When it was not muted: nothing."""
    post = await acting.original(post)
    async with db.transaction():
        await db.execute(
            "DELETE FROM thread_mute WHERE account_id = $1 AND thread_id = $2", account.id, post.thread_id
        )
    return post
