"""Create: a new post, or a vote in a poll of ours (FEDERATION §5)."""

from typing import Any

from fediblog.activitypub import ownership, resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.reading import addresses, tags
from fediblog.activitypub.vocabulary import ACTORS, POSTS, as_list, id_of
from fediblog.models import Account, Post
from fediblog.services import dropped, relevance


async def handle(activity: Node, actor: Account) -> None:
    """Take in what the actor has published. Several votes may come in one (GoToSocial)."""
    for thing in parts.things(activity):
        await take(thing, activity, actor)


async def take(thing: Any, activity: Node, actor: Account) -> None:
    """Take in one post or vote of the actor's that we do not have, if anybody here may want it.

    What is not embedded by its owner is fetched from its own server. Raises Forged for what is not the
    actor's, and as `resolver.store_post` does.
    """
    uri = parts.address(thing)
    parts.check_beside(uri, actor)
    embedded = thing if ownership.may_embed(thing, activity) else {}
    if not embedded:
        _check_owner(thing, actor)
    elif embedded.get("type") not in POSTS:
        return await dropped.count("unknown object")
    if not await _is_wanted(embedded, activity, actor):
        return await dropped.count("not relevant")
    if not embedded and await Post.exists(uri=uri):
        return
    node = embedded or await resolver.document(uri)
    if node.get("type") not in POSTS:
        return await dropped.count("unknown object")
    await resolver.store_post(node, actor, activity)


def _check_owner(thing: Any, actor: Account) -> None:
    """What says itself that it is somebody else's need not be asked for."""
    if not isinstance(thing, dict):
        return
    says_so = thing.get("type") in ACTORS or "attributedTo" in thing or "actor" in thing
    if says_so and ownership.owner_of(thing) != actor.uri:
        raise Forged(Reason.OWNER)


async def _is_wanted(post: Node, activity: Node, actor: Account) -> bool:
    """Of a post that is not here yet only the activity says whom it is for."""
    addressed = [
        each for node in (post, activity) for field in ("to", "cc") for each in as_list(node.get(field))
    ]
    related = [addresses.identity(post.get("inReplyTo")), tags.quote(post)]
    named = [uri for each in addressed if (uri := id_of(each))]
    return await relevance.is_wanted(actor, related, [*named, *tags.mentions(post)])
