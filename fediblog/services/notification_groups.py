"""Notices told together: likes and boosts of one post, and follows, within an hour each.

A group stands where its newest notice stands, and nowhere else: going down, nobody meets it twice.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fediblog import db
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.paging import BIGGEST, Page
from fediblog.services import notifications
from fediblog.services.notifications import GROUPING, Choice, Kind, Notice
from fediblog.services.people import People

MOST_SAMPLED = 8
_ALONE = "ungrouped-"


class Group(NamedTuple):
    """The newest notice, how many there are, the ids of the newest senders, and the oldest id on the page."""

    key: str
    newest: Notice
    total: int
    from_ids: list[int]
    lowest_id: int


async def listing(
    account: Account, page: Page, choice: Choice, grouping: Iterable[Kind] = GROUPING
) -> list[Group]:
    """A page of groups, newest first. Kinds that are not to be grouped stand alone. Two statements."""
    if not choice.kinds:
        return []
    found = await db.rows(
        statement(page, choice, grouping),
        account.id,
        page.before,
        page.after,
        *notifications.values_of(choice),
    )
    return await _filled(account, notifications.notices(found[: page.limit]), choice, grouping, page.after)


async def get(account: Account, key: str) -> Group:
    """One group. Raises NotFound when there is no such, or nothing of it may be shown."""
    if number := _alone(key):
        return _single(await notifications.get(account, number))
    heads = await _of(account, key, Page(1))
    if not heads:
        raise NotFound
    return (await _filled(account, heads, Choice(), GROUPING, 0))[0]


async def senders(account: Account, key: str, page: Page) -> People:
    """Who did it, newest first; pages go by the ids of the notices. Raises NotFound as `get` does."""
    await get(account, key)
    if number := _alone(key):
        found = [await notifications.get(account, number)] if page.after < number < page.before else []
    else:
        found = await _of(account, key, page)
    return People([notice.from_id for notice in found], [notice.id for notice in found])


async def dismiss(account: Account, key: str) -> None:
    """Throw a whole group away. One that is not there is thrown away already."""
    number = _alone(key)
    what, value = ("id = $2", number) if number else ("group_key = $2 AND filtered = FALSE", key)
    async with db.transaction():
        await db.execute(f"DELETE FROM notification WHERE account_id = $1 AND {what}", account.id, value)


async def unread(account: Account, most: int, choice: Choice, grouping: Iterable[Kind] = GROUPING) -> int:
    """How many groups have something newer than the marker; counts no further than `most`."""
    if not choice.kinds:
        return 0
    return await notifications.count_since_marker(account, most, choice, _is_newest(choice, grouping))


def key_of(notice: Notice, grouping: Iterable[Kind] = GROUPING) -> str:
    """The name of the group of a notice; those that stand alone have one, too."""
    return notice.group_key if notice.group_key and notice.kind in grouping else f"{_ALONE}{notice.id}"


def statement(page: Page, choice: Choice, grouping: Iterable[Kind] = GROUPING) -> str:
    """The statement of a list; public so that tests can look at its plan."""
    conditions = (_is_newest(choice, grouping), *notifications.sender(choice, "$4"))
    return notifications.select("$3", f"{page.order} LIMIT {page.rows}", choice, *conditions)


def _is_newest(choice: Choice, grouping: Iterable[Kind]) -> str:
    """SQL: no newer notice of the same group is to be shown. All of a group are of one kind and one post."""
    kinds = ", ".join(f"'{kind.value}'" for kind in sorted(set(grouping) & GROUPING))
    if not kinds:
        return "1 = 1"
    newer = f"SELECT 1 {_members(choice)} AND o.group_key = n.group_key AND o.id > n.id LIMIT 1"
    return f"(n.group_key IS NULL OR n.kind NOT IN ({kinds}) OR ({newer}) IS NULL)"


def _members(choice: Choice, source: str = "notification o") -> str:
    """SQL: notices `o` of `$1` that are to be shown. That their post may be seen was asked for `n`."""
    listed = "" if choice.held else " AND o.filtered = FALSE"
    only = " AND o.from_id = n.from_id" if choice.from_id is not None else ""
    return (
        f"FROM {source} JOIN account q ON q.id = o.from_id WHERE o.account_id = $1"
        f"{listed}{only} AND q.suspended_at IS NULL AND q.deleted_at IS NULL AND {notifications.audible('o')}"
    )


async def _of(account: Account, key: str, page: Page) -> list[Notice]:
    sql = notifications.select("$3", f"{page.order} LIMIT {page.rows}", Choice(GROUPING), "n.group_key = $4")
    found = await db.rows(sql, account.id, page.before, page.after, key)
    return notifications.notices(found[: page.limit])


async def _filled(
    account: Account, heads: Sequence[Notice], choice: Choice, grouping: Iterable[Kind], after: int
) -> list[Group]:
    """Count the groups that these stand for, and name the newest of those in them. One statement."""
    grouping = set(grouping) & GROUPING
    together = [head.id for head in heads if head.group_key and head.kind in grouping]
    if not together:
        return [_single(head) for head in heads]
    found: dict[int, list[db.Row]] = {}
    for line in await db.rows(_filled_sql(choice), account.id, db.array(together), after):
        found.setdefault(line["head"], []).append(line)
    return [_group(head, found[head.id]) if head.id in found else _single(head) for head in heads]


def _group(head: Notice, lines: Sequence[db.Row]) -> Group:
    first, from_ids = lines[0], [line["from_id"] for line in lines]
    return Group(key_of(head), head, first["total"], from_ids, first["lowest"] or head.id)


def _filled_sql(choice: Choice) -> str:
    source = (
        f"{db.unnest('$2')} JOIN notification n ON n.id = given.id"
        " JOIN notification o ON o.group_key = n.group_key"
    )
    return f"""
SELECT head, from_id, total, lowest FROM (
  SELECT n.id AS head, o.from_id AS from_id, count(*) OVER (PARTITION BY n.id) AS total,
    min(CASE WHEN o.id > $3 THEN o.id END) OVER (PARTITION BY n.id) AS lowest,
    row_number() OVER (PARTITION BY n.id ORDER BY o.id DESC) AS place
  {_members(choice, source)}
) AS m WHERE place <= {MOST_SAMPLED} ORDER BY head, place"""


def _single(notice: Notice) -> Group:
    return Group(f"{_ALONE}{notice.id}", notice, 1, [notice.from_id], notice.id)


def _alone(key: str) -> int | None:
    """The id in the name of a notice that stands alone."""
    number = key.removeprefix(_ALONE)
    is_number = key.startswith(_ALONE) and number.isascii() and number.isdigit() and len(number) <= 19
    return int(number) if is_number and int(number) < BIGGEST else None
