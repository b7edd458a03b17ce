"""How much something is used: in how many posts, and by how many accounts, on each of the last days."""

from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

from fediblog import db, ids, moments

_DAYS = 7


class Thing(Enum):
    """What posts are tied to: the table that ties them, its column, and which posts count beside the rest."""

    TAG = ("post_tag", "tag_id", "TRUE")
    PAGE = ("post_card", "card_id", "p.visibility = 0")


class Use(NamedTuple):
    """Something on one day: in how many public posts, and by how many accounts."""

    day: int
    posts: int
    accounts: int


def none() -> tuple[Use, ...]:
    """The last seven days of what nobody has used, today first."""
    today = moments.day(moments.now())
    return tuple(Use(day, 0, 0) for day in range(today, today - _DAYS, -1))


async def by_day(thing: Thing, numbers: Collection[int]) -> dict[int, tuple[Use, ...]]:
    """The last seven days of each, today first, in one statement.

    Posts by accounts that stand in public lists count.
    """
    days = {number: {use.day: use for use in none()} for number in numbers}
    since = ids.floor(moments.day_start(moments.day(moments.now()) - _DAYS + 1))
    for line in await db.rows(_sql(thing), db.array(list(days)), since) if days else ():
        if line["day"] in days[line["id"]]:
            days[line["id"]][line["day"]] = Use(line["day"], line["posts"], line["accounts"])
    return {number: tuple(found.values()) for number, found in days.items()}


def _sql(thing: Thing) -> str:
    table, column, condition = thing.value
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    return f"""
SELECT x.{column} AS id, p.created_at / {moments.DAY} AS day, count(*) AS posts,
  count(DISTINCT p.author_id) AS accounts
FROM {db.unnest("$1")} {join} {table} x ON x.{column} = given.id AND x.post_id >= $2
{join} post p ON p.id = x.post_id AND {condition}
{join} account a ON a.id = p.author_id AND a.suspended_at IS NULL AND a.silenced_at IS NULL
GROUP BY x.{column}, p.created_at / {moments.DAY}"""
