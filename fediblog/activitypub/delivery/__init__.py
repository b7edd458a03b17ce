"""Delivery: letters into envelopes, envelopes to inboxes (ARCHITECTURE §4, EGRESS §2, SECURITY R2-R6).

    await enqueue(activity_id, inboxes)     in the transaction that made the activity
    await drain()                           what Job.DELIVER does

    plan       when a server, or a letter, is tried again
    attempts   one letter to one inbox: signed, sent, and what the answer means
    envelopes  the letters and who signs them, at hand
    slots      how many are being sent, and who waits beside
    recorder   how it went, written down together
    lanes      the letters for one server, in their order
    office     servers are leased, each gets a lane, until nothing is due

The rows are `services.outgoing`'s; nothing here says SQL.
"""

from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress

from fediblog.activitypub import ownership
from fediblog.activitypub.delivery.office import begin, drain, stop
from fediblog.activitypub.ownership import Forged
from fediblog.services import domains, outgoing

__all__ = ["begin", "by_server", "drain", "enqueue", "stop"]


async def by_server(inboxes: Iterable[str]) -> dict[str, set[str]]:
    """Inboxes by the domain of their server, once each.

    Those under our own name, on servers that are blocked, and what is no address are left out.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    for inbox in inboxes:
        with suppress(Forged):
            ownership.check_foreign(inbox)
            found[ownership.host(inbox)].add(inbox)
    return {domain: those for domain, those in found.items() if not await domains.refused(domain)}


async def enqueue(activity_id: int, inboxes: Iterable[str]) -> None:
    """Owe an activity to inboxes, inside the transaction that made it; to those that `by_server` leaves."""
    await outgoing.enqueue(activity_id, await by_server(inboxes))
