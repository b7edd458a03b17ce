"""Like, EmojiReact and what else is liked with (FEDERATION §5, FEP-c0e0)."""

from fediblog.activitypub import reading
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.errors import NotFound
from fediblog.models import Account, Post
from fediblog.services import dropped, likes, undoing, visibility


async def handle(activity: Node, actor: Account) -> None:
    """The actor likes a post that we have; nothing is fetched for a like. With what emoji is kept.

    Raises NotFound for a post that the actor may not see.
    """
    post = await Post.get_or_none(uri=parts.one(activity))
    if post is None:
        return await dropped.count("like of an unknown post")
    if not await visibility.may_see(actor, post):
        raise NotFound
    if await undoing.came_first(actor, parts.name(activity)):
        return await dropped.count("undone before it came")
    await likes.like(actor, post, parts.name(activity), reading.reaction(activity))


async def dislike(activity: Node, actor: Account) -> None:
    """Nothing here is disliked."""
    await dropped.count("dislike")
