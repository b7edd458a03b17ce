"""What relays say to us: that they let us in, or not any more; and whether somebody is one at all (§10).

Asking and leaving is for the staff (relays.py). A relay is known by the actor that has answered for it; other
accounts of its server are nobody.
"""

from fediblog import db
from fediblog.models import Account


async def is_relay(actor: Account) -> bool:
    """Whether this account passes on to us what others publish, as we have asked."""
    return bool(await db.value("SELECT 1 FROM relay WHERE state = 'accepted' AND actor_uri = $1", actor.uri))


async def is_asked(actor: Account) -> bool:
    """Whether this is the actor of a relay that we have asked, whatever it has said."""
    return bool(await db.value("SELECT 1 FROM relay WHERE actor_uri = $1", actor.uri))


async def take(actor: Account, follow_uri: str, state: str) -> bool:
    """Note what a relay has said to our asking: `accepted` or `rejected`.

    False when it was not asked under this name, or is not the one that was asked.
    """
    async with db.transaction():
        found = await db.value(_ANSWERED, follow_uri, actor.uri, actor.inbox, state)
    return found is not None


_ANSWERED = """
UPDATE relay SET state = $4, actor_uri = $2
WHERE follow_uri = $1 AND (actor_uri = $2 OR (actor_uri = '' AND inbox = $3)) RETURNING id
"""
