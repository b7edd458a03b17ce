"""Update: an edit, the new numbers of a poll, or a changed profile (FEDERATION §5)."""

from typing import Any

from fediblog.activitypub import ownership, reading, resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import create, parts
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import POSTS
from fediblog.models import Account, Post
from fediblog.services import dropped, receiving
from fediblog.services.incoming import IncomingPost


async def handle(activity: Node, actor: Account) -> None:
    """Bring what we have of the actor in line with what it says now."""
    # Each once: 64 times the same profile would be asked for 64 times.
    for thing in {parts.address(thing): thing for thing in parts.things(activity)}.values():
        await _take(thing, activity, actor)


async def _take(thing: Any, activity: Node, actor: Account) -> None:
    uri = parts.address(thing)
    if uri == actor.uri:
        # Whatever is embedded: a key or a name is believed from the origin alone.
        await resolver.actor(uri, refresh=True)
        return
    parts.check_beside(uri, actor)
    post = await Post.get_or_none(uri=uri)
    if post is None:
        return await create.take(thing, activity, actor)
    if post.author_id != actor.id:
        raise Forged(Reason.OWNER)
    await _edit(post, thing, activity, actor)


async def _edit(post: Post, thing: Any, activity: Node, actor: Account) -> None:
    """A boost has no text that could change."""
    node = thing if ownership.may_embed(thing, activity) else await resolver.document(post.uri)
    if node.get("type") not in POSTS or post.boost_of_id is not None:
        return await dropped.count("unknown object")
    incoming = reading.post(node, activity, actor.followers_uri)
    if isinstance(incoming, IncomingPost):
        await receiving.edit(actor, post, incoming)
