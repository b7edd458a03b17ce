"""Delivery: letters into envelopes, envelopes to inboxes (ARCHITECTURE §4, EGRESS §2, SECURITY R2-R6).

await enqueue(activity_id, inboxes)     in the transaction that made the activity
await drain()                           what Job.DELIVER does

plan       when a server, or a letter, is tried again
attempts   one letter to one inbox: signed, sent, and what the answer means
slots      how many are being sent, and who waits beside
recorder   how it went, written down together
lanes      the letters for one server, in their order
office     servers are leased, each gets a lane, until nothing is due
"""

from collections import defaultdict
from collections.abc import Iterable

from fediblog.activitypub import ownership
from fediblog.activitypub.delivery.office import begin, drain, stop
from fediblog.activitypub.ownership import Forged
from fediblog.services import domains, outgoing

__all__ = ["begin", "drain", "enqueue", "stop"]


async def enqueue(activity_id: int, inboxes: Iterable[str]) -> None:
    """Owe an activity to inboxes, once each, inside the transaction that made it.

    Those under our own name, on servers that are blocked, and what is no address are left out.
    """
    by_domain: defaultdict[str, set[str]] = defaultdict(set)
    for inbox in inboxes:
        try:
            domain = ownership.check_foreign(inbox).partition("://")[2]
        except Forged:
            continue
        by_domain[domain].add(inbox)
    for domain in [domain for domain in by_domain if await domains.refused(domain)]:
        del by_domain[domain]
    await outgoing.enqueue(activity_id, by_domain)
