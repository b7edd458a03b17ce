"""Announce: a boost; what a relay passes on; or what a group distributes to its members (FEDERATION §5, §10).

What is embedded is never believed: it is somebody else's, and is taken from the database or from its origin.
"""

from typing import Any

from fediblog.activitypub import audience, ownership, resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts, unwrapping
from fediblog.activitypub.vocabulary import ACTIVITIES
from fediblog.errors import Malformed
from fediblog.models import Account, Post
from fediblog.services import boosts, dropped, relay_answers, relevance, undoing


async def handle(activity: Node, actor: Account) -> None:
    """Let the actor pass something on. Raises Forbidden for what is not meant for everybody."""
    thing = parts.things(activity)[0]
    inner = thing if _is_activity(thing) else None
    if await relay_answers.is_relay(actor):
        return await _relayed(thing, inner)
    if inner is None:
        return await _boosted(parts.address(thing), activity, actor)
    if not await unwrapping.is_wanted(inner, actor):
        return await dropped.count("not relevant")
    post = await unwrapping.apply(inner)
    # That is how the members of a group see what is new in it; answers stand below what they answer.
    if post is not None and inner.get("type") == "Create" and not post.reply_to_uri:
        await _boost(post, activity, actor)


def _is_activity(thing: Any) -> bool:
    """Groups pass on activities of kinds that nobody else knows (Lock)."""
    return isinstance(thing, dict) and (
        thing.get("type") in ACTIVITIES or {"actor", "object"} <= thing.keys()
    )


async def _relayed(thing: Any, inner: Node | None) -> None:
    """Whatever it is, the relay is no booster of it, and nobody here need follow anybody for it."""
    if inner is not None:
        await unwrapping.apply(inner)
    elif not ownership.is_ours(uri := parts.address(thing)):
        await resolver.post(uri)


async def _boosted(uri: str, activity: Node, actor: Account) -> None:
    """Only boosts of who is followed here, or of posts of ours, are worth a fetch."""
    post = await Post.get_or_none(uri=uri)
    if not await relevance.is_followed(actor) and not (post and post.local):
        return await dropped.count("not relevant")
    post = post or await resolver.post(uri)
    if post is None:
        return await dropped.count("boost of what is no post")
    await _boost(post, activity, actor)


async def _boost(post: Post, activity: Node, actor: Account) -> None:
    name = parts.name(activity)
    if name is None:
        raise Malformed("A boost needs an address.")
    if await undoing.came_first(actor, name):
        return await dropped.count("undone before it came")
    level = audience.read(activity, None, actor.followers_uri).visibility
    await boosts.boost(actor, post, level, name)
