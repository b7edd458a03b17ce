"""Liking and unliking. The same two verbs for a tap in an app and for a remote activity."""

from fediblog import db, ids, moments
from fediblog.models import Account, Post
from fediblog.paging import Page
from fediblog.services import acting, events, locks, notifications, people
from fediblog.services.events import Event
from fediblog.services.incoming import Reaction
from fediblog.services.notifications import Kind
from fediblog.services.people import People, Relation

LIKED_BY = Relation("post_like", "post_id", "account_id")
# A like without an emoji, as all of ours are.
PLAIN = Reaction()


async def like(account: Account, post: Post, uri: str | None = None, reaction: Reaction = PLAIN) -> Post:
    """Like a post, or what a boost passes on; gives the post that was meant. Twice is the same as once.

    `uri` is the name that another server gave its like, `reaction` the emoji that it is made with: of several
    by one account the last is kept. Raises as `acting.check` does.
    """
    post = await acting.original(post)
    async with db.transaction():
        await acting.check(account, post)
        values = (account.id, post.id, reaction.emoji, reaction.url, uri)
        like_id = await db.value(_LIKE, *values, ids.new(), moments.now())
        if like_id is None and reaction.emoji:
            await db.execute(_REACT, *values)
        if like_id is not None:
            await notifications.tell(Kind.LIKE, post.author_id, account, post.id)
            await db.execute("UPDATE post SET likes = likes + 1 WHERE id = $1", post.id)
            await _record(Event.LIKED, account, post, like_id=like_id)
    return post


async def unlike(account: Account, post: Post) -> Post:
    """Take a like back; gives the post that was meant. Without a like: nothing."""
    post = await acting.original(post)
    async with db.transaction():
        like_id = await db.value(_UNLIKE, account.id, post.id) if await locks.keep(post.id) else None
        if like_id is not None:
            await notifications.take_back(Kind.LIKE, post.author_id, account.id, post.id)
            await db.execute("UPDATE post SET likes = likes - 1 WHERE id = $1", post.id)
            await _record(Event.UNLIKED, account, post, like_id=like_id, post_uri=post.uri)
    return post


async def liked_by(post: Post, viewer: Account | None, page: Page) -> People:
    """Who likes a post that the viewer may see."""
    return await people.listed(LIKED_BY, post.boost_of_id or post.id, page, viewer)


async def _record(event: Event, account: Account, post: Post, **detail: int | str) -> None:
    await events.record(event, account, post_id=post.id, target_id=post.author_id, detail=detail)


_LIKE = """
INSERT INTO post_like (account_id, post_id, emoji, emoji_url, uri, id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, post_id) DO NOTHING RETURNING id
"""
_REACT = """
UPDATE post_like SET emoji = $3, emoji_url = $4, uri = $5
WHERE account_id = $1 AND post_id = $2 AND (emoji <> $3 OR emoji_url <> $4)
"""
_UNLIKE = "DELETE FROM post_like WHERE account_id = $1 AND post_id = $2 RETURNING id"
