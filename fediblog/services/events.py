"""Events: what happened here and other servers shall hear of.

An event is written in the transaction of its cause; a worker makes letters of it afterwards
(`activitypub.outbox`), in the order in which things happened to each account, so that an edit never overtakes
its post. Services know no more of federation than this.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fediblog import db, ids, moments
from fediblog.config import settings
from fediblog.models import Account
from fediblog.queue import Job
from fediblog.services import work

# Whose events have no account: those of the server itself.
SERVER = 0


class Event(StrEnum):
    """What can have happened. `post` and `target` say what the two ids of each mean."""

    POST_PUBLISHED = "post_published"  # post; detail: unknown (handles that nobody knew yet)
    POST_EDITED = "post_edited"  # post; detail: unknown
    POST_DELETED = (
        "post_deleted"  # post; detail: uri, visibility, mentioned (account ids), reply_to_author_id
    )
    POLL_CHANGED = "poll_changed"  # post; new tallies, or the end
    VOTED = "voted"  # post: the remote poll's; target: its author; detail: choices (positions)
    BOOSTED = "boosted"  # post: the boost
    UNBOOSTED = "unboosted"  # post: the boost that was; detail: uri, of_uri, visibility; target: author of it
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
    UNPINNED = "unpinned"  # post; detail: uri
    REPORTED = "reported"  # by the server; target: the reported account; detail: posts (uris), comment
    RELAY_ASKED = "relay_asked"  # by the server; detail: inbox, uri, actor_uri
    RELAY_LEFT = "relay_left"  # the same


async def record(
    event: Event,
    account: Account | None,
    *,
    post_id: int | None = None,
    target_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write an event down, inside the transaction of its cause. None is the server itself.

    Of accounts elsewhere, and while `federation.enabled` is off: nothing.
    """
    if not settings().federation.enabled or (account is not None and not account.local):
        return
    account_id = account.id if account else None
    values = (ids.new(), event.value, account_id, post_id, target_id, db.json(detail or {}), moments.now())
    async with db.transaction():
        await db.execute(_RECORD, *values)
        await work.owe(Job.FEDERATE, account_id or SERVER)


_RECORD = """
INSERT INTO event (id, kind, account_id, post_id, target_id, detail, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
