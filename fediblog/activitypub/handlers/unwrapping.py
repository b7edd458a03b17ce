"""What a group passes on of its members' doings (FEP-1b12): Lemmy, PieFed, Mbin, NodeBB.

The group is no witness. A post is fetched from its own server; so is a like, which then counts as its own
actor's. Groups have many members, so likes are fetched at a bounded pace (SECURITY §4).
"""

from typing import Final

from fediblog.activitypub import ownership, resolver, second_look
from fediblog.activitypub.budgets import memory
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import like, parts, undo
from fediblog.activitypub.vocabulary import as_list, id_of
from fediblog.models import Account, Post
from fediblog.services import dropped, relevance

_ACTS: Final = {"Like": like.handle, "EmojiReact": like.handle, "Undo": undo.handle}


async def is_wanted(inner: Node, group: Account) -> bool:
    """Whether anybody here follows the group, or it claims that this concerns a post or somebody of ours.

    Whom nobody follows makes us ask others at a bounded pace (SECURITY §4).
    """
    if await relevance.is_followed(group):
        return True
    thing = parts.things(inner)[0]
    within = thing if isinstance(thing, dict) else {}
    related = [id_of(thing), id_of(within.get("object")), id_of(within.get("inReplyTo"))]
    addressed = [*as_list(within.get("to")), *as_list(within.get("cc"))]
    claimed = list(filter(None, related)), list(filter(None, map(id_of, addressed)))
    uri = parts.address(thing)
    return await relevance.is_wanted(group, *claimed) and (
        ownership.is_ours(uri) or memory().led.take(ownership.origin(uri))
    )


async def apply(inner: Node) -> Post | None:
    """Apply an activity that came inside another's Announce; gives the post that it is about, if we have it.

    Raises as `resolver.post` does, and as the inner activity's own handler.
    """
    kind = inner.get("type")
    if kind in _ACTS:
        await _act(inner)
    elif kind in ("Create", "Update", "Delete"):
        return await _about_post(kind, parts.one(inner))
    else:
        await dropped.count("unknown activity in a group")
    return None


async def _about_post(kind: object, uri: str) -> Post | None:
    """What has become of it is asked of its own server."""
    post = await Post.get_or_none(uri=uri)
    if post is None and kind != "Delete":
        return await resolver.post(uri)
    if post is not None and not post.local and kind != "Create":
        await second_look.at(post)
    return post


async def _act(inner: Node) -> None:
    """A like of a post that we have, or the end of one, if its actor's server says so too."""
    liked = parts.things(inner)[0]
    if inner["type"] == "Undo":
        liked = liked.get("object") if isinstance(liked, dict) and liked.get("type") in _ACTS else None
    uri, name = id_of(liked), parts.name(inner)
    if uri is None or name is None or not await Post.exists(uri=uri):
        return await dropped.count("like of an unknown post")
    if not memory().hosts.take(ownership.origin(name)):
        return await dropped.count("too many likes in groups")
    activity = await resolver.document(name)
    actor = await _actor_of(activity)
    verb = _ACTS.get(str(activity.get("type")))
    if verb is None or activity.get("type") != inner["type"] or actor.suspended_at is not None:
        return await dropped.count("unknown activity in a group")
    await verb(activity, actor)


async def _actor_of(activity: Node) -> Account:
    """Whose it is, who is asked for when nobody knows them. Raises Forged when that is not clear."""
    actor = await resolver.actor(ownership.owner_of(activity))
    ownership.check_activity(activity, actor.uri)
    return actor
