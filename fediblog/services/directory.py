"""The directory: those who want to be found, and those whom two people have in common."""

from collections.abc import Sequence
from enum import StrEnum

from fediblog import db
from fediblog.models import Account

# Of those who follow an account so many are named.
_FAMILIAR = 40


class Order(StrEnum):
    """Who comes first: who wrote last, or who came last."""

    ACTIVE = "active"
    NEW = "new"


async def listing(
    viewer: Account | None, order: Order, local: bool, limit: int, offset: int = 0
) -> list[int]:
    """Accounts by id. Who is silenced, suspended or hidden from the viewer is left out, and who has moved."""
    where = ["a.local"] if local else []
    where += ["a.last_post_at IS NOT NULL"] if order is Order.ACTIVE else []
    by = "a.last_post_at DESC, a.id DESC" if order is Order.ACTIVE else "a.id DESC"
    sql = f"{_LISTED} {' '.join(f'AND {one}' for one in where)} ORDER BY {by} LIMIT $2 OFFSET $3"
    return await db.column(sql, viewer.id if viewer else 0, limit, offset)


async def familiar_followers(viewer: Account, account_ids: Sequence[int]) -> dict[int, list[int]]:
    """For each of these accounts those of its followers whom the viewer follows, in one statement.

    Nothing of accounts that hide who follows them, and of followers that hide whom they follow.
    """
    found: dict[int, list[int]] = {number: [] for number in account_ids}
    for line in await db.rows(_familiar_sql(), viewer.id, db.array(list(found))) if found else ():
        found[line["target_id"]].append(line["follower_id"])
    return found


def _familiar_sql() -> str:
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    return f"""
SELECT target_id, follower_id FROM (
    SELECT t.id AS target_id, a.id AS follower_id,
      row_number() OVER (PARTITION BY t.id ORDER BY m.id DESC) AS place
    FROM {db.unnest("$2")} {join} account t ON t.id = given.id AND NOT t.hide_collections
      AND t.suspended_at IS NULL AND t.deleted_at IS NULL
    {join} follow m ON m.follower_id = $1
    {join} follow f ON f.follower_id = m.target_id AND f.target_id = t.id
    {join} account a ON a.id = f.follower_id AND NOT a.hide_collections
      AND a.suspended_at IS NULL AND a.deleted_at IS NULL
    WHERE (SELECT 1 FROM hidden h WHERE h.account_id = $1 AND h.target_id = a.id) IS NULL
      AND (SELECT 1 FROM block b WHERE b.account_id = t.id AND b.target_id = $1) IS NULL
) x WHERE place <= {_FAMILIAR} ORDER BY target_id, place"""


_LISTED = """
SELECT a.id FROM account a WHERE a.discoverable AND a.moved_to_id IS NULL
AND a.silenced_at IS NULL AND a.suspended_at IS NULL AND a.deleted_at IS NULL
AND (SELECT 1 FROM hidden h WHERE h.account_id = $1 AND h.target_id = a.id) IS NULL
"""
