"""Move: the actor goes on under another account (FEDERATION §5)."""

from fediblog.activitypub import resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.handlers import parts
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import id_of
from fediblog.errors import Malformed
from fediblog.models import Account
from fediblog.services import dropped, moves


async def handle(activity: Node, actor: Account) -> None:
    """Let those here who follow the actor follow the account that it has moved to.

    Both are asked afresh and have to name each other: otherwise followers could be stolen, or sent to who
    does not want them. Raises Forged when they do not.
    """
    target = id_of(activity.get("target"))
    if parts.one(activity) != actor.uri:
        raise Forged(Reason.OWNER)
    if target is None or target == actor.uri:
        raise Malformed("The account has moved nowhere.")
    if moves.rests(actor):
        return await dropped.count("moved lately")
    if not await moves.concerns_us(actor):
        return await dropped.count("not relevant")
    new = await resolver.actor(target, refresh=True)
    old = await resolver.actor(actor.uri, refresh=True)
    if old.moved_to_id != new.id or actor.uri not in new.also_known_as:
        raise Forged(Reason.OWNER)
    if not await moves.begin(old, new):
        await dropped.count("moved lately")
