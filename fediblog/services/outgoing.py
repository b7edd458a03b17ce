"""The tray of letters: one row for each inbox, leased by server and not by row (EGRESS §2.1).

A server is with one worker at a time. So its order, its number of connections and how it fares are one
worker's business, over however many processes, and there are no locks but the lease. `next_at` of a server
says when it has something due; nothing is looked for at servers that have nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fediblog import db, ids, moments, queue
from fediblog.queue import Job
from fediblog.services import locks, servers

# Longer than any lane: what is begun last has half a minute to end.
LEASE = 45 * moments.SECOND
# The author sees so long where a post has arrived, and an edit or a deletion goes there too.
KEPT = 30 * moments.DAY
_BATCH = 500
# A letter that was tried so often at a failing server (that is eight minutes) lets the others try.
_SUSPECT = 10


@dataclass(frozen=True, slots=True)
class Host:
    """A server that is ours for the time of the lease."""

    id: int
    domain: str
    fails: int
    failing_since: int | None
    round: int
    signs: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One row: an activity for an inbox."""

    id: int
    activity_id: int
    account_id: int | None
    inbox: str
    refusals: int


@dataclass(frozen=True, slots=True)
class Put:
    """What becomes of a row: `done`, `failed`, `quarantined`, or `due` again at a moment."""

    id: int
    state: str
    error: str = ""
    due_at: int = 0
    refusals: int = 0  # By how many there are more.


@dataclass(frozen=True, slots=True)
class Left:
    """How a server is left at the end of a lane. `next_at` None means: whenever the next row is due."""

    host: Host
    fails: int = 0
    failing_since: int | None = None
    error: str = ""
    next_at: int | None = None
    signs: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """What is sent: the same bytes at every attempt."""

    id: int
    account_id: int | None
    body: bytes
    for_followers: bool


# ------------------------------------------------------------------------------------------------- putting in


async def enqueue(activity_id: int, inboxes: Mapping[str, Collection[str]]) -> None:
    """Owe an activity to inboxes, by domain, in the transaction that made it. Twice is the same as once."""
    known = await servers.numbers(inboxes)
    rows = [
        (ids.new(), known[domain], inbox) for domain, several in inboxes.items() for inbox in sorted(several)
    ]
    if not rows:
        return
    now = moments.now()
    numbers = sorted(known.values())
    for start in range(0, len(rows), _BATCH):
        await db.execute(_insert(), activity_id, db.json(rows[start : start + _BATCH]), now)
    for start in range(0, len(numbers), _BATCH):
        given = db.array(numbers[start : start + _BATCH])
        await locks.servers(numbers[start : start + _BATCH])
        await db.execute(_give_up_more(), activity_id, given, now, now - servers.GIVEN_UP)
        await db.execute(_wake(), given, now)
    queue.nudge(Job.DELIVER)


def _records(parameter: str, *columns: str) -> str:
    """A table `given` from a parameter with rows in JSON; each column as `name type`."""
    pairs = [(name, kind) for name, kind in (column.split() for column in columns)]
    if db.dialect() == "sqlite":
        picked = ", ".join(f"json_extract(value, '$[{n}]') AS {name}" for n, (name, _) in enumerate(pairs))
        return f"(SELECT {picked} FROM json_each({parameter})) AS given"
    picked = ", ".join(f"(value ->> {n})::{kind} AS {name}" for n, (name, kind) in enumerate(pairs))
    return f"(SELECT {picked} FROM json_array_elements(CAST({parameter} AS json)) AS value) AS given"


def _insert() -> str:
    return f"""
    INSERT INTO delivery (id, activity_id, server_id, inbox, due_at)
    SELECT given.id, CAST($1 AS BIGINT), given.server_id, given.inbox, CAST($3 AS BIGINT)
    FROM {_records("$2", "id bigint", "server_id bigint", "inbox text")} WHERE given.id > 0
    ON CONFLICT (activity_id, inbox) DO NOTHING
    """


def _give_up_more() -> str:
    """At a server that is taken for dead one row waits, for the weekly look; what comes later does not."""
    return f"""
    UPDATE delivery SET state = 'failed', error = 'given up', ended_at = $3
    WHERE activity_id = $1 AND state = 'due' AND server_id IN (
        SELECT s.id FROM {db.unnest("$2")} JOIN server s ON s.id = given.id
        WHERE s.failing_since <= $4 AND EXISTS (
            SELECT 1 FROM delivery d WHERE d.server_id = s.id AND d.state = 'due' AND d.activity_id <> $1))
    """


def _wake() -> str:
    """Who fails keeps the moment of its plan."""
    return f"""
    UPDATE server SET round = round + 1,
        next_at = CASE WHEN fails > 0 AND next_at IS NOT NULL THEN next_at ELSE CAST($2 AS BIGINT) END
    WHERE id IN (SELECT id FROM {db.unnest("$1")})
    """


# ------------------------------------------------------------------------------------------------ taking out


async def lease(owner: str, most: int, failing: bool) -> list[Host]:
    """Take servers that have something due, the longest due first: those that are well, or that fail."""
    now = moments.now()
    free = _FREE[failing]
    # An empty look takes no lock.
    if most <= 0 or await db.value(f"SELECT 1 FROM server WHERE {free} LIMIT 1", now) is None:
        return []
    async with db.transaction():
        found = await db.rows(_lease(free), now, owner, now + LEASE, most)
    return [Host(**row) for row in found]


_FREE = {
    failing: f"next_at <= $1 AND (lease_until IS NULL OR lease_until <= $1) AND fails {sign} 0"
    for failing, sign in ((False, "="), (True, ">"))
}


def _lease(free: str) -> str:
    """In an expression of its own: a sub-select could be evaluated again, and lock more than it gives."""
    skip = " FOR UPDATE SKIP LOCKED" if db.dialect() == "postgres" else ""
    materialized = "MATERIALIZED " if db.dialect() == "postgres" else ""
    return f"""
    WITH due AS {materialized}(SELECT id FROM server WHERE {free} ORDER BY next_at LIMIT $4{skip})
    UPDATE server SET lease_owner = $2, lease_until = $3 WHERE id IN (SELECT id FROM due)
    RETURNING id, domain, fails, failing_since, round, signs
    """


async def letters(hosts: Sequence[Host], most: int) -> dict[int, list[Letter]]:
    """The next letters of servers, `most` for each, in the order in which they were put in."""
    return await _take(hosts, _letters("x.id", most))


async def probes(hosts: Sequence[Host]) -> dict[int, list[Letter]]:
    """One letter for each server: its next one, for order counts also after a failure.

    One that has been tried very often may be why it fails, so the others get their turn then: no letter alone
    keeps a server from getting well.
    """
    return await _take(hosts, _letters(f"x.attempts / {_SUSPECT}, x.id", 1))


async def _take(hosts: Sequence[Host], sql: str) -> dict[int, list[Letter]]:
    found: dict[int, list[Letter]] = {host.id: [] for host in hosts}
    for row in await db.rows(sql, db.array(list(found)), moments.now()):
        found[row.pop("server_id")].append(Letter(**row))
    return found


def _letters(order: str, most: int) -> str:
    some = f"""
    SELECT x.id FROM delivery x WHERE x.server_id = given.id AND x.state = 'due' AND x.due_at <= $2
    ORDER BY {order} LIMIT {most}
    """
    # SQLite knows no LATERAL; PostgreSQL would evaluate the other for every row that there is.
    few = (
        f"JOIN delivery d ON d.id IN ({some})"
        if db.dialect() == "sqlite"
        else f"CROSS JOIN LATERAL ({some}) AS few JOIN delivery d ON d.id = few.id"
    )
    return f"""
    SELECT d.id, d.server_id, d.activity_id, a.account_id, d.inbox, d.refusals
    FROM {db.unnest("$1")} {few} JOIN activity a ON a.id = d.activity_id ORDER BY d.id
    """


async def papers(activity_ids: Collection[int]) -> dict[int, Paper]:
    """What is to be sent, by the id of the activity."""
    sql = f"""
    SELECT a.id, a.account_id, a.body, a.for_followers
    FROM {db.unnest("$1")} JOIN activity a ON a.id = given.id
    """
    found = await db.rows(sql, db.array(list(activity_ids)))
    return {
        row["id"]: Paper(row["id"], row["account_id"], bytes(row["body"]), bool(row["for_followers"]))
        for row in found
    }


# ----------------------------------------------------------------------------------------------- writing down


async def settle(owner: str, puts: Sequence[Put], lefts: Sequence[Left]) -> None:
    """Write down how it went, all in one commit. Of a server that is somebody else's by now: nothing."""
    now = moments.now()
    done = [put.id for put in puts if put.state == "done"]
    async with db.transaction():
        if done:
            await db.execute(_done(), db.array(done), now)
        others = [
            (put.id, put.state, put.error, put.due_at, put.refusals, None if put.state == "due" else now)
            for put in puts
            if put.state != "done"
        ]
        if others:
            await db.execute(_put(), db.json(others))
        if lefts:
            await locks.servers(left.host.id for left in lefts)
            await db.execute(_leave(), owner, db.json([_left(left) for left in lefts]), now)


def _left(left: Left) -> tuple[Any, ...]:
    given = (left.fails, left.failing_since, left.error, left.next_at, left.signs)
    return (left.host.id, left.host.round, *given)


def _done() -> str:
    return f"""
    UPDATE delivery SET state = 'done', attempts = attempts + 1, ended_at = $2, error = ''
    WHERE state = 'due' AND id IN (SELECT id FROM {db.unnest("$1")})
    """


def _put() -> str:
    columns = ("id bigint", "state text", "error text", "due_at bigint", "refusals bigint", "ended_at bigint")
    return f"""
    UPDATE delivery SET state = given.state, error = given.error,
        attempts = delivery.attempts + 1, refusals = delivery.refusals + given.refusals,
        due_at = CASE WHEN given.due_at > 0 THEN given.due_at ELSE delivery.due_at END,
        ended_at = given.ended_at
    FROM {_records("$1", *columns)} WHERE delivery.id = given.id AND delivery.state = 'due'
    """


def _leave() -> str:
    """What was put in since the lease is due at once, unless the server fails and its plan has a moment."""
    columns = (
        *("id bigint", "round bigint", "fails bigint", "failing_since bigint", "error text"),
        *("next_at bigint", "signs text"),
    )
    rest = "SELECT min(d.due_at) FROM delivery d WHERE d.server_id = server.id AND d.state = 'due'"
    return f"""
    UPDATE server SET fails = given.fails, failing_since = given.failing_since,
        last_error = CASE WHEN given.fails > 0 AND given.error = '' THEN last_error ELSE given.error END,
        signs = CASE WHEN given.signs <> '' THEN given.signs ELSE server.signs END,
        next_at = CASE
            WHEN given.next_at IS NOT NULL THEN given.next_at
            WHEN server.round <> given.round THEN CAST($3 AS BIGINT)
            ELSE ({rest}) END,
        lease_until = NULL, lease_owner = ''
    FROM {_records("$2", *columns)} WHERE server.id = given.id AND server.lease_owner = $1
    """


async def behind(inbox: str) -> list[int]:
    """The accounts elsewhere that have this inbox, alone or together; a hundred of them where it is more."""
    return await db.column(_BEHIND, inbox)


async def give_up(host: Host) -> int:
    """Nobody answers there for a week: all but one letter, for the weekly look, fail. Gives their number."""
    async with db.transaction():
        found = await db.rows(_GIVE_UP, host.id, moments.now())
    return len(found)


async def release(owner: str) -> int:
    """Free the servers that a worker of this name holds; gives their number."""
    async with db.transaction():
        found = await db.rows(
            "UPDATE server SET lease_until = NULL, lease_owner = '' WHERE lease_owner = $1 RETURNING id",
            owner,
        )
    return len(found)


async def prune() -> int:
    """Throw away what ended long ago, and activities of which nothing is left."""
    before = moments.now() - KEPT
    number = 0
    for sql in (_PRUNE, _PRUNE_ACTIVITIES):
        while True:
            async with db.transaction():
                gone = len(await db.rows(sql, before, _BATCH))
            number += gone
            if gone < _BATCH:
                break
    return number


_BEHIND = """
SELECT id FROM account WHERE inbox = $1 AND inbox <> '' AND NOT local AND deleted_at IS NULL
UNION
SELECT id FROM account WHERE shared_inbox = $1 AND shared_inbox <> '' AND NOT local AND deleted_at IS NULL
LIMIT 100
"""
_GIVE_UP = """
UPDATE delivery SET state = 'failed', error = 'given up', ended_at = $2
WHERE server_id = $1 AND state = 'due'
  AND id <> (SELECT max(d.id) FROM delivery d WHERE d.server_id = $1 AND d.state = 'due') RETURNING id
"""
_PRUNE = """
DELETE FROM delivery WHERE id IN (SELECT id FROM delivery WHERE ended_at < $1 LIMIT $2) RETURNING id
"""
_PRUNE_ACTIVITIES = """
DELETE FROM activity WHERE id IN (
    SELECT a.id FROM activity a WHERE a.created_at < $1
      AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.activity_id = a.id) LIMIT $2
) RETURNING id
"""
