"""Asking a relay by what its people publish about it: an inbox, or an actor (FEDERATION §10)."""

from urllib.parse import urlsplit

from fediblog.activitypub import resolver, webfinger
from fediblog.models import User
from fediblog.services import relays
from fediblog.services.relays import Relay


async def ask(url: str, by: User | None = None) -> Relay:
    """Ask a relay to take us in: `https://relay.example/inbox` as Mastodon does, all else as an actor.

    Raises as `relays.add` and `resolver.actor` do, Forbidden for a server that is blocked here and for ours.
    """
    await webfinger.check_host(url)
    if urlsplit(url).path.endswith("/inbox"):
        return await relays.add(url, by=by)
    actor = await resolver.actor(url, refresh=True)
    return await relays.add(actor.inbox, actor.uri, by)
