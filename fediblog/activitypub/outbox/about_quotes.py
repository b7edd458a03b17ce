"""Letters about quotes: asking for consent, giving or refusing it, and taking it back (FEP-044f)."""

from fediblog import uris
from fediblog.activitypub import documents
from fediblog.activitypub.outbox import letters
from fediblog.activitypub.outbox.letters import Letter
from fediblog.activitypub.vocabulary import PUBLIC
from fediblog.models import Account, Visibility
from fediblog.services import recipients
from fediblog.services.events import Happened


async def asked(event: Happened, author: Account) -> list[Letter]:
    """QuoteRequest, with the post that quotes in it: who decides shall see where."""
    post_id = event.post_id or 0
    post, target = await documents.load(post_id), await recipients.one(event.target_id or 0)
    if post is None or target is None:
        return []
    uri, note = uris.quote_request_uri(post_id), documents.note(post)
    request = documents.quote_request(uri, author.uri, post.quote_uri, note, target.uri)
    return [Letter(request, frozenset((target.inbox,)), post_id)]


async def accepted(event: Happened, owner: Account) -> list[Letter]:
    """Accept, and where the consent can be read."""
    return await _answer("Accept", event, owner, result=uris.quote_uri(event.post_id or 0))


async def rejected(event: Happened, owner: Account) -> list[Letter]:
    """Reject."""
    return await _answer("Reject", event, owner)


async def revoked(event: Happened, owner: Account) -> list[Letter]:
    """Delete of the consent, to who quotes and to all who may have either post."""
    said, target = event.detail, await recipients.one(event.target_id or 0)
    level = Visibility(said["visibility"])
    inboxes = await letters.audience(owner, level, [])
    for post_id in (said["quoted_id"], event.post_id or 0):
        inboxes |= await recipients.reached(post_id)
    if target is not None:
        inboxes.add(target.inbox)
    to = [target.uri] if target else []
    to = [PUBLIC, *to] if level <= Visibility.UNLISTED else to
    gone = documents.activity("Delete", uris.activity_uri(event.id), owner.uri, said["uri"], to)
    return [Letter(gone, inboxes)]


async def _answer(kind: str, event: Happened, owner: Account, **more: str) -> list[Letter]:
    """The whole question is in the answer, but for the post: that is its author's to show."""
    target = await recipients.one(event.target_id or 0)
    if target is None:
        return []
    said = event.detail
    request = documents.quote_request(said["uri"], target.uri, said["quoted"], said["post"], owner.uri)
    uri = uris.activity_uri(event.id)
    answer = documents.activity(kind, uri, owner.uri, request, [target.uri], **more)
    return [Letter(answer, frozenset((target.inbox,)))]
