"""Letters about posts and boosts: Create, Update, Delete, Announce, and its Undo."""

from dataclasses import replace

from fediblog import uris
from fediblog.activitypub import audience as addressing
from fediblog.activitypub import documents
from fediblog.activitypub.documents import Document, Written
from fediblog.activitypub.outbox import letters
from fediblog.activitypub.outbox.letters import Letter
from fediblog.models import Account, Visibility
from fediblog.services import listed, recipients, written
from fediblog.services.events import Happened


async def published(event: Happened, author: Account) -> list[Letter]:
    """Create, with the post in it."""
    post = await _load(event)
    return [await _about(post, documents.create(post))] if post else []


async def edited(event: Happened, author: Account) -> list[Letter]:
    """Update; what is for everybody also to those who have got what was said before."""
    post = await _load(event)
    return await _changed(event, post) if post is not None else []


async def poll_changed(event: Happened, author: Account) -> list[Letter]:
    """Update of the question as it stands. Nobody takes it for an edit: `updated` is as before (§3)."""
    post = await _load(event)
    return await _changed(event, post) if post is not None and post.tally is not None else []


async def quote_changed(event: Happened, author: Account) -> list[Letter]:
    """Update of a post whose quote is agreed to or not, or that others may quote. It is no edit either."""
    post = await _load(event)
    return await _changed(event, post) if post is not None else []


async def deleted(event: Happened, author: Account) -> list[Letter]:
    """Delete, to everybody who may have a copy. The row is gone: the event says who that can be."""
    said = event.detail
    visibility = Visibility(said["visibility"])
    others = [said["reply_to_author_id"], *said["boosters"]]
    inboxes = await letters.audience(author, visibility, said["addressed"], others)
    inboxes |= await recipients.reached(event.post_id or 0, said["boosts"])
    named = [uri for uri in await listed.account_uris(said["addressed"]) if uri != author.uri]
    to, cc = addressing.address(visibility, author.followers_uri, named)
    gone = documents.tombstone(said["uri"])
    activity = documents.activity("Delete", uris.activity_uri(event.id), author.uri, gone, to, cc)
    return [Letter(activity, inboxes, event.post_id)]


async def boosted(event: Happened, booster: Account) -> list[Letter]:
    """Announce: its id is the boost's own."""
    found = (await written.boosts([event.post_id or 0])).get(event.post_id or 0)
    if found is None:
        return []
    boost = found.post
    inboxes = await letters.audience(booster, boost.visibility, [], [boost.boost_of_author_id])
    is_private = boost.visibility == Visibility.FOLLOWERS
    return [Letter(documents.boost(found), inboxes, boost.id, is_private)]


async def unboosted(event: Happened, booster: Account) -> list[Letter]:
    """Undo, with the Announce as it was in it."""
    said = event.detail
    visibility = Visibility(said["visibility"])
    inboxes = await letters.audience(booster, visibility, [], [said["of_author_id"]])
    inboxes |= await recipients.reached(event.post_id or 0)
    to, cc = addressing.address(
        visibility, booster.followers_uri, await listed.account_uris([said["of_author_id"]])
    )
    announce = documents.activity("Announce", said["uri"], booster.uri, said["of_uri"], to, cc)
    activity = documents.activity("Undo", uris.activity_uri(event.id), booster.uri, announce, to, cc)
    return [Letter(activity, inboxes)]


async def _changed(event: Happened, post: Written) -> list[Letter]:
    letter = await _about(post, _update(event, post))
    if post.body.visibility > Visibility.UNLISTED:
        return [letter]
    number = post.body.id
    reached = await recipients.reached(number, await recipients.boosts_here(number))
    return [replace(letter, inboxes=letter.inboxes | reached | await recipients.boosters(number))]


async def _load(event: Happened) -> Written | None:
    return await documents.load(event.post_id or 0)


async def _about(post: Written, activity: Document) -> Letter:
    """A letter with a post in it, to those whom the post is for."""
    body = post.body
    addressed = [person.id for person in post.mentioned if not person.local]
    inboxes = await letters.audience(post.author, body.visibility, addressed, [body.reply_to_author_id])
    return Letter(activity, inboxes, body.id, body.visibility == Visibility.FOLLOWERS)


def _update(event: Happened, post: Written) -> Document:
    note = documents.note(post)
    return documents.activity(
        "Update", uris.activity_uri(event.id), post.author.uri, note, note["to"], note["cc"]
    )
