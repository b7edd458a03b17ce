"""Delivery receipts: where a post has arrived, where it waits, and where it failed; for its author alone."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fediblog import db, moments, queue
from fediblog.errors import NotFound
from fediblog.models import Account, Post
from fediblog.queue import Job
from fediblog.services import locks


@dataclass(frozen=True, slots=True)
class Receipt:
    """One inbox of one activity about the post. `state` is done, due, failed or quarantined."""

    kind: str  # Create, Update, Announce …
    inbox: str
    state: str
    attempts: int
    error: str
    next_at: int | None  # When it is tried again.
    ended_at: int | None

    @property
    def host(self) -> str:
        """The server."""
        return urlsplit(self.inbox).netloc


async def receipt(author: Account, post_id: int) -> list[Receipt]:
    """Where a post of one's own has gone, what failed first, then what waits. Raises NotFound for others'.

    Rows that ended more than a month ago are gone.
    """
    await _check(author, post_id)
    return [Receipt(**row) for row in await db.rows(_RECEIPT, post_id)]


async def retry(author: Account, post_id: int) -> int:
    """Try at once what failed or waits; gives the number of inboxes. Raises NotFound for others' posts."""
    await _check(author, post_id)
    now = moments.now()
    async with db.transaction():
        found = await db.column(_RETRY, post_id, now)
        if found:
            await locks.servers(found)
            await db.execute(_WAKE.format(given=db.unnest("$1")), db.array(sorted(set(found))), now)
            queue.nudge(Job.DELIVER)
    return len(found)


async def _check(author: Account, post_id: int) -> None:
    if not await Post.exists(id=post_id, author_id=author.id):
        raise NotFound


_RECEIPT = """
SELECT a.kind, d.inbox, d.state, d.attempts, d.error, d.ended_at,
  CASE WHEN d.state <> 'due' THEN NULL WHEN s.next_at > d.due_at THEN s.next_at ELSE d.due_at END AS next_at
FROM activity a JOIN delivery d ON d.activity_id = a.id JOIN server s ON s.id = d.server_id
WHERE a.post_id = $1
ORDER BY CASE d.state WHEN 'done' THEN 2 WHEN 'due' THEN 1 ELSE 0 END, d.id
"""
_RETRY = """
UPDATE delivery SET state = 'due', due_at = $2, ended_at = NULL,
    refusals = 0
WHERE state <> 'done' AND activity_id IN (SELECT id FROM activity WHERE post_id = $1) RETURNING server_id
"""
_WAKE = "UPDATE server SET next_at = $2, round = round + 1 WHERE id IN (SELECT id FROM {given})"
