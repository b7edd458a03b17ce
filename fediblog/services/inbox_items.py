"""What others have brought, from the moment it was acknowledged (migration 0008, EGRESS §3).

A row is `due`, `leased` by a worker for a while, `done` or `quarantined`. What is done stays for some days
without its body, to know the second copy by. What one actor sent is done in the order in which it came: while
one of an actor's rows is leased no other is taken.

Whoever vanishes with rows in hand may have been killed by one of them. So each counts a crash, and rows with
crashes are taken alone; the fifth crash puts a row aside for the admin (SECURITY §9 R6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fediblog import db, ids, moments, queue
from fediblog.errors import NotFound
from fediblog.queue import Job
from fediblog.services import locks
from fediblog.services.work import Heap

MOST_CRASHES = 5
# How long a worker may have a row.
LEASE = 150 * moments.SECOND
# SECURITY §2: what came twice within a week is known, and a day is counted long before its rows go.
KEPT = 8 * moments.DAY
KEPT_ASIDE = 90 * moments.DAY

_VANISHED = "The worker ended without a result."


@dataclass(frozen=True, slots=True)
class New:
    """What has come. `uri` is the name of the activity; `actor_uri` is who signed for it."""

    uri: str
    actor_uri: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Item:
    """A row that we hold until `lease_until`."""

    id: int
    uri: str
    actor_uri: str
    body: bytes
    attempts: int
    crashes: int
    received_at: int
    lease_until: int


class State(StrEnum):
    """What becomes of a row that was held."""

    DONE = "done"
    DUE = "due"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How it went: what is to be written of a row. `error` is a word for what was dropped or put off."""

    item: Item
    state: State
    error: str = ""
    due_at: int = 0
    attempts: int = 0
    crashes: int = 0


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that was put aside, for the admin's eyes."""

    id: int
    uri: str
    actor_uri: str
    crashes: int
    error: str
    received_at: int


def done(item: Item, error: str = "") -> Outcome:
    """It had its effect, or with an `error` none and never will have."""
    return Outcome(item, State.DONE, error, attempts=item.attempts, crashes=item.crashes)


def later(item: Item, error: str, pause: int) -> Outcome:
    """Something that passes was in the way: again after `pause`."""
    due_at = moments.now() + pause
    return Outcome(item, State.DUE, error, due_at, attempts=item.attempts + 1, crashes=item.crashes)


def crashed(item: Item, error: str) -> Outcome:
    """An error nobody foresaw. The fifth puts it aside."""
    crashes = item.crashes + 1
    state = State.QUARANTINED if crashes >= MOST_CRASHES else State.DUE
    due_at = moments.now() + crashes * moments.SECOND
    return Outcome(item, state, error[:2000], due_at, attempts=item.attempts, crashes=crashes)


def returned(item: Item) -> Outcome:
    """Not begun, or not ended when we had to stop: nobody's fault."""
    return Outcome(item, State.DUE, "", item.received_at, attempts=item.attempts, crashes=item.crashes)


async def add(arrivals: Sequence[New]) -> None:
    """Keep what has come, all in one commit. What is known by its name is not kept twice.

    The caller nudges: at full speed one nudge is enough for many commits.
    """
    now = moments.now()
    columns: tuple[list[Any], ...] = (
        [ids.new() for _ in arrivals],
        [each.uri for each in arrivals],
        [each.actor_uri for each in arrivals],
        [each.body for each in arrivals],
    )
    async with db.transaction():
        if db.dialect() == "postgres":
            await db.execute(_ADD_POSTGRES, *columns, now)
        else:
            values = [value for line in zip(*columns, strict=True) for value in line]
            await db.execute(_add_sqlite(len(arrivals)), now, *values)


_COLUMNS = "INSERT INTO inbox_item (id, uri, actor_uri, body, due_at, received_at)"
_ADD_POSTGRES = f"""
{_COLUMNS}
SELECT id, uri, actor_uri, body, $5, $5
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[]) AS given (id, uri, actor_uri, body)
ON CONFLICT (uri) DO NOTHING
"""


def _add_sqlite(number: int) -> str:
    """SQLite has no arrays of bytes."""
    lines = (f"(${n}, ${n + 1}, ${n + 2}, ${n + 3}, $1, $1)" for n in range(2, 4 * number + 2, 4))
    return f"{_COLUMNS} VALUES {', '.join(lines)} ON CONFLICT (uri) DO NOTHING"


async def lease(owner: str, most: int, suspects: bool = False) -> list[Item]:
    """Take due rows, the oldest first, of actors of whom nobody holds any.

    With `suspects` it is one that has crashed before, without it none that has.
    """
    now = moments.now()
    if not await db.value(_ANY_DUE[suspects], now):
        return []
    async with db.transaction():
        # One after the other: what another takes at this moment could not be seen, and order would be lost.
        await locks.hold("inbox")
        found = await db.rows(_LEASE[suspects], now, now + LEASE, owner, 1 if suspects else most)
    return sorted(
        (Item(**{**row, "body": bytes(row["body"]), "lease_until": now + LEASE}) for row in found),
        key=lambda item: item.id,
    )


_FREE_TO_TAKE = {
    suspects: f"""
    FROM inbox_item i WHERE i.state = 'due' AND i.due_at <= $1 AND {which} AND NOT EXISTS (
        SELECT 1 FROM inbox_item held WHERE held.state = 'leased' AND held.actor_uri = i.actor_uri)
    """
    for suspects, which in {False: "i.crashes = 0", True: "i.crashes > 0"}.items()
}
_ANY_DUE = {suspects: f"SELECT 1 {which} LIMIT 1" for suspects, which in _FREE_TO_TAKE.items()}
_LEASE = {
    suspects: f"""
    UPDATE inbox_item SET state = 'leased', lease_until = $2, lease_owner = $3
    WHERE id IN (SELECT i.id {which} ORDER BY i.due_at, i.id LIMIT $4)
    RETURNING id, uri, actor_uri, body, attempts, crashes, received_at
    """
    for suspects, which in _FREE_TO_TAKE.items()
}


async def settle(owner: str, outcomes: Sequence[Outcome]) -> None:
    """Write down how it went, in one commit. A row whose lease somebody else has by now is left to them."""
    done_ids = [each.item.id for each in outcomes if each.state is State.DONE and not each.error]
    async with db.transaction():
        if done_ids:
            await db.execute(_done_sql(), owner, db.array(done_ids), b"")
        for each in outcomes:
            if each.state is not State.DONE or each.error:
                await db.execute(
                    _SETTLE,
                    *(owner, each.item.id, each.state.value, each.error, each.due_at),
                    *(each.attempts, each.crashes, b"" if each.state is State.DONE else each.item.body),
                )


_FREE = "lease_until = NULL, lease_owner = ''"
_SETTLE = f"""
UPDATE inbox_item SET state = $3, error = $4, due_at = $5, attempts = $6, crashes = $7, body = $8, {_FREE}
WHERE id = $2 AND state = 'leased' AND lease_owner = $1
"""


def _done_sql() -> str:
    return f"""
    UPDATE inbox_item SET state = 'done', body = $3, error = '', {_FREE}
    WHERE state = 'leased' AND lease_owner = $1 AND id IN (SELECT id FROM {db.unnest("$2")})
    """


async def release(owner: str) -> int:
    """Free what a worker of this name held when it died, and give the number of rows."""
    return await _free("lease_owner = $3", owner)


async def give_back(owner: str) -> None:
    """Free what a worker of this name holds at an orderly end: it is no crash."""
    sql = f"UPDATE inbox_item SET state = 'due', {_FREE} WHERE state = 'leased' AND lease_owner = $1"
    async with db.transaction():
        await db.execute(sql, owner)


async def expire() -> int:
    """Free the rows whose lease ran out, and give their number."""
    now = moments.now()
    if not await db.value(
        "SELECT 1 FROM inbox_item WHERE state = 'leased' AND lease_until < $1 LIMIT 1", now
    ):
        return 0
    return await _free("lease_until < $3", now)


async def _free(which: str, parameter: int | str) -> int:
    sql = f"""
    UPDATE inbox_item SET state = CASE WHEN crashes + 1 >= $1 THEN 'quarantined' ELSE 'due' END,
        crashes = crashes + 1, due_at = $2 + crashes * 1000, error = '{_VANISHED}', {_FREE}
    WHERE state = 'leased' AND {which} RETURNING id
    """
    async with db.transaction():
        return len(await db.rows(sql, MOST_CRASHES, moments.now(), parameter))


async def quarantined() -> list[Quarantined]:
    """All that was put aside, oldest first."""
    found = await db.rows(
        "SELECT id, uri, actor_uri, crashes, error, received_at FROM inbox_item"
        " WHERE state = 'quarantined' ORDER BY id"
    )
    return [Quarantined(**row) for row in found]


async def retry(item_id: int) -> None:
    """Give a row that was put aside a fresh start. Raises NotFound when it is not there."""
    async with db.transaction():
        found = await db.value(
            """UPDATE inbox_item SET state = 'due', due_at = $2, attempts = 0, crashes = 0, error = ''
               WHERE id = $1 AND state = 'quarantined' RETURNING id""",
            item_id,
            moments.now(),
        )
        if found is None:
            raise NotFound("No such activity is in quarantine.")
        queue.nudge(Job.RECEIVE)


async def heaps() -> list[Heap]:
    """What has not had its effect, in numbers."""
    found = await db.rows(
        """SELECT state, count(*) AS rows,
               min(CASE WHEN state = 'due' THEN due_at ELSE received_at END) AS oldest
           FROM inbox_item WHERE state <> 'done' GROUP BY state ORDER BY state"""
    )
    return [Heap(kind="activity", **row) for row in found]


async def waiting() -> int:
    """How much is due or in somebody's hands."""
    number: int = await db.value("SELECT count(*) FROM inbox_item WHERE state IN ('due', 'leased')")
    return number
