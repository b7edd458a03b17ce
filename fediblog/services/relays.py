"""Relays: servers that pass on to each other what their members publish for everybody (FEDERATION §10).

Asking and leaving, for the staff. What relays say to that is in relay_answers.py.
"""

from dataclasses import dataclass

from fediblog import db, ids, moments, uris
from fediblog.errors import Conflict, NotFound
from fediblog.models import User
from fediblog.services import audit, events
from fediblog.services.events import Event


@dataclass(frozen=True, slots=True)
class Relay:
    """A relay; `state` is `asked`, `accepted` or `rejected`. `actor_uri` is empty until it is known.

    `by_actor`: it wants its actor to be followed; others want the public to be.
    """

    id: int
    inbox: str
    actor_uri: str
    by_actor: bool
    follow_uri: str
    state: str
    created_at: int


async def add(inbox: str, actor_uri: str = "", by: User | None = None) -> Relay:
    """Ask a relay to take us in: with an actor it is followed as LitePub wants it, else as Mastodon does.

    `by` is None on the command line. Raises Conflict for one that has been asked already.
    """
    number = ids.new()
    uri = uris.activity_uri(number)
    async with db.transaction():
        values = (number, inbox, actor_uri, bool(actor_uri), uri, moments.now())
        if await db.value(_ADD, *values) is None:
            raise Conflict("This relay has been asked already.")
        relay = await get(number)
        await _tell(Event.RELAY_ASKED, relay)
        await audit.record(by, "relay.add", inbox)
    return relay


async def remove(relay_id: int, by: User | None = None) -> None:
    """Leave a relay. Raises NotFound when there is none."""
    async with db.transaction():
        relay = await get(relay_id)
        await db.execute("DELETE FROM relay WHERE id = $1", relay_id)
        await _tell(Event.RELAY_LEFT, relay)
        await audit.record(by, "relay.remove", relay.inbox)


async def listed() -> list[Relay]:
    """All relays, oldest first."""
    return [_relay(line) for line in await db.rows(f"{_GET} ORDER BY id")]


async def get(relay_id: int) -> Relay:
    """One of them. Raises NotFound."""
    found = await db.row(f"{_GET} WHERE id = $1", relay_id)
    if found is None:
        raise NotFound("There is no such relay.")
    return _relay(found)


def _relay(line: db.Row) -> Relay:
    return Relay(**{**line, "by_actor": bool(line["by_actor"])})


async def _tell(event: Event, relay: Relay) -> None:
    followed = relay.actor_uri if relay.by_actor else ""
    detail = {"inbox": relay.inbox, "uri": relay.follow_uri, "actor_uri": followed}
    await events.record(event, None, detail=detail)


_ADD = """
INSERT INTO relay (id, inbox, actor_uri, by_actor, follow_uri, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (inbox) DO NOTHING RETURNING id
"""
_GET = "SELECT id, inbox, actor_uri, by_actor, follow_uri, state, created_at FROM relay"
