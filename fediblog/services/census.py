"""How many live here and what they have written: the numbers by which a server introduces itself.

Counting reads whole tables, so each process keeps the answer for some minutes: whoever asks first after a
start pays, and nobody is served a number older than that.
"""

import time
from dataclasses import dataclass

from fediblog import config, db, moments
from fediblog.config import Config

_KEPT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Census:
    """People are those who may sign in; posts are those written here; servers are all that we know of."""

    people: int
    active_month: int
    active_half_year: int
    posts: int
    known_servers: int


_cache: tuple[Config, float, Census] | None = None


async def get() -> Census:
    """The numbers, some minutes old at most."""
    global _cache
    current = config.settings()
    if _cache is not None and _cache[0] is current and time.monotonic() < _cache[1]:
        return _cache[2]
    found = await count()
    _cache = (current, time.monotonic() + _KEPT_SECONDS, found)
    return found


async def count() -> Census:
    """The numbers as they are now."""
    today = moments.now()
    line = await db.row(_COUNT, today - 30 * moments.DAY, today - 180 * moments.DAY)
    return Census(**(line or {}))


_PEOPLE = "FROM person WHERE confirmed_at IS NOT NULL AND approved_at IS NOT NULL AND disabled_at IS NULL"
_COUNT = f"""SELECT
  (SELECT count(*) {_PEOPLE}) AS people,
  (SELECT count(*) {_PEOPLE} AND last_active_at > $1) AS active_month,
  (SELECT count(*) {_PEOPLE} AND last_active_at > $2) AS active_half_year,
  (SELECT COALESCE(CAST(sum(posts_count) AS BIGINT), 0) FROM account WHERE domain = '') AS posts,
  (SELECT count(DISTINCT domain) FROM account WHERE domain <> '') AS known_servers"""
