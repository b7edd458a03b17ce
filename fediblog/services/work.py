"""The tray: work that is owed, one row for each kind and key, written in the transaction of its cause.

A row is `due`, `leased` by a worker for a while, or `quarantined`. Success ends it. A failure that was
foreseen (a server that is down) puts it off by a plan; a crash (an error nobody foresaw, a worker that
vanished) counts, and the fifth puts the row aside for an admin, so that it never blocks others
(SECURITY §9 R6).

Asking for work that is being done right now raises its `round`: who did the old round cannot end the new one.
While a row is leased its `not_before` lies beyond all time, so that the smaller of two moments is always the
right one, whatever was asked for meanwhile.
"""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from fediblog import db, ids, logs, moments, queue
from fediblog.errors import NotFound
from fediblog.queue import Job

MOST_CRASHES = 5
# Who was nudged gets this long before the sweep nudges again (milliseconds).
PATIENCE = 30 * moments.SECOND

# A nudge that left so lately (milliseconds) has not arrived yet: the row is done for both of its causes.
_ON_ITS_WAY = moments.SECOND

_NEVER = 1 << 62
_MARGIN = 30 * moments.SECOND
_VANISHED = "The worker ended without a result."

# The plan of SECURITY §9 R4: how often each pause is made before the next, longer one.
_PLAN = (
    (1, 20 * moments.SECOND),
    (1, 40 * moments.SECOND),
    (59, moments.MINUTE),
    (72, 5 * moments.MINUTE),
    (24, moments.HOUR),
)
_LONGEST = 12 * moments.HOUR
_JITTER = 0.15


@dataclass(frozen=True, slots=True)
class Work:
    """A row that we hold. `lease_until` and `owner` together are the proof of it."""

    id: int
    job: Job
    key: str
    round: int
    attempts: int
    crashes: int
    request_id: str
    owner: str
    lease_until: int


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A row that was put aside, for the admin's eyes."""

    id: int
    kind: str
    key: str
    error: str
    crashes: int
    request_id: str
    created_at: int


@dataclass(frozen=True, slots=True)
class Heap:
    """How much there is of one kind in one state, and since when the oldest has been waiting."""

    kind: str
    state: str
    rows: int
    oldest: int


async def owe(job: Job, key: int | str, not_before: int = 0) -> None:
    """Owe a piece of work, not before a moment. To be called in the transaction of its cause.

    Owing what is owed already keeps one row, due at the earlier of the two moments; what is being done
    at this moment will be done once more.
    """
    now = moments.now()
    due = max(not_before, now)
    nudged = _nudged(now) if due <= now else 0
    async with db.transaction():
        found = await db.row(_OWE, ids.new(), job.value, str(key), due, nudged, logs.request_id(), now)
    if found and found["state"] == "due" and due <= now and found["nudged_at"] == nudged:
        queue.nudge(job, found["id"])


_OWE = f"""
INSERT INTO work (id, kind, key, not_before, nudged_at, request_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (kind, key) DO UPDATE SET
    round = work.round + 1,
    not_before = CASE WHEN excluded.not_before < work.not_before
        THEN excluded.not_before ELSE work.not_before END,
    nudged_at = CASE WHEN excluded.nudged_at > work.nudged_at + {_ON_ITS_WAY}
        THEN excluded.nudged_at ELSE work.nudged_at END,
    request_id = excluded.request_id
RETURNING id, state, nudged_at
"""


async def lease(job: Job, work_id: int, owner: str, suspect: bool = False) -> Work | None:
    """Take a row for as long as its job may last. None when it is done, not due yet or somebody else's.

    A row that has crashed before is taken only by who says `suspect`, and is up to no good perhaps.
    """
    now = moments.now()
    until = now + job.seconds * moments.SECOND + _MARGIN
    async with db.transaction():
        found = await db.row(_lease_sql(db.dialect()), work_id, job.value, now, until, owner, _NEVER, suspect)
    return Work(job=job, owner=owner, lease_until=until, **found) if found else None


def _lease_sql(dialect: db.Dialect) -> str:
    skip = " FOR UPDATE SKIP LOCKED" if dialect == "postgres" else ""
    return f"""
    UPDATE work SET state = 'leased', lease_until = $4, lease_owner = $5, not_before = $6
    WHERE id = (
        SELECT id FROM work
        WHERE id = $1 AND kind = $2 AND state = 'due' AND not_before <= $3 AND (crashes = 0 OR $7){skip}
    )
    RETURNING id, key, round, attempts, crashes, request_id
    """


async def is_suspect(work_id: int) -> bool:
    """Whether a row is due that has crashed before: it may be what kills its workers."""
    sql = "SELECT 1 FROM work WHERE id = $1 AND state = 'due' AND not_before <= $2 AND crashes > 0"
    return await db.value(sql, work_id, moments.now()) is not None


async def tries(job: Job, key: int | str) -> int:
    """How often a piece of work has failed in a way that was foreseen; 0 when nobody owes it."""
    sql = "SELECT attempts FROM work WHERE kind = $1 AND key = $2"
    return await db.value(sql, job.value, str(key)) or 0


async def done(work: Work) -> None:
    """End a row. When it was owed again meanwhile it becomes due again instead, with a clean record."""
    async with db.transaction():
        ended = await db.value(
            f"DELETE FROM work WHERE {_HELD} AND round = $4 RETURNING id", *_proof(work), work.round
        )
        if ended is None:
            await _again(work)


async def _again(work: Work) -> None:
    now = moments.now()
    found = await db.row(
        f"""UPDATE work SET state = 'due', lease_until = NULL, lease_owner = '', attempts = 0, crashes = 0,
                error = '', nudged_at = CASE WHEN not_before <= $4 THEN CAST($5 AS BIGINT) ELSE 0 END
            WHERE {_HELD} RETURNING not_before""",
        *_proof(work),
        now,
        _nudged(now),
    )
    if found and found["not_before"] <= now:
        queue.nudge(work.job, work.id)


async def failed(work: Work, error: str, again_at: int | None = None, crash: bool = False) -> None:
    """Put a row off until `again_at` (the plan's next moment when None). The fifth crash quarantines it."""
    attempts, crashes = work.attempts + (not crash), work.crashes + crash
    if again_at is None:
        again_at = moments.now() + pause(crashes if crash else attempts)
    async with db.transaction():
        await db.execute(
            f"""UPDATE work SET state = $4, attempts = $5, crashes = $6, error = $7,
                    lease_until = NULL, lease_owner = '', nudged_at = 0,
                    not_before = CASE WHEN not_before < $8 THEN not_before ELSE $8 END
                WHERE {_HELD}""",
            *_proof(work),
            "quarantined" if crashes >= MOST_CRASHES else "due",
            attempts,
            crashes,
            error[:2000],
            again_at,
        )


async def release(owner: str, crashed: bool = True) -> int:
    """Free what a worker of this name holds and give the number of rows.

    At its start that is what it held when it died, and each row counts a crash; at an orderly end it is
    what was not finished in time, and that is nobody's fault.
    """
    if crashed:
        return await _free("lease_owner = $3", owner)
    async with db.transaction():
        freed = await db.rows(
            """UPDATE work SET state = 'due', lease_until = NULL, lease_owner = '', nudged_at = 0,
                   not_before = CASE WHEN not_before < $2 THEN not_before ELSE $2 END
               WHERE state = 'leased' AND lease_owner = $1 RETURNING id""",
            owner,
            moments.now(),
        )
    return len(freed)


async def leases(owner: str) -> dict[int, int]:
    """The rows that the tray says a worker of this name holds, each with the end of its lease."""
    sql = "SELECT id, lease_until FROM work WHERE state = 'leased' AND lease_owner = $1"
    return {row["id"]: row["lease_until"] for row in await db.rows(sql, owner)}


async def give_back(owner: str, unknown: Mapping[int, int]) -> None:
    """Free leases of which their owner knows nothing, unless they have changed since. It is no crash."""
    async with db.transaction():
        for work_id, lease_until in unknown.items():
            await db.execute(
                f"UPDATE work SET state = 'due', lease_until = NULL, lease_owner = '', nudged_at = 0,"
                f" not_before = $4 WHERE {_HELD}",
                *(work_id, owner, lease_until, moments.now()),
            )


async def sweep(
    jobs: Collection[Job] = tuple(Job), patience: int = PATIENCE, limit: int = 1000
) -> list[tuple[Job, int]]:
    """Free the leases that ran out, then give the due rows (of these jobs) that nobody was nudged for lately.

    They count as nudged now: the caller nudges, or does them itself.
    """
    now = moments.now()
    await _free("lease_until < $3", now)
    kinds = ", ".join(f"${number}" for number in range(4, 4 + len(jobs)))
    skip = " FOR UPDATE SKIP LOCKED" if db.dialect() == "postgres" else ""
    async with db.transaction():
        found = await db.rows(
            f"""UPDATE work SET nudged_at = $1 WHERE id IN (
                    SELECT id FROM work
                    WHERE state = 'due' AND not_before <= $1 AND nudged_at <= $2 AND kind IN ({kinds})
                    ORDER BY not_before LIMIT $3{skip}
                ) RETURNING id, kind""",
            now,
            now - patience,
            limit,
            *jobs,
        )
    return [(Job(row["kind"]), row["id"]) for row in found]


async def quarantined() -> list[Quarantined]:
    """All rows that were put aside, oldest first."""
    found = await db.rows(
        """SELECT id, kind, key, error, crashes, request_id, created_at FROM work
           WHERE state = 'quarantined' ORDER BY id"""
    )
    return [Quarantined(**row) for row in found]


async def retry(work_id: int) -> None:
    """Give a row that was put aside a fresh start. Raises NotFound when it is not there."""
    now = moments.now()
    async with db.transaction():
        kind = await db.value(
            """UPDATE work SET state = 'due', attempts = 0, crashes = 0, error = '', not_before = $2,
                   nudged_at = $3
               WHERE id = $1 AND state = 'quarantined' RETURNING kind""",
            work_id,
            now,
            _nudged(now),
        )
        if kind is None:
            raise NotFound("No such work is in quarantine.")
        if kind in set(Job):
            queue.nudge(Job(kind), work_id)


async def heaps() -> list[Heap]:
    """The whole tray in numbers."""
    found = await db.rows(
        """SELECT kind, state, count(*) AS rows,
               min(CASE WHEN state = 'due' THEN not_before ELSE created_at END) AS oldest
           FROM work GROUP BY kind, state ORDER BY kind, state"""
    )
    return [Heap(**row) for row in found]


def pause(attempt: int) -> int:
    """How long to wait after the attempt of this number (from 1), in milliseconds, with 15 % of chance."""
    left = attempt
    for times, length in _PLAN:
        if left <= times:
            return _with_jitter(length)
        left -= times
    return _with_jitter(_LONGEST)


def _nudged(now: int) -> int:
    """When a row counts as nudged. One for which no nudge can leave is found by the next sweep at once."""
    return now if queue.reachable() else 0


def _with_jitter(length: int) -> int:
    return round(length * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - spreads load, no secret


# What has crashed again waits a little, so that between two crashes others get their turn.
_FREE = """
UPDATE work SET state = CASE WHEN crashes + 1 >= $1 THEN 'quarantined' ELSE 'due' END,
    not_before = $2 + crashes * 1000, crashes = crashes + 1, error = '{error}',
    lease_until = NULL, lease_owner = '', nudged_at = 0
WHERE state = 'leased' AND {which} RETURNING id
"""


async def _free(which: str, parameter: int | str) -> int:
    sql = _FREE.format(which=which, error=_VANISHED)
    async with db.transaction():
        return len(await db.rows(sql, MOST_CRASHES, moments.now(), parameter))


_HELD = "id = $1 AND state = 'leased' AND lease_owner = $2 AND lease_until = $3"


def _proof(work: Work) -> tuple[Any, ...]:
    return work.id, work.owner, work.lease_until
