"""Add and Remove: what the actor has pinned to its page, or taken down (FEDERATION §5)."""

from fediblog.activitypub import resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import id_of
from fediblog.models import Account, Post
from fediblog.services import dropped, pins, relevance


async def add(activity: Node, actor: Account) -> None:
    """Pin a post of the actor's own; one that is not here is fetched when somebody here follows the actor."""
    post = await _post(activity, actor)
    if post is not None:
        await pins.pin(actor, post)


async def remove(activity: Node, actor: Account) -> None:
    """Unpin a post of the actor's own."""
    if not _is_of_pins(activity, actor):
        return await dropped.count("unknown collection")
    post = await Post.get_or_none(uri=parts.one(activity))
    if post is not None:
        _check_owner(post, actor)
        await pins.unpin(actor, post)


async def _post(activity: Node, actor: Account) -> Post | None:
    if not _is_of_pins(activity, actor):
        await dropped.count("unknown collection")
        return None
    uri = parts.one(activity)
    parts.check_beside(uri, actor)
    post = await Post.get_or_none(uri=uri)
    if post is None and await relevance.is_followed(actor):
        post = await resolver.post(uri)
    if post is None:
        await dropped.count("not relevant")
        return None
    _check_owner(post, actor)
    return post


def _is_of_pins(activity: Node, actor: Account) -> bool:
    """Hashtags, and lists of other kinds, are featured in collections of their own."""
    target = id_of(activity.get("target"))
    return target is not None and target == actor.featured_uri


def _check_owner(post: Post, actor: Account) -> None:
    if post.author_id != actor.id:
        raise Forged(Reason.OWNER)
