"""Lists: some of those whom somebody follows, gathered under a title to be read apart.

Only their owner knows of them. Whoever is not followed any more is on none (follows.py sees to that).
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from fediblog import db, ids
from fediblog.errors import Invalid, NotFound
from fediblog.models import Account
from fediblog.paging import Page
from fediblog.services import locks, people, titles
from fediblog.services.people import People, Relation


class Replies(StrEnum):
    """Which replies of its members a list shows: to all whom the reader follows, to members, or to nobody.

    Those to oneself and to the reader are always there.
    """

    FOLLOWED = "followed"
    LIST = "list"
    NONE = "none"


class AccountList(NamedTuple):
    """A list. What the members of an `exclusive` one write is not on home."""

    id: int
    title: str
    replies: Replies
    exclusive: bool


MEMBERS = Relation("list_member", "list_id", "account_id")
MOST_LISTS = 50
# Reading goes member by member (TIMELINES §1, "top"), so this bounds what a page costs.
MOST_MEMBERS = 1_000


async def listing(account: Account) -> list[AccountList]:
    """All lists of an account, the oldest first."""
    return [_list(line) for line in await db.rows(f"{_SELECT} WHERE account_id = $1 ORDER BY id", account.id)]


async def get(account: Account, list_id: int) -> AccountList:
    """A list of one's own. Raises NotFound for any other."""
    found = await db.row(f"{_SELECT} WHERE id = $1 AND account_id = $2", list_id, account.id)
    if found is None:
        raise NotFound
    return _list(found)


async def create(
    account: Account, title: str, replies: str = Replies.LIST, exclusive: bool = False
) -> AccountList:
    """Make an empty list. Raises Invalid without a good title, for an unknown policy and for one too many."""
    made = AccountList(ids.new(), titles.checked(title, "list"), _replies(replies), exclusive)
    async with db.transaction():
        await locks.hold(f"lists:{account.id}")
        if await db.value("SELECT count(*) FROM list WHERE account_id = $1", account.id) >= MOST_LISTS:
            raise Invalid(f"You can have at most {MOST_LISTS} lists.")
        await db.execute(_INSERT, made.id, account.id, made.title, made.replies.value, made.exclusive)
    return made


async def edit(
    account: Account,
    list_id: int,
    title: str | None = None,
    replies: str | None = None,
    exclusive: bool | None = None,
) -> AccountList:
    """Change a list; None keeps what is. Raises NotFound, and Invalid as `create`."""
    title = None if title is None else titles.checked(title, "list")
    policy = None if replies is None else _replies(replies).value
    async with db.transaction():
        found = await db.row(_UPDATE, list_id, account.id, title, policy, exclusive)
    if found is None:
        raise NotFound
    return _list(found)


async def delete(account: Account, list_id: int) -> None:
    """Take a list away; its members stay followed. Raises NotFound."""
    async with db.transaction():
        if await db.value(_DELETE, list_id, account.id) is None:
            raise NotFound


# ------------------------------------------------------------------------------------------------ members


async def members(account: Account, list_id: int, page: Page) -> People:
    """Who is on a list, the last one added first. Raises NotFound for a list that is not one's own."""
    found = await get(account, list_id)
    return await people.listed(MEMBERS, found.id, page)


async def holding(account: Account, member_id: int) -> list[AccountList]:
    """The lists of an account that somebody is on, the oldest first."""
    return [_list(line) for line in await db.rows(_HOLDING, account.id, member_id)]


async def add(account: Account, list_id: int, account_ids: Sequence[int]) -> None:
    """Put people on a list, all of them or nobody; adding twice is the same as once.

    Raises NotFound for a list that is not one's own and for who is not followed (oneself may be on it),
    Invalid when the list would become too long.
    """
    wanted = sorted(set(account_ids))
    async with db.transaction():
        await get(account, list_id)
        await locks.hold(f"list:{list_id}")
        followed = await db.column(_followed(), account.id, db.array(wanted))
        if set(wanted) - {account.id} != set(followed):
            raise NotFound("You can add only people whom you follow.")
        await db.execute(_add(), list_id, db.array(wanted), ids.new())
        if await db.value("SELECT count(*) FROM list_member WHERE list_id = $1", list_id) > MOST_MEMBERS:
            raise Invalid(f"A list can have at most {MOST_MEMBERS} members.")


async def remove(account: Account, list_id: int, account_ids: Sequence[int]) -> None:
    """Take people off a list; who is not on it: nothing. Raises NotFound for a list that is not one's own."""
    async with db.transaction():
        await get(account, list_id)
        given = f"SELECT given.id FROM {db.unnest('$2')}"
        await db.execute(
            f"DELETE FROM list_member WHERE list_id = $1 AND account_id IN ({given})",
            list_id,
            db.array(account_ids),
        )


async def let_go(owner_id: int, member_id: int) -> None:
    """Take somebody off all lists of an account, inside the transaction that ends the follow."""
    await db.execute(_LET_GO, owner_id, member_id)


def kept_apart(reader: str, author: str) -> str:
    """SQL: a row when an exclusive list keeps the author off the reader's home, otherwise none.

    One's own posts stay there, whichever list one is on. It begins with the reader's lists, which are few,
    and not with those that the author is on.
    """
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    return (
        f"(SELECT 1 FROM list l {join} list_member m ON m.list_id = l.id AND m.account_id = {author}"
        f" WHERE l.account_id = {reader} AND l.exclusive AND m.account_id <> {reader} LIMIT 1)"
    )


# -------------------------------------------------------------------------------------------------- steps


def _replies(word: str) -> Replies:
    if word not in list(Replies):
        raise Invalid(
            "Replies are shown to followed ones, to those on the list, or to none.", "replies_policy"
        )
    return Replies(word)


def _list(line: db.Row) -> AccountList:
    return AccountList(line["id"], line["title"], Replies(line["replies_policy"]), bool(line["exclusive"]))


def _followed() -> str:
    """Which of the accounts `$2` the account `$1` follows; these follows stay until the transaction ends."""
    return (
        f"SELECT f.target_id FROM {db.unnest('$2')} JOIN follow f ON f.follower_id = $1"
        f" AND f.target_id = given.id {locks.keeping('f')}"
    )


def _add() -> str:
    return (
        "INSERT INTO list_member (list_id, account_id, id)"
        " SELECT CAST($1 AS BIGINT), given.id, $3 + row_number() OVER (ORDER BY given.id)"
        f" FROM {db.unnest('$2')} WHERE TRUE ON CONFLICT DO NOTHING"
    )


_COLUMNS = "id, title, replies_policy, exclusive"
_SELECT = f"SELECT {_COLUMNS} FROM list"
_INSERT = "INSERT INTO list (id, account_id, title, replies_policy, exclusive) VALUES ($1, $2, $3, $4, $5)"
_UPDATE = f"""
UPDATE list SET title = COALESCE($3, title), replies_policy = COALESCE($4, replies_policy),
    exclusive = COALESCE($5, exclusive)
WHERE id = $1 AND account_id = $2 RETURNING {_COLUMNS}
"""
_DELETE = "DELETE FROM list WHERE id = $1 AND account_id = $2 RETURNING id"
_HOLDING = """
SELECT l.id, l.title, l.replies_policy, l.exclusive FROM list l
JOIN list_member m ON m.list_id = l.id AND m.account_id = $2
WHERE l.account_id = $1 ORDER BY l.id
"""
_LET_GO = """
DELETE FROM list_member WHERE account_id = $2 AND list_id IN (SELECT l.id FROM list l WHERE l.account_id = $1)
"""
