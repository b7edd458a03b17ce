"""One activity has its effect: its actor's own by the handlers, one that was passed on as a hint."""

from collections.abc import Iterable

from fediblog.activitypub import compact, handlers, ownership
from fediblog.activitypub.inbox import hints
from fediblog.activitypub.outbox import forwarding
from fediblog.activitypub.vocabulary import id_of
from fediblog.errors import Forbidden, NotFound
from fediblog.models import Account
from fediblog.services import domains, servers
from fediblog.services.inbox_items import Item

# Most of what comes. Whoever does these is afterwards who they were before.
_LEAVE_THE_ACTOR = frozenset(("Announce", "Create", "EmojiReact", "Follow", "Like"))


async def hear(actors: Iterable[Account]) -> None:
    """Something signed has come from these: their servers live. Who is blocked has said nothing."""
    hosts = {_host(actor) for actor in actors if actor.suspended_at is None}
    await servers.heard_from(*[host for host in sorted(hosts) if not await domains.refused(host)])


async def of(item: Item, actor: Account | None) -> bool:
    """Let what was taken in have its effect. `actor` is who signed for it, None when we know them no more.

    True when the actor may be another now. Raises what handlers raise; Forbidden for who has been blocked
    since, NotFound for who has gone.
    """
    if actor is None:
        raise NotFound()
    if actor.suspended_at is not None or await domains.refused(_host(actor)):
        raise Forbidden()
    activity = compact.read(item.body)
    if id_of(activity.get("actor")) == actor.uri:
        await handlers.handle(activity, actor)
        await forwarding.forward(activity, item.body)
    else:
        await hints.follow(activity, actor)
    return activity.get("type") not in _LEAVE_THE_ACTOR


def _host(actor: Account) -> str:
    return ownership.host(actor.uri)
