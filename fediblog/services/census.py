"""How many live here and what they have written: the numbers by which a server introduces itself.

Counting reads whole tables, so each process keeps the answer for some minutes: whoever asks first after a
start pays, and nobody is served a number older than that.
"""

from dataclasses import dataclass

from fediblog import db, moments
from fediblog.remembering import Lately

_KEPT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Census:
    """People are those who may sign in; posts are those written here; servers are all that we know of."""

    people: int
    active_month: int
    active_half_year: int
    posts: int
    known_servers: int


async def get() -> Census:
    """The numbers, some minutes old at most."""
    return await _lately.get()


def forget() -> None:
    """Count anew next time."""
    _lately.forget()


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
_lately = Lately(_KEPT_SECONDS, count)
