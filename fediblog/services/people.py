"""Pages of accounts: followers, blocked ones, those who like a post. Each is one statement."""

from typing import NamedTuple

from fediblog import db
from fediblog.models import Account
from fediblog.paging import Page


class People(NamedTuple):
    """Accounts by id, newest relation first, and the ids of the relation rows to page by."""

    ids: list[int]
    cursors: list[int]


class Relation(NamedTuple):
    """A table with a row for each relation: who or what the list belongs to, and who is listed."""

    table: str
    owner: str
    listed: str


NOBODY = People([], [])


async def listed(
    relation: Relation, owner: int, page: Page, viewer: Account | None = None, *where: str
) -> People:
    """A page of those who stand in a relation to `owner`.

    Leaves out who is suspended or deleted, and for a `viewer` everybody who is hidden from them (muted, or
    blocked either way), as the peers do. Further conditions know the row as `r`, the owner as `$3` and the
    viewer, if one is given, as `$4`.
    """
    found = await db.rows(
        statement(relation, page, viewer is not None, *where),
        *(page.before, page.after, owner),
        *([viewer.id] if viewer else []),
    )
    found = sorted(found[: page.limit], key=lambda line: -line["cursor"])
    return People([line["id"] for line in found], [line["cursor"] for line in found])


def statement(relation: Relation, page: Page, viewed: bool, *where: str) -> str:
    """The statement of a list; public so that tests can look at its plan."""
    who = f"r.{relation.listed}"
    # SQLite takes the tables in the order written; PostgreSQL finds it alone (TIMELINES §2.1).
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    hidden = f"(SELECT 1 FROM hidden h WHERE h.account_id = $4 AND h.target_id = {who}) IS NULL"
    conditions = [
        f"r.{relation.owner} = $3 AND r.id < $1 AND r.id > $2",
        "a.suspended_at IS NULL AND a.deleted_at IS NULL",
        *([hidden] if viewed else []),
        *where,
    ]
    return (
        f"SELECT {who} AS id, r.id AS cursor FROM {relation.table} r {join} account a ON a.id = {who}"
        f" WHERE {' AND '.join(conditions)} ORDER BY r.id {page.order} LIMIT {page.rows}"
    )
