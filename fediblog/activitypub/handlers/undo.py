"""Undo: of a follow, a like, a boost, a block, or of having agreed to a follow (FEDERATION §5)."""

from typing import Any, Final

from fediblog.activitypub import reading
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import answers, parts
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import ACTIVITIES, id_of
from fediblog.models import Account, Post
from fediblog.services import blocks, boosts, dropped, follows, likes, undoing
from fediblog.services.undoing import Act, Found

_ACTS: Final = {
    "Follow": Act.FOLLOW,
    "Like": Act.LIKE,
    "EmojiReact": Act.LIKE,
    "Announce": Act.BOOST,
    "Block": Act.BLOCK,
}


async def handle(activity: Node, actor: Account) -> None:
    """Take back what the actor has done: found by its name, else by what it is, since names may differ.

    What has not come yet is remembered. Raises Forged for what is somebody else's.
    """
    for thing in parts.things(activity):
        await _undo(thing, actor)


async def _undo(thing: Any, actor: Account) -> None:
    name = parts.name(thing) if isinstance(thing, dict) else thing
    if isinstance(thing, dict):
        if id_of(thing.get("actor")) not in (None, actor.uri):
            raise Forged(Reason.ACTOR)
        if thing.get("type") == "Accept":
            return await _disagree(thing, actor)
        if thing.get("type") not in _ACTS:
            return await dropped.count("unknown object")
    found = await undoing.find(name) if name else None
    if found is not None and found.account_id != actor.id:
        raise Forged(Reason.OWNER)
    if found is None and isinstance(thing, dict):
        found = await _described(thing, actor)
    if found is not None:
        await _take_back(found, actor)
    elif name:
        parts.check_beside(name, actor)
        await undoing.remember(actor, name)


async def _disagree(thing: Node, actor: Account) -> None:
    """Who had agreed to be followed by somebody here does not any more."""
    for asked in parts.things(thing):
        await answers.end(asked, actor)


async def _described(thing: Node, actor: Account) -> Found | None:
    """The act that is embedded in an Undo, by its type, its actor and what it is about."""
    about = parts.things(thing)[0]
    if isinstance(about, dict) and about.get("type") in ACTIVITIES:
        about = about.get("object")  # What a group has announced.
    uri = id_of(about)
    return await undoing.find_about(actor, _ACTS[thing["type"]], uri, _emoji(thing)) if uri else None


def _emoji(thing: Node) -> str | None:
    """With what a post was liked, to find the right one of two reactions. None when it is not said."""
    found = reading.reaction(thing).emoji
    return found if found or thing["type"] == "Like" else None


async def _take_back(found: Found, actor: Account) -> None:
    match found.act:
        case Act.FOLLOW:
            await follows.unfollow(actor, await Account.get(id=found.other_id))
        case Act.BLOCK:
            await blocks.unblock(actor, await Account.get(id=found.other_id))
        case Act.LIKE:
            await likes.unlike(actor, await Post.get(id=found.other_id))
        case Act.BOOST:
            await boosts.unboost(actor, await Post.get(id=found.other_id))
