"""Letters of the server itself, which speaks where no person should be named: reports, and relays."""

from fediblog import uris
from fediblog.activitypub import documents
from fediblog.activitypub.documents import Document
from fediblog.activitypub.outbox.letters import Letter
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.models import Account
from fediblog.services.events import Happened


async def reported(event: Happened) -> list[Letter]:
    """Flag, to the server of the one who is reported, who is not told: so it is addressed to nobody."""
    target = await Account.get_or_none(id=event.target_id, local=False, deleted_at=None)
    if target is None:
        return []
    things = [target.uri, *event.detail["posts"]]
    uri = uris.activity_uri(event.id)
    flag = documents.activity("Flag", uri, uris.server_uri(), things, content=event.detail["comment"])
    return [Letter(flag, frozenset(filter(None, (target.shared_inbox or target.inbox,))))]


async def relay_asked(event: Happened) -> list[Letter]:
    """Follow of a relay."""
    return [Letter(_follow(event), frozenset((event.detail["inbox"],)))]


async def follow_accepted(event: Happened) -> list[Letter]:
    """Accept, for a relay that follows back as those of LitePub do."""
    relay = await Account.get_or_none(id=event.target_id, local=False, deleted_at=None)
    if relay is None:
        return []
    follow = documents.follow(event.detail["uri"], relay.uri, uris.server_uri())
    accept = documents.activity("Accept", uris.activity_uri(event.id), uris.server_uri(), follow, [relay.uri])
    return [Letter(accept, frozenset((relay.inbox,)))]


async def relay_left(event: Happened) -> list[Letter]:
    """Undo of it."""
    follow = _follow(event)
    uri = uris.activity_uri(event.id)
    undo = documents.activity("Undo", uri, uris.server_uri(), follow, follow.get("to", ()))
    return [Letter(undo, frozenset((event.detail["inbox"],)))]


def _follow(event: Happened) -> Document:
    """Mastodon's relays want the public to be followed, those of LitePub their actor (FEDERATION §10)."""
    relay = event.detail["actor_uri"]
    if not relay:
        return documents.activity("Follow", event.detail["uri"], uris.server_uri(), PUBLIC)
    return documents.follow(event.detail["uri"], uris.server_uri(), relay)
