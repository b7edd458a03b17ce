"""Accept and Reject: what others say to our asking to follow or to quote them (FEDERATION §5, FEP-044f)."""

from contextlib import suppress
from typing import Any

from fediblog.activitypub import ownership
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts, quotes
from fediblog.activitypub.vocabulary import id_of
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.services import dropped, follows, relay_answers

_TO_NOTHING = "answer to nothing"


async def accept(activity: Node, actor: Account) -> None:
    """Somebody here who asked may follow or quote the actor, or a relay lets us in. Twice is as once."""
    for thing in parts.things(activity):
        if await quotes.is_answer(thing, activity, actor) or await _is_of_relay(thing, actor, "accepted"):
            continue
        follower_id = await _asked(thing, actor)
        if follower_id is None:
            await dropped.count(_TO_NOTHING)
            continue
        with suppress(NotFound):  # Agreed to before, or never asked.
            await follows.accept(actor, follower_id)


async def reject(activity: Node, actor: Account) -> None:
    """Somebody here may not follow or quote the actor, or not any more; the same for us and a relay."""
    for thing in parts.things(activity):
        is_another = await quotes.is_answer(thing, activity, actor)
        if not is_another and not await _is_of_relay(thing, actor, "rejected"):
            await end(thing, actor)


async def end(thing: Any, actor: Account) -> None:
    """End what the Follow `thing`, asked of the actor by somebody here, began."""
    follower_id = await _asked(thing, actor)
    if follower_id is None:
        return await dropped.count(_TO_NOTHING)
    await follows.remove_follower(actor, follower_id)


async def _is_of_relay(thing: Any, actor: Account, state: str) -> bool:
    uri = id_of(thing)
    return uri is not None and await relay_answers.take(actor, uri, state)


async def _asked(thing: Any, actor: Account) -> int | None:
    """Who here has asked to follow the actor: by the name of the Follow, else by what is embedded of it.

    None when it is about something else. Whether they asked indeed is for our own rows to say.
    """
    uri = id_of(thing)
    if uri is not None and (found := await follows.named(actor, uri)) is not None:
        return found
    if (
        not isinstance(thing, dict)
        or thing.get("type") != "Follow"
        or id_of(thing.get("object")) != actor.uri
    ):
        return None
    who = id_of(thing.get("actor"))
    if who is None or not ownership.is_ours(who):
        return None
    follower = await parts.somebody_here(who)
    return int(follower.id)
