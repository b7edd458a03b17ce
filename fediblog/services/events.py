"""Events: what happened here and other servers shall hear of.

An event is written in the transaction of its cause; a worker makes letters of it afterwards
(`activitypub.outbox`), in the order in which things happened to each account, so that an edit never overtakes
its post. Services know no more of federation than this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from fediblog import db, ids, moments
from fediblog.config import settings
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import work

# Whose events have no account: those of the server itself.
SERVER = 0


class Event(StrEnum):
    """What can have happened. `post` and `target` say what the two ids of each mean."""

    POST_PUBLISHED = "post_published"  # post; detail: unknown (handles that nobody knew yet)
    POST_EDITED = "post_edited"  # post; detail: unknown
    # post; detail: uri, visibility, addressed and boosters (accounts), boosts (posts), reply_to_author_id
    POST_DELETED = "post_deleted"
    QUOTE_CHANGED = "quote_changed"  # post; of what it quotes, or of who may quote it
    QUOTE_ASKED = "quote_asked"  # post: what shall quote; target: who shall be quoted
    # post: what quotes, if it is here; target: its author; detail: uri (of the question), post, quoted (uris)
    QUOTE_ACCEPTED = "quote_accepted"
    QUOTE_REJECTED = "quote_rejected"  # the same
    # post: what quotes; target: its author; detail: uri (of the consent), quoted_id, visibility of the quoted
    QUOTE_REVOKED = "quote_revoked"
    POLL_CHANGED = "poll_changed"  # post; new tallies, or the end
    VOTED = "voted"  # post: the poll elsewhere; target: its author; detail: options (titles)
    BOOSTED = "boosted"  # post: the boost
    UNBOOSTED = "unboosted"  # post: the boost that was; detail: uri, of_uri, of_author_id, visibility
    LIKED = "liked"  # post: what is liked; target: its author; detail: like_id
    UNLIKED = "unliked"  # the same; detail: like_id, post_uri
    FOLLOW_ASKED = "follow_asked"  # target: who shall be followed; detail: uri
    FOLLOW_ENDED = "follow_ended"  # target: who was followed or asked; detail: uri
    FOLLOW_ACCEPTED = "follow_accepted"  # target: the follower elsewhere; detail: uri of their follow
    FOLLOW_REJECTED = "follow_rejected"  # the same; also when a follower is removed
    BLOCKED = "blocked"  # target; detail: uri
    UNBLOCKED = "unblocked"  # target; detail: uri
    PROFILE_CHANGED = "profile_changed"
    ACCOUNT_DELETED = "account_deleted"
    MOVED = "moved"  # target: the new account
    PINNED = "pinned"  # post
    UNPINNED = "unpinned"  # post; detail: uri, visibility
    REPORTED = "reported"  # by the server; target: the reported account; detail: posts (uris), comment
    RELAY_ASKED = "relay_asked"  # by the server; detail: inbox, uri, actor_uri
    RELAY_LEFT = "relay_left"  # the same


# Meant for their target alone: when that lives here nobody elsewhere is concerned.
_PERSONAL = frozenset(
    {
        *(Event.VOTED, Event.LIKED, Event.UNLIKED, Event.FOLLOW_ASKED, Event.FOLLOW_ENDED),
        *(Event.QUOTE_ASKED, Event.QUOTE_ACCEPTED, Event.QUOTE_REJECTED),
        *(Event.FOLLOW_ACCEPTED, Event.FOLLOW_REJECTED, Event.BLOCKED, Event.UNBLOCKED, Event.REPORTED),
    }
)


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as it was written. `account_id` is None for the server's own."""

    id: int
    kind: Event
    account_id: int | None
    post_id: int | None
    target_id: int | None
    detail: dict[str, Any]
    created_at: int


@dataclass(frozen=True, slots=True)
class PutAside:
    """An event of which no letter could be made, for the admin's eyes."""

    id: int
    kind: str
    account_id: int | None
    error: str
    quarantined_at: int


async def record(
    event: Event,
    account: Account | None,
    *,
    post_id: int | None = None,
    target_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write an event down, inside the transaction of its cause. None is the server itself.

    Nothing when nobody elsewhere can be concerned: of accounts elsewhere, of those whose end was told
    already, of what is meant for somebody here, and while `federation.enabled` is off.
    """
    if not settings().federation.enabled or not _speaks(account):
        return
    if event in _PERSONAL and await db.value(_HERE, target_id):
        return
    account_id = account.id if account else None
    values = (ids.new(), event.value, account_id, post_id, target_id, db.json(detail or {}), moments.now())
    async with db.transaction():
        await db.execute(_RECORD, *values)
        await work.owe(Job.FEDERATE, account_id or SERVER)


async def waiting(account_id: int, most: int) -> list[Happened]:
    """The next events of an account, of the server itself for `SERVER`, in the order in which they came."""
    whose = "account_id IS NULL AND $1 = 0" if account_id == SERVER else "account_id = $1"
    found = await db.rows(_WAITING.format(whose=whose), account_id, most)
    return [_happened(line) for line in found]


async def take(event_id: int) -> bool:
    """End an event, inside the transaction that writes its letters. False when somebody else has."""
    return await db.value("DELETE FROM event WHERE id = $1 RETURNING id", event_id) is not None


async def put_aside(event_id: int, error: str) -> None:
    """Keep an event that nothing can be made of out of the way, with the reason."""
    sql = "UPDATE event SET quarantined_at = $2, error = $3 WHERE id = $1"
    async with db.transaction():
        await db.execute(sql, event_id, moments.now(), error[:2000])


async def quarantined() -> list[PutAside]:
    """All events that were put aside, oldest first."""
    return [PutAside(**line) for line in await db.rows(_QUARANTINED)]


async def retry(event_id: int) -> None:
    """Try an event that was put aside once more. Raises NotFound when it is not there."""
    async with db.transaction():
        found = await db.row(_RETRY, event_id)
        if found is None:
            raise NotFound("No such event is in quarantine.")
        await work.owe(Job.FEDERATE, found["account_id"] or SERVER)


def _speaks(account: Account | None) -> bool:
    return account is None or (account.local and account.deleted_at is None)


def _happened(line: db.Row) -> Happened:
    return Happened(**{**line, "kind": Event(line["kind"]), "detail": orjson.loads(line["detail"])})


_HERE = "SELECT 1 FROM account WHERE id = $1 AND local"
_RECORD = """
INSERT INTO event (id, kind, account_id, post_id, target_id, detail, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_WAITING = """
SELECT id, kind, account_id, post_id, target_id, detail, created_at FROM event
WHERE {whose} AND quarantined_at IS NULL ORDER BY id LIMIT $2
"""
_QUARANTINED = """
SELECT id, kind, account_id, error, quarantined_at FROM event WHERE quarantined_at IS NOT NULL ORDER BY id
"""
_RETRY = """
UPDATE event SET quarantined_at = NULL, error = '' WHERE id = $1 AND quarantined_at IS NOT NULL
RETURNING account_id
"""
