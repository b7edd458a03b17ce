"""One activity has its effect: its actor's own by the handlers, one that was passed on as a hint."""

from fediblog.activitypub import compact, handlers, ownership
from fediblog.activitypub.inbox import hints
from fediblog.activitypub.outbox import forwarding
from fediblog.activitypub.vocabulary import id_of
from fediblog.errors import Forbidden, NotFound
from fediblog.models import Account
from fediblog.services import domains, servers
from fediblog.services.inbox_items import Item


async def of(item: Item, actor: Account | None) -> None:
    """Let what was taken in have its effect. `actor` is who signed for it, None when we know them no more.

    Raises what handlers raise; Forbidden for who has been blocked since, NotFound for who has gone.
    """
    if actor is None:
        raise NotFound()
    host = ownership.origin(actor.uri).partition("://")[2]
    if actor.suspended_at is not None or await domains.refused(host):
        raise Forbidden()
    await servers.heard_from(host)
    activity = compact.read(item.body)
    if id_of(activity.get("actor")) == actor.uri:
        await handlers.handle(activity, actor)
        await forwarding.forward(activity, item.body)
    else:
        await hints.follow(activity, actor)
