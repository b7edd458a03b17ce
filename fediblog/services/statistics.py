"""Daily statistics: one row for each day of the server, one for each day of a local account.

A day is a day in UTC and is known by its number (`moments.day`). Computing it counts what the tables hold of
it at that moment and puts that in the place of what stood there, so doing it again changes nothing. Only what
people here did counts for the server; what an account received counts from wherever it came. What comes in
from other servers and what goes out is thrown away after some days: of these the greatest count stays.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from fediblog import db, ids, moments
from fediblog.errors import Invalid
from fediblog.models import Account

# A transaction that began on a day is over this long after it: a count made then is the last word.
_SETTLED = moments.MINUTE
_LONGEST = 3660


@dataclass(frozen=True, slots=True)
class ServerDay:
    """The server on one day. `known_servers` is counted at its end, `active_people` are accounts."""

    day: int
    posts: int = 0
    replies: int = 0
    boosts: int = 0
    likes: int = 0
    follows: int = 0
    active_people: int = 0
    sign_ups: int = 0
    deliveries: int = 0
    inbound: int = 0
    known_servers: int = 0


@dataclass(frozen=True, slots=True)
class AccountDay:
    """An account on one day: what it did, then what it received."""

    day: int
    posts: int = 0
    replies: int = 0
    boosts: int = 0
    likes: int = 0
    follows: int = 0
    boosts_received: int = 0
    likes_received: int = 0
    new_followers: int = 0


# The rows behind these do not stay.
_PRUNED = frozenset({"deliveries", "inbound"})
_GREATER = "CASE WHEN excluded.{0} > server_day.{0} THEN excluded.{0} ELSE server_day.{0} END"

# These say how many there are on a day; the same ones may be there on the next.
_NOT_SUMMED = frozenset({"day", "active_people", "known_servers"})


# -------------------------------------------------------------------------------------------- computing


async def compute_day(day: int) -> None:
    """Count one day, whatever stood for it before."""
    start, end = moments.day_start(day), moments.day_start(day + 1)
    async with db.transaction():
        await db.execute("DELETE FROM account_day WHERE day = $1", day)
        await db.execute(ACCOUNTS, start, end, day)
        await db.execute(SERVER, start, end, day, moments.now(), ids.floor(end))


async def back_fill(most: int = 400) -> int:
    """Count today so far and the days since the first that have not been counted after their end.

    The newest come first, and at most so many in one call. Returns how many are left for the next.
    """
    days = await _days()
    settled = set(
        await db.column(
            "SELECT day FROM server_day WHERE computed_at >= (day + 1) * $1 + $2", moments.DAY, _SETTLED
        )
    )
    owed = [day for day in reversed(days) if day not in settled]
    for day in owed[:most]:
        await compute_day(day)
    return len(owed[most:])


async def rebuild() -> int:
    """Count every day anew and drop the rows of days that there are not. Returns the number of days."""
    days = await _days()
    async with db.transaction():
        for table in ("server_day", "account_day"):
            await db.execute(f"DELETE FROM {table} WHERE day < $1 OR day > $2", days.start, days.stop - 1)
    for day in days:
        await compute_day(day)
    return len(days)


async def _days() -> range:
    """From the first thing that happened here (an archive taken over may be older than anybody's sign-up)."""
    today = moments.day(moments.now())
    first = await db.value(
        "SELECT min(moment) FROM (SELECT min(created_at) AS moment FROM person"
        " UNION ALL SELECT min(created_at) FROM post WHERE local) AS firsts"
    )
    return range(min(moments.day(first), today), today + 1) if first is not None else range(today, today)


# What accounts here did ($1 to $2, in milliseconds), and what was done for them. Replies whose parent is gone
# still are replies: the parent's author or address stays.
_DOINGS = """
SELECT author_id AS account_id,
  CASE WHEN boost_of_id IS NOT NULL THEN 'boosts'
    WHEN reply_to_id IS NOT NULL OR reply_to_author_id IS NOT NULL OR reply_to_uri <> '' THEN 'replies'
    ELSE 'posts' END AS kind
FROM post WHERE local AND created_at >= $1 AND created_at < $2
UNION ALL
SELECT l.account_id, 'likes' FROM post_like l JOIN account a ON a.id = l.account_id AND a.local
WHERE l.created_at >= $1 AND l.created_at < $2
UNION ALL
SELECT f.follower_id, 'follows' FROM follow f JOIN account a ON a.id = f.follower_id AND a.local
WHERE f.created_at >= $1 AND f.created_at < $2
UNION ALL
SELECT b.boost_of_author_id, 'boosts_received' FROM post b
JOIN account a ON a.id = b.boost_of_author_id AND a.local
WHERE b.boost_of_id IS NOT NULL AND b.created_at >= $1 AND b.created_at < $2
UNION ALL
SELECT p.author_id, 'likes_received' FROM post_like l JOIN post p ON p.id = l.post_id AND p.local
WHERE l.created_at >= $1 AND l.created_at < $2
UNION ALL
SELECT f.target_id, 'new_followers' FROM follow f JOIN account a ON a.id = f.target_id AND a.local
WHERE f.created_at >= $1 AND f.created_at < $2
"""


def _columns(kind: type[ServerDay] | type[AccountDay]) -> list[str]:
    return [field.name for field in fields(kind) if field.name != "day"]


def _accounts_sql() -> str:
    names = _columns(AccountDay)
    counts = ", ".join(f"sum(CASE WHEN kind = '{name}' THEN 1 ELSE 0 END)" for name in names)
    # Two workers may count a day at the same time: neither sees the rows of the other before they meet.
    return f"""
INSERT INTO account_day (account_id, day, {", ".join(names)})
SELECT account_id, CAST($3 AS BIGINT), {counts} FROM ({_DOINGS}) AS doings WHERE TRUE GROUP BY account_id
ON CONFLICT (account_id, day) DO UPDATE SET {_replaced(names)}
"""


def _server_sql() -> str:
    names = _columns(ServerDay)
    counts = {name: f"COALESCE(sum({name}), 0)" for name in names}
    counts["active_people"] = "count(CASE WHEN posts + replies + boosts + likes + follows > 0 THEN 1 END)"
    counts["sign_ups"] = "(SELECT count(*) FROM person u WHERE u.created_at >= $1 AND u.created_at < $2)"
    counts["deliveries"] = (
        "(SELECT count(*) FROM delivery d WHERE d.ended_at >= $1 AND d.ended_at < $2 AND d.state = 'done')"
    )
    counts["inbound"] = "(SELECT count(*) FROM inbox_item i WHERE i.received_at >= $1 AND i.received_at < $2)"
    # An id carries the moment in which we met an account; its `created_at` may be that of its own server.
    # Written so that an index answers it: rows of accounts are wide, and there are very many.
    met = "SELECT domain FROM account WHERE domain > '' GROUP BY domain HAVING min(id) < $5"
    counts["known_servers"] = f"(SELECT count(*) FROM ({met}) AS met)"
    return f"""
INSERT INTO server_day (day, {", ".join(names)}, computed_at)
SELECT CAST($3 AS BIGINT), {", ".join(counts[name] for name in names)}, CAST($4 AS BIGINT)
FROM account_day WHERE day = $3
ON CONFLICT (day) DO UPDATE SET {_replaced([*names, "computed_at"])}
"""


def _replaced(names: Sequence[str]) -> str:
    return ", ".join(
        f"{name} = {_GREATER.format(name) if name in _PRUNED else f'excluded.{name}'}" for name in names
    )


ACCOUNTS = _accounts_sql()
SERVER = _server_sql()


# ---------------------------------------------------------------------------------------------- reading


async def server_days(first: int, last: int) -> list[ServerDay]:
    """The server on each day from `first` to `last`, zeros without a row. Raises Invalid for a bad span."""
    _check(first, last)
    names = ", ".join(["day", *_columns(ServerDay)])
    found = await db.rows(f"SELECT {names} FROM server_day WHERE day BETWEEN $1 AND $2", first, last)
    known = {line["day"]: ServerDay(**line) for line in found}
    return [known.get(day) or ServerDay(day) for day in range(first, last + 1)]


async def account_days(account: Account, first: int, last: int) -> list[AccountDay]:
    """The same for an account. For its own people's eyes only: who may look is for the caller to know."""
    _check(first, last)
    names = ", ".join(["day", *_columns(AccountDay)])
    sql = f"SELECT {names} FROM account_day WHERE account_id = $1 AND day BETWEEN $2 AND $3"
    known = {line["day"]: AccountDay(**line) for line in await db.rows(sql, account.id, first, last)}
    return [known.get(day) or AccountDay(day) for day in range(first, last + 1)]


async def active_people(first: int, last: int) -> int:
    """How many accounts here posted, boosted, liked or followed on any of these days."""
    _check(first, last)
    count: int = await db.value(
        "SELECT count(DISTINCT account_id) FROM account_day"
        " WHERE day BETWEEN $1 AND $2 AND posts + replies + boosts + likes + follows > 0",
        first,
        last,
    )
    return count


def totals(days: Sequence[ServerDay] | Sequence[AccountDay]) -> dict[str, int]:
    """The sums of all that can be summed, by name; empty for no days."""
    names = [field.name for field in fields(days[0]) if field.name not in _NOT_SUMMED] if days else []
    return {name: sum(getattr(day, name) for day in days) for name in names}


def csv(days: Sequence[ServerDay] | Sequence[AccountDay]) -> str:
    """A table (RFC 4180) with a head line; days stand as `2026-11-22`."""
    if not days:
        return ""
    head = [field.name for field in fields(days[0])]
    lines = [[moments.iso_day(moments.day_start(day.day)), *astuple(day)[1:]] for day in days]
    return "".join(",".join(str(value) for value in line) + "\r\n" for line in [head, *lines])


def _check(first: int, last: int) -> None:
    if first > last:
        raise Invalid("The first day must not be after the last.")
    if last - first >= _LONGEST or not 0 <= first <= last < _LONGEST * 20:
        raise Invalid("Choose ten years at most.")
