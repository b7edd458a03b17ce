"""Letters about an account itself: its profile, its pins, its move and its end."""

from fediblog import uris
from fediblog.activitypub import documents
from fediblog.activitypub.documents import Document
from fediblog.activitypub.outbox.letters import Letter
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.models import Account
from fediblog.services import listed, recipients
from fediblog.services.events import Happened


async def changed(event: Happened, account: Account) -> list[Letter]:
    """Update, with the whole actor as it is now; of somebody suspended little is left to be said."""
    if account.suspended_at is not None:
        actor = documents.suspended(account)
    else:
        actor = documents.actor(account, await listed.account_uri(account.moved_to_id))
    uri = uris.activity_uri(event.id)
    activity = documents.activity("Update", uri, account.uri, actor, [PUBLIC], [account.followers_uri])
    return [Letter(activity, await recipients.followers(account.id))]


async def deleted(event: Happened, account: Account) -> list[Letter]:
    """Delete, to everybody who may know the account: any of its posts may lie anywhere (FEDERATION §5)."""
    uri = uris.activity_uri(event.id)
    activity = documents.activity("Delete", uri, account.uri, account.uri, [PUBLIC])
    return [Letter(activity, await recipients.everybody())]


async def moved(event: Happened, account: Account) -> list[Letter]:
    """Move: whoever follows shall follow the other one. It says so too, or nobody believes it."""
    target = await listed.account_uri(event.target_id)
    if not target or account.moved_to_id != event.target_id:
        return []
    return await _to_followers(event, account, "Move", account.uri, target)


async def pinned(event: Happened, account: Account) -> list[Letter]:
    """Add to what stands at the top of the page."""
    found = await listed.post_uris([event.post_id or 0])
    return await _to_followers(event, account, "Add", found[0], account.featured_uri) if found else []


async def unpinned(event: Happened, account: Account) -> list[Letter]:
    """Remove from there."""
    return await _to_followers(event, account, "Remove", event.detail["uri"], account.featured_uri)


async def _to_followers(
    event: Happened, account: Account, kind: str, thing: str, target: str
) -> list[Letter]:
    activity: Document = documents.activity(
        kind, uris.activity_uri(event.id), account.uri, thing, [account.followers_uri], target=target
    )
    return [Letter(activity, await recipients.followers(account.id))]
