"""From events to letters: what happened here becomes activities, each with the inboxes it goes to.

    about_posts    Create, Update and Delete of posts, Announce and its Undo
    about_acts     to one person: Like, votes, Follow and the answers to one, Block
    about_quotes   QuoteRequest, the answers to one, and the Delete of a consent
    about_people   to the followers: profile, pins, Move, Delete of an actor
    about_server   by the server itself: Flag, relays
    letters        who gets what is said of a post
    naming         people whom nobody knew when the post was written
    forwarding     answers of others, passed on to the followers of whom they answer

The events of one account become letters in the order in which they happened, and the letters of one event
are written in the transaction that ends it: nothing is said twice, and nothing is forgotten.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from fediblog import db, ids
from fediblog.activitypub import delivery, documents
from fediblog.activitypub.outbox import (
    about_acts,
    about_people,
    about_posts,
    about_quotes,
    about_server,
    naming,
)
from fediblog.activitypub.outbox.letters import Compose, Letter
from fediblog.errors import NoSpace, TooMany, Unavailable
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import events, outgoing, sent, work
from fediblog.services.events import Event, Happened

log = structlog.get_logger()

_BATCH = 50
# After so long others get their turn.
_SPELL = 20.0
_LATER = (Unavailable, NoSpace, TooMany)

_OF_ACCOUNTS: dict[Event, Compose] = {
    Event.POST_PUBLISHED: about_posts.published,
    Event.POST_EDITED: about_posts.edited,
    Event.POST_DELETED: about_posts.deleted,
    Event.POLL_CHANGED: about_posts.poll_changed,
    Event.QUOTE_CHANGED: about_posts.quote_changed,
    Event.QUOTE_ASKED: about_quotes.asked,
    Event.QUOTE_ACCEPTED: about_quotes.accepted,
    Event.QUOTE_REJECTED: about_quotes.rejected,
    Event.QUOTE_REVOKED: about_quotes.revoked,
    Event.BOOSTED: about_posts.boosted,
    Event.UNBOOSTED: about_posts.unboosted,
    Event.VOTED: about_acts.voted,
    Event.LIKED: about_acts.liked,
    Event.UNLIKED: about_acts.unliked,
    Event.FOLLOW_ASKED: about_acts.follow_asked,
    Event.FOLLOW_ENDED: about_acts.follow_ended,
    Event.FOLLOW_ACCEPTED: about_acts.follow_accepted,
    Event.FOLLOW_REJECTED: about_acts.follow_rejected,
    Event.BLOCKED: about_acts.blocked,
    Event.UNBLOCKED: about_acts.unblocked,
    Event.PROFILE_CHANGED: about_people.changed,
    Event.ACCOUNT_DELETED: about_people.deleted,
    Event.MOVED: about_people.moved,
    Event.PINNED: about_people.pinned,
    Event.UNPINNED: about_people.unpinned,
}
_OF_THE_SERVER: dict[Event, Callable[[Happened], Awaitable[list[Letter]]]] = {
    Event.REPORTED: about_server.reported,
    Event.FOLLOW_ACCEPTED: about_server.follow_accepted,
    Event.RELAY_ASKED: about_server.relay_asked,
    Event.RELAY_LEFT: about_server.relay_left,
}
# Each says how things stand, so the last of several says it all.
_REPEATED = frozenset({Event.PROFILE_CHANGED, Event.POLL_CHANGED, Event.QUOTE_CHANGED})


async def federate(account_id: int) -> None:
    """What Job.FEDERATE does: letters of all that an account has done, of the server's own acts for 0.

    An event that nothing can be made of is put aside with its error, and those after it go on.
    """
    until = time.monotonic() + _SPELL
    while found := await events.waiting(account_id, _BATCH):
        # Read after all of these happened, so none of them is told by what was before it.
        account = await Account.get_or_none(id=account_id)
        for position, event in enumerate(found):
            if time.monotonic() > until:
                return await _go_on_later(account_id)
            await _or_aside(event, account, found[position + 1 :])


async def _go_on_later(account_id: int) -> None:
    async with db.transaction():
        await work.owe(Job.FEDERATE, account_id)


async def _or_aside(event: Happened, account: Account | None, later: Sequence[Happened]) -> None:
    [outcome] = await asyncio.gather(_handle(event, account, later), return_exceptions=True)
    if isinstance(outcome, _LATER) or not isinstance(outcome, Exception | None):
        raise outcome
    if outcome is not None:
        log.error("an event was put aside", event_id=event.id, kind=event.kind.value, exc_info=outcome)
        await events.put_aside(event.id, f"{type(outcome).__name__}: {outcome}")


async def _handle(event: Happened, account: Account | None, later: Sequence[Happened]) -> None:
    is_repeated = event.kind in _REPEATED and any(
        (each.kind, each.post_id) == (event.kind, event.post_id) for each in later
    )
    letters = [] if is_repeated else await _compose(event, account)
    posted = [(letter, await delivery.by_server(letter.inboxes)) for letter in letters]
    async with db.transaction():
        if await events.take(event.id):
            for number, (letter, inboxes) in enumerate(posted):
                await _post(event, letter, inboxes, ids.new() if number else event.id)


async def _compose(event: Happened, account: Account | None) -> list[Letter]:
    if event.account_id is None:
        return await _OF_THE_SERVER[event.kind](event)
    await naming.settle(event)
    if account is None or (account.deleted_at is not None and event.kind is not Event.ACCOUNT_DELETED):
        return []
    return await _OF_ACCOUNTS[event.kind](event, account)


async def _post(event: Happened, letter: Letter, inboxes: Mapping[str, set[str]], number: int) -> None:
    """Keep a letter and owe it to its inboxes. One for nobody is not kept: no one can ask for it."""
    activity = letter.activity
    if not inboxes:
        return
    written = await sent.write(
        number,
        activity["id"],
        activity["type"],
        documents.with_context(activity),
        account_id=event.account_id,
        post_id=letter.post_id,
        for_followers=letter.for_followers,
    )
    if written is not None:
        await outgoing.enqueue(written, inboxes)
