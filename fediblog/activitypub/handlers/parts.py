"""What all verbs ask of an activity: what it is about, and what it is called."""

from typing import Any

from fediblog.activitypub import ownership, resolver
from fediblog.activitypub.compact import Node
from fediblog.activitypub.ownership import Forged, Reason
from fediblog.activitypub.vocabulary import as_list, id_of
from fediblog.errors import Malformed, NotFound
from fediblog.models import Account

# Votes and reports come several at a time; no more than a poll has options (SECURITY §4).
MOST_THINGS = 64


def things(activity: Node) -> list[Any]:
    """What an activity is about, as addresses or documents. Raises Malformed when it is about nothing."""
    found = [each for each in as_list(activity.get("object")) if isinstance(each, str | dict)]
    if not found:
        raise Malformed("The activity is about nothing.")
    return found[:MOST_THINGS]


def address(thing: Any) -> str:
    """The id of what an activity is about. Raises Malformed when it has none."""
    found = id_of(thing)
    if found is None:
        raise Malformed("The activity is about something without an address.")
    return found


def one(activity: Node) -> str:
    """The id of the one thing that an activity is about, the first of several. Raises as `address` does."""
    return address(things(activity)[0])


def name(activity: Node) -> str | None:
    """What the activity itself is called; some are without a name."""
    return id_of(activity)


def check_beside(uri: str, actor: Account) -> None:
    """Raises Forged unless the address is under the actor's own origin."""
    if ownership.check_foreign(uri) != ownership.origin(actor.uri):
        raise Forged(Reason.ORIGIN)


async def somebody_here(uri: str) -> Account:
    """The account of ours with this address. Raises NotFound for every other address."""
    if not ownership.is_ours(uri):
        raise NotFound
    return await resolver.actor(uri)
