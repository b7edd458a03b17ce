"""Posts for later: written now, published by the clock as if they had been sent then.

A row is what will be published, and its publication is owed work (work.py) from the moment it is written. A
worker that is killed, or a server that is off, makes it late, but never loses or doubles it: the row goes in
the transaction that stores the post. What can no longer be published stays, and says why.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import orjson

from fediblog import db, ids, moments
from fediblog.errors import Forbidden, Gone, Invalid, NotFound
from fediblog.models import Account, Media, Quotable, Visibility
from fediblog.paging import Page
from fediblog.queue import Job
from fediblog.services import composing, locks, media, posts, work
from fediblog.services.composing import Draft
from fediblog.services.polls import PollDraft

SOONEST = 5 * moments.MINUTE

_LATEST = 10 * 366 * moments.DAY
_MOST = 300


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A post for later. `error` says why it was not published when its time came; empty before."""

    id: int
    scheduled_at: int
    draft: Draft
    app_id: int | None
    error: str
    media: tuple[Media, ...]


async def schedule(author: Account, draft: Draft, at: int, app_id: int | None = None) -> Scheduled:
    """Publish a draft later, and keep its files for it until then.

    Raises Invalid with the faults of the draft, for a moment too near or too far away, and for too many;
    NotFound when what it answers or quotes is not there for the author. The same idempotency key gives what
    was scheduled the first time, and raises Gone when that has been published or cancelled.
    """
    _check_moment(at)
    composed = await composing.compose(author, draft, *await posts.around(author, draft))
    number = ids.new()
    async with db.transaction():
        first = await posts.claim(draft, number)
        if first is None:
            await locks.hold(f"scheduled:{author.id}")
            # Who sees it is decided now: the author's habits may change until then.
            level, policy = composed.visibility, composed.quote_policy
            stored = _stored(replace(draft, visibility=level, quote_policy=policy))
            await db.execute(_INSERT, number, author.id, at, db.json(stored), app_id, moments.now())
            await media.reserve(author, draft.media_ids, number)
            if await db.value("SELECT count(*) FROM scheduled_post WHERE account_id = $1", author.id) > _MOST:
                raise Invalid(f"You can have {_MOST} scheduled posts at most.")
            await work.owe(Job.PUBLISH, number, not_before=at)
    try:
        return await get(author, number if first is None else first)
    except NotFound:
        raise Gone from None


async def listing(author: Account, page: Page) -> list[Scheduled]:
    """A page of one's own, the last written first. Two statements."""
    found = await db.rows(
        f"{_SELECT} WHERE account_id = $3 AND id < $1 AND id > $2 ORDER BY id {page.order} LIMIT {page.rows}",
        *(page.before, page.after, author.id),
    )
    return await _whole(sorted(found[: page.limit], key=lambda line: -line["id"]))


async def get(author: Account, scheduled_id: int) -> Scheduled:
    """One of one's own. Raises NotFound, also when it has been published."""
    found = await db.rows(f"{_SELECT} WHERE id = $1 AND account_id = $2", scheduled_id, author.id)
    if not found:
        raise NotFound
    return (await _whole(found))[0]


async def move(author: Account, scheduled_id: int, at: int) -> Scheduled:
    """Another moment for it. Raises NotFound, and Invalid for one that is sooner than in five minutes."""
    _check_moment(at)
    async with db.transaction():
        if await db.value(_MOVE, scheduled_id, author.id, at) is None:
            raise NotFound
        await work.owe(Job.PUBLISH, scheduled_id, not_before=at)
    return await get(author, scheduled_id)


async def cancel(author: Account, scheduled_id: int) -> None:
    """It will not be published; its files live on for a day. Raises NotFound."""
    async with db.transaction():
        await media.release(scheduled_id)
        sql = "DELETE FROM scheduled_post WHERE id = $1 AND account_id = $2 RETURNING id"
        if await db.value(sql, scheduled_id, author.id) is None:
            raise NotFound


async def publish(scheduled_id: int) -> None:
    """Publish it if its time has come; if that was put off, once more then. Gone already: nothing.

    What breaks a rule by now, or answers what is not there any more, stays with the reason.
    """
    found = await db.row(f"{_SELECT} WHERE id = $1", scheduled_id)
    if found is None or found["error"]:
        return
    if found["scheduled_at"] > moments.now():
        async with db.transaction():
            await work.owe(Job.PUBLISH, scheduled_id, not_before=found["scheduled_at"])
        return
    author = await Account.get(id=found["account_id"])
    try:
        await _publish(author, scheduled_id)
    except (Invalid, NotFound, Forbidden) as fault:
        async with db.transaction():
            await db.execute(_FAIL, scheduled_id, fault.message)


async def _publish(author: Account, scheduled_id: int) -> None:
    if author.suspended_at is not None:
        raise Forbidden("The account is suspended.")
    if await db.value(_SHUT_OUT, author.id) is not None:
        raise Forbidden("Nobody may sign in to the account.")
    async with db.transaction():
        # With the row its hold on the files ends, so that the post can take them.
        draft = await db.value(_TAKE, scheduled_id, moments.now())
        if draft is not None:
            await posts.publish(author, _draft(orjson.loads(draft)))


def _check_moment(at: int) -> None:
    ahead = at - moments.now()
    if ahead < SOONEST:
        raise Invalid("A post can be scheduled for five minutes from now, or later.", "scheduled_at")
    if ahead > _LATEST:
        raise Invalid("A post can be scheduled for the next ten years.", "scheduled_at")


def _stored(draft: Draft) -> dict[str, Any]:
    """A draft as JSON. The key has done its work when it is stored."""
    return asdict(replace(draft, words={}, idempotency_key="", idempotency_owner=""))


def _draft(stored: dict[str, Any]) -> Draft:
    values = {field.name: stored[field.name] for field in fields(Draft) if field.name in stored}
    poll = values.get("poll")
    return Draft(
        **{
            **values,
            "visibility": Visibility(values["visibility"]),
            "usual": Visibility(values["usual"]),
            # Not there in what was scheduled before there were quotes.
            "quote_policy": Quotable(values.get("quote_policy") or 0),
            "usual_quote_policy": Quotable.NOBODY,
            "media_ids": tuple(values["media_ids"]),
            "poll": PollDraft(**{**poll, "options": tuple(poll["options"])}) if poll else None,
        }
    )


async def _whole(found: Sequence[db.Row]) -> list[Scheduled]:
    numbers = [line["id"] for line in found]
    files = await Media.filter(scheduled_id__in=numbers).order_by("position") if numbers else []
    return [
        Scheduled(
            id=line["id"],
            scheduled_at=line["scheduled_at"],
            draft=_draft(orjson.loads(line["draft"])),
            app_id=line["app_id"],
            error=line["error"],
            media=tuple(file for file in files if file.scheduled_id == line["id"]),
        )
        for line in found
    ]


_SELECT = "SELECT id, account_id, scheduled_at, draft, app_id, error FROM scheduled_post"
_INSERT = """
INSERT INTO scheduled_post (id, account_id, scheduled_at, draft, app_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
"""
_MOVE = """
UPDATE scheduled_post SET scheduled_at = $3, error = '' WHERE id = $1 AND account_id = $2 RETURNING id
"""
_TAKE = "DELETE FROM scheduled_post WHERE id = $1 AND scheduled_at <= $2 RETURNING draft"
# Somebody owns it, and nobody who does may act for it now.
_SHUT_OUT = """
SELECT 1 FROM membership m JOIN person u ON u.id = m.user_id WHERE m.account_id = $1
GROUP BY m.account_id HAVING count(*) = sum(CASE WHEN u.disabled_at IS NULL THEN 0 ELSE 1 END)
"""
_FAIL = "UPDATE scheduled_post SET error = $2 WHERE id = $1"
