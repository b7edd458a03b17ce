"""Letters to one person about what somebody here does: likes, votes, follows and their answers, blocks."""

from typing import NamedTuple

from fediblog import moments, uris
from fediblog.activitypub import documents
from fediblog.activitypub.documents import Document
from fediblog.activitypub.outbox.letters import Letter
from fediblog.models import Account
from fediblog.services import listed, recipients
from fediblog.services.events import Happened
from fediblog.services.recipients import Addressee


class _Meeting(NamedTuple):
    """Who does it, and to whom: somebody elsewhere."""

    account: Account
    target: Addressee


async def liked(event: Happened, account: Account) -> list[Letter]:
    """Like."""
    meeting, post_uri = await _met(event, account), await _post_uri(event)
    if meeting is None or not post_uri:
        return []
    return [_to(meeting, _like(event, meeting, post_uri), event.post_id)]


async def unliked(event: Happened, account: Account) -> list[Letter]:
    """Undo of a Like."""
    meeting = await _met(event, account)
    return [_undo(event, meeting, _like(event, meeting, event.detail["post_uri"]))] if meeting else []


async def voted(event: Happened, account: Account) -> list[Letter]:
    """A Create for each choice: a Note with a name and without content, for the author alone."""
    meeting, poll_uri = await _met(event, account), await _post_uri(event)
    if meeting is None or not poll_uri:
        return []
    options = enumerate(event.detail["options"])
    return [_to(meeting, _vote(event, meeting, poll_uri, number, title)) for number, title in options]


async def follow_asked(event: Happened, account: Account) -> list[Letter]:
    """Follow."""
    meeting = await _met(event, account)
    return [_to(meeting, _follow(event, meeting))] if meeting else []


async def follow_ended(event: Happened, account: Account) -> list[Letter]:
    """Undo of a Follow, whether it was agreed to or not."""
    meeting = await _met(event, account)
    return [_undo(event, meeting, _follow(event, meeting))] if meeting else []


async def follow_accepted(event: Happened, account: Account) -> list[Letter]:
    """Accept, with the whole Follow in it: some find theirs by nothing else (FEDERATION §13.1)."""
    return await _answer("Accept", event, account)


async def follow_rejected(event: Happened, account: Account) -> list[Letter]:
    """Reject, in answer to a Follow or to end one."""
    return await _answer("Reject", event, account)


async def blocked(event: Happened, account: Account) -> list[Letter]:
    """Block."""
    meeting = await _met(event, account)
    return [_to(meeting, _block(event, meeting))] if meeting else []


async def unblocked(event: Happened, account: Account) -> list[Letter]:
    """Undo of a Block."""
    meeting = await _met(event, account)
    return [_undo(event, meeting, _block(event, meeting))] if meeting else []


# --------------------------------------------------------------------------------------------------- parts


async def _met(event: Happened, account: Account) -> _Meeting | None:
    """None when the other side is no more: nobody is left to be told."""
    target = await recipients.one(event.target_id or 0)
    return _Meeting(account, target) if target is not None else None


async def _post_uri(event: Happened) -> str:
    return next(iter(await listed.post_uris([event.post_id or 0])), "")


async def _answer(kind: str, event: Happened, account: Account) -> list[Letter]:
    meeting = await _met(event, account)
    if meeting is None:
        return []
    follow = documents.follow(event.detail["uri"], meeting.target.uri, account.uri)
    return [_to(meeting, _activity(kind, event, meeting, follow))]


def _to(meeting: _Meeting, activity: Document, post_id: int | None = None) -> Letter:
    return Letter(activity, frozenset((meeting.target.inbox,)), post_id)


def _undo(event: Happened, meeting: _Meeting, undone: Document) -> Letter:
    return _to(meeting, _activity("Undo", event, meeting, undone))


def _activity(kind: str, event: Happened, meeting: _Meeting, thing: Document) -> Document:
    uri = uris.activity_uri(event.id)
    return documents.activity(kind, uri, meeting.account.uri, thing, [meeting.target.uri])


def _like(event: Happened, meeting: _Meeting, post_uri: str) -> Document:
    uri = uris.like_uri(event.detail["like_id"])
    return documents.like(uri, meeting.account.uri, post_uri, meeting.target.uri)


def _follow(event: Happened, meeting: _Meeting) -> Document:
    return documents.follow(event.detail["uri"], meeting.account.uri, meeting.target.uri)


def _block(event: Happened, meeting: _Meeting) -> Document:
    target = meeting.target.uri
    return documents.activity("Block", event.detail["uri"], meeting.account.uri, target, [target])


def _vote(event: Happened, meeting: _Meeting, poll_uri: str, number: int, title: str) -> Document:
    """Named as Mastodon names its own: beside the actor, where nobody asks for it."""
    voter, author = meeting.account.uri, meeting.target.uri
    uri = f"{voter}#votes/{event.id}-{number}"
    choice = {
        "id": uri,
        "type": "Note",
        "name": title,
        "attributedTo": voter,
        "inReplyTo": poll_uri,
        "to": [author],
    }
    published = moments.iso(event.created_at)
    return documents.activity("Create", f"{uri}/activity", voter, choice, [author], published=published)
