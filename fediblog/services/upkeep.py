"""Throwing away what nobody needs any more, in small steps, so that nobody waits behind it.

Every rule has its reason beside it. What carries files or relations with it is pruned by the service that
knows them; the rest is rows of one table and stands here.
"""

import structlog

from fediblog import db, moments, storage
from fediblog.services import (
    apps,
    cached_files,
    cards,
    dropped,
    inbox_items,
    mail,
    media,
    oauth,
    outgoing,
    sessions,
    signups,
    undoing,
)

log = structlog.get_logger()

_BATCH = 500
# For one table in one run: whatever is left then is left for the next hour.
_MOST_BATCHES = 100

# Long enough to be put on a post at leisure; a post that is deleted and written anew takes its files along.
_UNATTACHED = moments.DAY
# SECURITY R7: an idempotency key holds for a day.
_IDEMPOTENCY = moments.DAY
# What was deleted here must not come back from elsewhere; after this long nobody sends it any more.
_TOMBSTONE = 90 * moments.DAY
_SENT_MAIL = 30 * moments.DAY
# Its maker may still wonder for a while. Those that somebody came with stay, to know who brought whom.
_ENDED_INVITE = 30 * moments.DAY
_BROUGHT_NOBODY = "expires_at <= $1 AND NOT EXISTS (SELECT 1 FROM person p WHERE p.invite_id = invite.id)"
_UNLINKED = "fetched_at <= $1 AND NOT EXISTS (SELECT 1 FROM post_card c WHERE c.card_id = link_card.id)"
# Not while somebody is about to let it in.
_NEVER_USED = (
    "used_at IS NULL AND created_at <= $1"
    " AND NOT EXISTS (SELECT 1 FROM oauth_token t WHERE t.app_id = oauth_app.id)"
    " AND NOT EXISTS (SELECT 1 FROM oauth_code c WHERE c.app_id = oauth_app.id)"
)
# Only of days that have been counted to their end: what came in on a day is counted from these rows.
_OVER = (
    "state = 'done' AND received_at <= $1 AND EXISTS (SELECT 1 FROM server_day s"
    f" WHERE s.day = received_at / {moments.DAY} AND s.computed_at >= (s.day + 1) * {moments.DAY})"
)
_HALF_RECEIVED_SECONDS = 24 * 3600.0


async def prune() -> dict[str, int]:
    """Remove all that is over; tells how much of what. Doing it twice is the same as once."""
    now = moments.now()
    removed = {
        # Side by side: a name that is held for a sign-up that never was goes with those that were never
        # confirmed, so that nobody can tell them apart (signups.py).
        "one_time_tokens": await _delete("one_time_token", "id", "expires_at <= $1", now),
        "sign_ups": await signups.prune(),
        "throttles": await _delete("throttle", "bucket", "expires_at <= $1", now),
        "idempotency_keys": await _delete(
            "idempotency", "owner, key", "created_at <= $1", now - _IDEMPOTENCY
        ),
        "sessions": await _delete(
            "session", "id", "seen_at <= $1 OR created_at <= $2", now - sessions.IDLE, now - sessions.ABSOLUTE
        ),
        "codes": await _delete("oauth_code", "id", "expires_at <= $1", now - oauth.REMEMBERED),
        "apps": await _delete("oauth_app", "id", _NEVER_USED, now - apps.UNUSED),
        "mails": await _delete("mail", "id", "state <> 'waiting' AND created_at <= $1", now - _SENT_MAIL),
        "undone": await _delete("undone", "uri", "created_at <= $1", now - undoing.KEPT),
        "tombstones": await _delete("tombstone", "uri", "deleted_at <= $1", now - _TOMBSTONE),
        "cards": await _delete("link_card", "id", _UNLINKED, now - cards.KEPT),
        "invites": await _delete("invite", "id", _BROUGHT_NOBODY, now - _ENDED_INVITE),
        "activities": await _delete("inbox_item", "id", _OVER, now - inbox_items.KEPT),
        "activities_put_aside": await _delete(
            "inbox_item", "id", "state = 'quarantined' AND received_at <= $1", now - inbox_items.KEPT_ASIDE
        ),
        "drops": await _delete("dropped", "day, reason", "day <= $1", moments.day(now - dropped.KEPT)),
        "letters": await outgoing.prune(),
        **await prune_media(),
    }
    await mail.forget_secrets()
    log.info("pruned", **{name: number for name, number in removed.items() if number})
    return removed


async def prune_media() -> dict[str, int]:
    """Remove files that no post took within a day, what broken uploads left behind, and what is too much or
    too old of other servers' files.
    """
    return {
        "media": await media.prune(moments.now() - _UNATTACHED),
        "cached_files": await cached_files.prune(),
        "temporary_files": await storage.current().sweep_temporary(_HALF_RECEIVED_SECONDS),
    }


async def prunable_media() -> dict[str, int]:
    """How much `prune_media` would remove now."""
    files, size = await cached_files.prunable()
    return {
        "media": await media.prunable(moments.now() - _UNATTACHED),
        "cached_files": files,
        "cached_bytes": size,
        "temporary_files": await storage.current().count_temporary(_HALF_RECEIVED_SECONDS),
    }


async def _delete(table: str, key: str, over: str, *values: int) -> int:
    number = 0
    for _ in range(_MOST_BATCHES):
        batch = f"SELECT {key} FROM {table} WHERE {over} LIMIT {_BATCH}"
        async with db.transaction():
            gone = await db.rows(f"DELETE FROM {table} WHERE ({key}) IN ({batch}) RETURNING 1", *values)
        number += len(gone)
        if len(gone) < _BATCH:
            break
    return number
