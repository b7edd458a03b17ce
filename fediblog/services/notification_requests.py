"""Requests: who would be heard, but is held back by the policy. One for each of them, whatever they did.

To accept one lets what they did into the list, and them through from now on. To dismiss one throws it away;
they stay held back.
"""

from collections.abc import Sequence
from typing import NamedTuple

from fediblog import db, moments
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import hearing, streams, visibility

_MOST_COUNTED = 100


class Request(NamedTuple):
    """One sender; `post_id` is the last of their posts that was held back. Counts no further than 100."""

    id: int
    from_id: int
    created_at: int
    updated_at: int
    notices: int
    post_id: int | None


class Summary(NamedTuple):
    """How many wait, each counted no further than a hundred senders."""

    requests: int
    notices: int


async def note(notification_ids: Sequence[int]) -> None:
    """Make a request for the sender of each of these, inside the transaction that held them back.

    A request has the id of the first notice of it.
    """
    await db.execute(_NOTE.format(given=db.unnest("$1")), db.array(sorted(notification_ids)), moments.now())


_NOTE = """
INSERT INTO notification_request (account_id, from_id, id, created_at, updated_at)
SELECT n.account_id, n.from_id, n.id, $2, $2 FROM {given} JOIN notification n ON n.id = given.id
WHERE n.filtered ORDER BY n.account_id
ON CONFLICT (account_id, from_id) DO UPDATE SET updated_at = excluded.updated_at
"""


async def listing(account: Account, page: Page) -> list[Request]:
    """A page of requests, newest first. One statement."""
    found = await db.rows(statement(page), account.id, page.before, page.after)
    found = sorted(found[: page.limit], key=lambda line: -line["id"])
    return [Request(**line) for line in found]


async def get(account: Account, request_id: int) -> Request:
    """One's own request. Raises NotFound when it is not there, or nothing of it may be seen now."""
    found = await listing(account, Page(1, max_id=request_id + 1, since_id=request_id - 1))
    if not found:
        raise NotFound
    return found[0]


async def summary(account: Account) -> Summary:
    """How much waits. One statement."""
    page = Page(_MOST_COUNTED)
    sql = f"SELECT count(*) AS requests, COALESCE(sum(r.notices), 0) AS notices FROM ({statement(page)}) AS r"
    found = await db.row(sql, account.id, page.before, page.after) or {}
    return Summary(int(found["requests"]), int(found["notices"]))


async def accept(account: Account, request_ids: Sequence[int]) -> None:
    """Let these senders through, now and from now on. Ids that are not there are left out."""
    async with db.transaction():
        taken = await _take(account, request_ids)
        given, senders = db.unnest("$2"), db.array(taken)
        await db.execute(_PERMIT.format(given=given), account.id, senders)
        await db.execute(_LET_IN.format(given=given), account.id, senders)
        if taken:
            streams.merged(account.id)


async def dismiss(account: Account, request_ids: Sequence[int]) -> None:
    """Throw away what these senders did. Ids that are not there are left out."""
    async with db.transaction():
        senders = db.array(await _take(account, request_ids))
        await db.execute(_THROW_AWAY.format(given=db.unnest("$2")), account.id, senders)


async def _take(account: Account, request_ids: Sequence[int]) -> list[int]:
    sql = f"{_TAKE} (SELECT id FROM {db.unnest('$2')}) RETURNING from_id"
    return sorted(await db.column(sql, account.id, db.array(request_ids)))


_TAKE = "DELETE FROM notification_request WHERE account_id = $1 AND id IN"
_PERMIT = """
INSERT INTO notification_permission (account_id, from_id) SELECT $1, given.id FROM {given} WHERE TRUE
ON CONFLICT (account_id, from_id) DO NOTHING
"""
_LET_IN = """
UPDATE notification SET filtered = FALSE
WHERE account_id = $1 AND filtered = TRUE AND from_id IN (SELECT id FROM {given})
"""
_THROW_AWAY = """
DELETE FROM notification
WHERE account_id = $1 AND filtered = TRUE AND from_id IN (SELECT id FROM {given})
"""


def statement(page: Page) -> str:
    """The statement of a list; public so that tests can look at its plan."""
    # SQLite must not reorder the tables (TIMELINES §2.1); PostgreSQL finds the order alone.
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    held = (
        "FROM notification n LEFT JOIN post p ON p.id = n.post_id"
        " WHERE n.from_id = r.from_id AND n.account_id = r.account_id AND n.filtered = TRUE"
        f" AND (n.post_id IS NULL OR ({visibility.clause('$1')}))"
    )
    return f"""
SELECT r.id, r.from_id, r.created_at, r.updated_at,
  (SELECT count(*) FROM (SELECT n.id {held} LIMIT {_MOST_COUNTED}) AS counted) AS notices,
  (SELECT n.post_id {held} AND n.post_id IS NOT NULL ORDER BY n.id DESC LIMIT 1) AS post_id
FROM notification_request r {join} account a ON a.id = r.from_id
WHERE r.account_id = $1 AND r.id < $2 AND r.id > $3
  AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND {hearing.peace("$1", "r.from_id")}
  AND (SELECT 1 {held} LIMIT 1) IS NOT NULL
ORDER BY r.id {page.order} LIMIT {page.rows}"""
