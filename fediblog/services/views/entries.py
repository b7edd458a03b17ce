"""Entries: the ids of a page, with versions, counters and the viewer's flags, in one statement."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter
from typing import Any

import orjson

from fediblog import db
from fediblog.models import Account, Consent, Quotable
from fediblog.paging import Page
from fediblog.services import visibility
from fediblog.services.views.bodies import seen_version
from fediblog.services.views.shapes import Ballot, Counts, Entry, Listing, Quoting, Standing


async def page(ids_sql: str, viewer: Account | None, asked: Page, *values: Any) -> Listing:
    """Run the ids part of a list and the shared tail in one statement.

    `ids_sql` selects `id` and `cursor` in the order of the page with a LIMIT of its rows; `$1` is the
    viewer's id, `$2` and `$3` are the bounds of the page and `values` the parameters from `$4` on.
    """
    viewer_id = viewer.id if viewer else 0
    found = await db.tuples(statement(ids_sql), viewer_id, asked.before, asked.after, *values)
    # The joins keep no order.
    found.sort(key=_cursor, reverse=not asked.upward)
    found = sorted(found[: asked.limit], key=_cursor, reverse=True)
    return Listing([_entry(line[1:]) for line in found], [line[0] for line in found])


async def entries(post_ids: Sequence[int], viewer: Account | None, rule: str = "TRUE") -> dict[int, Entry]:
    """Entries for posts that are known by id. Ids that are gone are left out.

    `rule` is SQL on the post `p` for a viewer `$1`; without it all of them must be allowed already.
    """
    if not post_ids:
        return {}
    sql = f"SELECT p.id, p.id AS cursor FROM {db.unnest('$2')} JOIN post p ON p.id = given.id WHERE {rule}"
    found = await db.tuples(statement(sql), viewer.id if viewer else 0, db.array(post_ids))
    return {line[1]: _entry(line[1:]) for line in found}


@lru_cache(256)
def _statement(dialect: db.Dialect, ids_sql: str) -> str:
    # SQLite must not reorder the tables (TIMELINES §2.1); PostgreSQL knows no CROSS JOIN with ON.
    join = "CROSS JOIN" if dialect == "sqlite" else "JOIN"
    votes = "SELECT votes FROM poll_option WHERE poll_id = o.id ORDER BY position"
    votes_list = (
        f"(SELECT json_group_array(votes) FROM ({votes}))"
        if dialect == "sqlite"
        else f"CAST(array_to_json(ARRAY({votes})) AS TEXT)"
    )
    counts = ", ".join(
        f"{a}.posts_count AS {a}_posts, {a}.following_count AS {a}_following,"
        f" {a}.followers_count AS {a}_followers, {a}.last_post_at AS {a}_last"
        for a in ("wa", "oa")
    )
    return f"""WITH page AS ({ids_sql})
SELECT page.cursor, w.id, {seen_version("w", "wa")} AS version, w.author_id, wa.version AS author_version,
  o.id AS post_id, {seen_version("o", "oa")} AS post_version, o.author_id AS post_author_id,
  oa.version AS post_author_version, {counts}, o.likes, o.boosts, o.replies,
  o.quotes, o.quote_policy,
  EXISTS (SELECT 1 FROM post_like x WHERE x.account_id = $1 AND x.post_id = o.id) AS liked,
  EXISTS (SELECT 1 FROM post x WHERE x.author_id = $1 AND x.boost_of_id = o.id) AS boosted,
  EXISTS (SELECT 1 FROM bookmark x WHERE x.account_id = $1 AND x.post_id = o.id) AS bookmarked,
  EXISTS (SELECT 1 FROM thread_mute x WHERE x.account_id = $1 AND x.thread_id = o.thread_id) AS muted,
  EXISTS (SELECT 1 FROM pin x WHERE x.account_id = o.author_id AND x.post_id = o.id) AS pinned,
  EXISTS (SELECT 1 FROM follow x WHERE x.follower_id = $1 AND x.target_id = o.author_id) AS follows,
  q.voters, q.closed_at, {votes_list} AS votes,
  (SELECT x.choices FROM poll_ballot x WHERE x.poll_id = o.id AND x.account_id = $1) AS choices,
  o.quote_of_id, o.quote_state,
  CASE WHEN o.quote_state = '{Consent.ACCEPTED}' AND o.quote_of_id IS NOT NULL THEN ({_STANDING}) ELSE 0 END
FROM page
{join} post w ON w.id = page.id
{join} post o ON o.id = COALESCE(w.boost_of_id, w.id)
{join} account wa ON wa.id = w.author_id AND wa.suspended_at IS NULL
{join} account oa ON oa.id = o.author_id AND oa.suspended_at IS NULL
LEFT JOIN poll q ON q.id = o.id"""


def statement(ids_sql: str) -> str:
    """The whole statement of a list; public so that tests can look at its plan."""
    return _statement(db.dialect(), ids_sql)


@lru_cache(8_192)
def _entry(line: tuple[Any, ...]) -> Entry:
    """The entry of a row without its cursor. Most rows are as they were when somebody last looked."""
    wrapper, original, counts, tallies, flags, question, quote = (
        line[start:end] for start, end in pairwise((0, 4, 8, 16, 21, 27, 31, 34))
    )
    ballot = _ballot(*question) if question[0] is not None else None
    first, second = Counts(*counts[:4]), Counts(*counts[4:])
    tallies = (*tallies[:4], Quotable(tallies[4]))
    flags = tuple(map(bool, flags))
    return Entry._make((*wrapper, first, *original, second, *tallies, *flags, ballot, _quoting(*quote)))


def _quoting(post_id: int | None, state: str, standing: int) -> Quoting | None:
    return Quoting(post_id, Consent(state), Standing(standing)) if state else None


def _ballot(voters: int, closed_at: int | None, votes: str, bits: int | None) -> Ballot:
    chosen = None if bits is None else [place for place in range(63) if bits >> place & 1]
    return Ballot(orjson.loads(votes), voters, closed_at is not None, chosen)


# A quoted post is asked for like any other: what the viewer may not see is not shown in a quote either.
_STANDING = f"""
  SELECT CASE WHEN NOT ({visibility.clause("$1", "z")}) THEN {Standing.UNSEEN:d}
    WHEN EXISTS (SELECT 1 FROM block x WHERE x.account_id = $1 AND x.target_id = z.author_id)
      THEN {Standing.BLOCKED:d}
    WHEN EXISTS (SELECT 1 FROM account y JOIN hidden_domain x ON x.domain = y.domain AND x.account_id = $1
      WHERE y.id = z.author_id) THEN {Standing.DOMAIN:d}
    WHEN EXISTS (SELECT 1 FROM mute x WHERE x.account_id = $1 AND x.target_id = z.author_id)
      THEN {Standing.MUTED:d}
    ELSE {Standing.CLEAR:d} END
  FROM post z WHERE z.id = o.quote_of_id"""
_cursor = itemgetter(0)
