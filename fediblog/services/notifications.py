"""Notifications: what others did that somebody wants to hear of.

`tell` is the only way to write one. Who is not to be heard is asked twice, when it is told and again when it
is read, by one rule (hearing.py): a block or a mute that comes later hides what was told before. What the
policy of the receiver holds back is told apart from the list: it waits as a request of its sender.
"""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from fediblog import db, ids, moments
from fediblog.errors import NotFound
from fediblog.models import Account
from fediblog.paging import BIGGEST, Page
from fediblog.services import (
    hearing,
    mail,
    markers,
    notification_policy,
    notification_requests,
    push,
    streams,
    visibility,
)

_BATCH = 500


class Kind(StrEnum):
    """What happened. Doors have their own words for some (CLIENT-API §3.14)."""

    MENTION = "mention"
    STATUS = "post"  # Somebody followed with `notify` has published.
    BOOST = "boost"
    LIKE = "like"
    FOLLOW = "follow"
    FOLLOW_REQUEST = "follow_request"
    POLL = "poll"
    EDIT = "edit"
    QUOTE = "quote"
    QUOTED_EDIT = "quoted_edit"  # A post that one has quoted says something else; it is about one's own.
    ADMIN_SIGN_UP = "admin.sign_up"
    ADMIN_REPORT = "admin.report"


# What strangers can do to somebody. The rest comes of what one has done oneself, or to moderators.
_OF_STRANGERS = {
    *(Kind.MENTION, Kind.STATUS, Kind.BOOST, Kind.LIKE, Kind.QUOTE, Kind.FOLLOW, Kind.FOLLOW_REQUEST),
}
GROUPING = frozenset({Kind.LIKE, Kind.BOOST, Kind.FOLLOW})


class Notice(NamedTuple):
    """A notification as it is read. `group_key` is for those that are told together with others."""

    id: int
    kind: Kind
    from_id: int
    post_id: int | None
    created_at: int
    group_key: str | None = None


class Group(NamedTuple):
    """Notices that are told in one line, newest first: likes or boosts of one post, or follows."""

    kind: Kind
    post_id: int | None
    from_ids: list[int]
    ids: list[int]
    created_at: int


class Grouped(NamedTuple):
    """A page of groups, and the ids of all notices in it for the links to its neighbours."""

    groups: list[Group]
    cursors: list[int]


# ---------------------------------------------------------------------------------------------- telling


async def tell(kind: Kind, account_id: int, from_: Account, post_id: int | None = None) -> None:
    """Tell somebody what `from_` did, inside the transaction in which it happened.

    Nothing is told to accounts elsewhere, to oneself (but of one's own poll that has ended), to who blocks,
    is blocked by or does not want to hear of `from_`, has muted the conversation, or may not see the post.
    The same thing is told once. Of what strangers do, the receiver's policy may hold some back.
    """
    await tell_all(kind, [account_id], from_, post_id)


async def tell_all(
    kind: Kind, account_ids: Sequence[int], from_: Account, post_id: int | None = None
) -> None:
    """Tell several at once, in one statement for each 500 of them: for one transaction that is a lot."""
    for start in range(0, len(account_ids), _BATCH):
        await _tell(kind, account_ids[start : start + _BATCH], from_, post_id)


async def _tell(kind: Kind, account_ids: Sequence[int], from_: Account, post_id: int | None) -> None:
    key = _key(kind, from_.id, post_id)
    if kind in (Kind.EDIT, Kind.QUOTED_EDIT, Kind.ADMIN_REPORT):
        # Each edit and each report is news: what was told of the one before makes room for it.
        await db.execute(_DELETE_ALL.format(given=db.unnest("$1")), db.array(account_ids), key)
    fresh, now = db.array([ids.new() for _ in account_ids]), moments.now()
    values: list[Any] = [fresh, db.array(account_ids), kind.value, from_.id, key, now]
    sql = _tell_sql(kind, post_id is not None)
    told = await db.rows(sql, *values, post_id, _group_key_of(kind, post_id, now))
    if held := [line["id"] for line in told if line["filtered"]]:
        await notification_requests.note(held)
    heard = [line for line in told if not line["filtered"]]
    streams.notified(heard)
    if waking := [(line["id"], line["account_id"]) for line in heard if line["wakes"]]:
        await push.owe(kind.value, waking)
    if kind is Kind.MENTION:
        # In one order, so that two posts that name the same people do not wait crosswise for their mails.
        for line in sorted(heard, key=lambda line: line["account_id"]):
            await mail.mentioned(line["id"], line["account_id"])


async def take_back(kind: Kind, account_id: int, from_id: int, post_id: int | None = None) -> None:
    """Unsay something, inside the transaction that undid it."""
    key = _key(kind, from_id, post_id)
    await db.execute("DELETE FROM notification WHERE account_id = $1 AND key = $2", account_id, key)


def _key(kind: Kind, from_id: int, post_id: int | None) -> str:
    return f"{kind.value}:{from_id}:{post_id or 0}"


def _group_key_of(kind: Kind, post_id: int | None, now: int) -> str | None:
    """What happens to one post within an hour, or to one's followers, is told together."""
    if kind not in GROUPING:
        return None
    return "-".join(str(part) for part in (kind.value, post_id, now // moments.HOUR) if part is not None)


def _tell_sql(kind: Kind, about_post: bool) -> str:
    """Insert for those of `$2` who want to hear it, with the ids `$1`. `$4` is who did it, `$7` the post."""
    where = ["a.local AND a.suspended_at IS NULL AND a.deleted_at IS NULL"]
    if kind in _OF_STRANGERS:
        where.append(hearing.peace("a.id", "$4"))
        verdict = notification_policy.verdict("a.id", "$4", "CAST($6 AS BIGINT)", kind is Kind.MENTION)
    else:
        where.append(hearing.clause("a.id", "$4"))
        verdict = "0"
    if kind is not Kind.POLL:
        where.append("a.id <> $4")
    if about_post:
        muted = "SELECT 1 FROM thread_mute t WHERE t.account_id = a.id AND t.thread_id = p.thread_id"
        where += [f"NOT EXISTS ({muted})", visibility.clause("a.id")]
    return f"""
INSERT INTO notification (id, account_id, kind, from_id, post_id, key, created_at, group_key, filtered)
SELECT v.id, v.account_id, CAST($3 AS TEXT), CAST($4 AS BIGINT), CAST($7 AS BIGINT), CAST($5 AS TEXT),
  CAST($6 AS BIGINT), CAST($8 AS TEXT), v.verdict = {notification_policy.HELD}
FROM (
  SELECT given.id, a.id AS account_id, {verdict} AS verdict FROM {_pairs()}
  JOIN account a ON a.id = given.account_id {"JOIN post p ON p.id = $7" if about_post else ""}
  WHERE {" AND ".join(where)}
) AS v WHERE v.verdict < {notification_policy.DROPPED}
ON CONFLICT (account_id, key) DO NOTHING RETURNING id, account_id, filtered, {_WAKES} AS wakes"""


# Whether a device wants to be woken: asked in the same breath, since most have none.
_WAKES = "EXISTS (SELECT 1 FROM push_subscription w WHERE w.account_id = notification.account_id)"


def _pairs() -> str:
    """A table `given(id, account_id)` from the arrays `$1` and `$2`."""
    if db.dialect() == "postgres":
        return "unnest($1::bigint[], $2::bigint[]) AS given(id, account_id)"
    return (
        "(SELECT i.value AS id, r.value AS account_id"
        " FROM json_each($1) i JOIN json_each($2) r ON r.key = i.key) AS given"
    )


_DELETE_ALL = """
DELETE FROM notification WHERE key = $2 AND account_id IN (SELECT id FROM {given})
"""


# ---------------------------------------------------------------------------------------------- reading


class Choice(NamedTuple):
    """Which notices are wanted: the kinds, from whom (all when None), and whether with those held back."""

    kinds: frozenset[Kind] = frozenset(Kind)
    from_id: int | None = None
    held: bool = False


EVERYTHING = Choice()


async def listing(
    account: Account, page: Page, kinds: Collection[Kind] | None = None, without: Collection[Kind] = ()
) -> list[Notice]:
    """A page of notices, newest first: of these kinds (all when None) but not of those. One statement.

    The posts in it may be shown to the account: that has been asked.
    """
    wanted = (kind for kind in (Kind if kinds is None else kinds) if kind not in without)
    return await chosen(account, page, Choice(frozenset(wanted)))


async def chosen(account: Account, page: Page, choice: Choice) -> list[Notice]:
    """The same of what was chosen."""
    if not choice.kinds:
        return []
    sql = select("$3", f"{page.order} LIMIT {page.rows}", choice, *sender(choice, "$4"))
    found = await db.rows(sql, account.id, page.before, page.after, *values_of(choice))
    return notices(found[: page.limit])


def notices(found: Iterable[db.Row]) -> list[Notice]:
    """The rows of `select`, newest first."""
    lines = sorted(found, key=lambda line: -line["id"])
    return [Notice(**{**line, "kind": Kind(line["kind"])}) for line in lines]


async def grouped(account: Account, page: Page, kinds: Collection[Kind] | None = None) -> Grouped:
    """The same page with likes and boosts of one post, and follows, told together."""
    return together(await listing(account, page, kinds))


def together(notices: Sequence[Notice]) -> Grouped:
    """Notices of a page as groups."""
    groups: dict[tuple[object, ...], Group] = {}
    for notice in notices:
        group = groups.setdefault(
            _group_key(notice), Group(notice.kind, notice.post_id, [], [], notice.created_at)
        )
        group.ids.append(notice.id)
        if notice.from_id not in group.from_ids:
            group.from_ids.append(notice.from_id)
    return Grouped(list(groups.values()), [notice.id for notice in notices])


async def get(account: Account, notification_id: int) -> Notice:
    """One's own notice. Raises NotFound when it is not there, or is hidden now."""
    page = Page(1, max_id=notification_id + 1, since_id=notification_id - 1)
    found = await chosen(account, page, Choice(held=True))
    if not found:
        raise NotFound
    return found[0]


async def dismiss(account: Account, notification_id: int) -> None:
    """Throw a notice away. Raises NotFound when it is not there."""
    async with db.transaction():
        gone = await db.value(
            "DELETE FROM notification WHERE id = $1 AND account_id = $2 RETURNING id",
            *(notification_id, account.id),
        )
    if gone is None:
        raise NotFound


async def clear(account: Account) -> None:
    """Throw away all that is in the list. What is held back is not in it."""
    async with db.transaction():
        await db.execute("DELETE FROM notification WHERE account_id = $1 AND filtered = FALSE", account.id)


async def unread(account: Account, most: int = 100, choice: Choice = EVERYTHING) -> int:
    """How many came since the marker; counts no further than `most`."""
    return await count_since_marker(account, most, choice) if choice.kinds else 0


async def count_since_marker(account: Account, most: int, choice: Choice, *conditions: str) -> int:
    """The same of those that fulfil more conditions, which know the notice as `n`."""
    marker = "SELECT m.last_read_id FROM marker m WHERE m.account_id = $1 AND m.timeline = $3"
    conditions += sender(choice, "$4")
    newer = select(f"COALESCE(({marker}), 0)", f"DESC LIMIT {int(most)}", choice, *conditions)
    sql = f"SELECT count(*) FROM ({newer}) AS newer"
    found: int = await db.value(sql, account.id, BIGGEST, markers.NOTIFICATIONS, *values_of(choice))
    return found


async def mark_read(account: Account, last_id: int) -> None:
    """Note that everything up to this notice has been seen."""
    await markers.set(account, markers.NOTIFICATIONS, last_id)


def statement(page: Page, kinds: Iterable[Kind] = tuple(Kind)) -> str:
    """The statement of a list; public so that tests can look at its plan."""
    return select("$3", f"{page.order} LIMIT {page.rows}", Choice(frozenset(kinds)))


def select(after: str, end: str, choice: Choice, *conditions: str) -> str:
    """SQL: notices of `$1` below `$2` and above `after` that may be shown. `end` is direction and limit.

    With those held back it is two walks of one index, merged: so nothing has to be sorted but two pages.
    """
    listed = _walk(after, end, choice, "FALSE", *conditions)
    if not choice.held:
        return listed
    held = _walk(after, end, choice, "TRUE", *conditions)
    return (
        f"SELECT * FROM (SELECT * FROM ({listed}) AS l UNION ALL SELECT * FROM ({held}) AS h) AS n"
        f" ORDER BY n.id {end}"
    )


def sender(choice: Choice, parameter: str) -> tuple[str, ...]:
    """The condition for who is chosen; `values_of` gives the parameter."""
    return (f"n.from_id = {parameter}",) if choice.from_id is not None else ()


def values_of(choice: Choice) -> tuple[int, ...]:
    """The values that `sender` needs."""
    return (choice.from_id,) if choice.from_id is not None else ()


def audible(alias: str) -> str:
    """SQL: `$1` wants to hear of this notice. What is held back is asked for knowingly, of whomever."""
    who = f"{alias}.from_id"
    return f"{hearing.peace('$1', who)} AND ({alias}.filtered OR {hearing.unlimited('$1', who)})"


def _walk(after: str, end: str, choice: Choice, filtered: str, *conditions: str) -> str:
    # SQLite must not reorder the tables (TIMELINES §2.1); PostgreSQL finds the order alone.
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    may_see = visibility.clause("$1")
    return f"""
SELECT n.id, n.kind, n.from_id, n.post_id, n.created_at, n.group_key
FROM notification n {join} account a ON a.id = n.from_id LEFT JOIN post p ON p.id = n.post_id
WHERE {" AND ".join(("n.account_id = $1", f"n.filtered = {filtered}", *conditions))}
  AND n.id < $2 AND n.id > {after} AND {_of(set(choice.kinds))}
  AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND {audible("n")}
  AND (n.post_id IS NULL OR ({may_see}))
ORDER BY n.id {end}"""


def _of(kinds: set[Kind]) -> str:
    """One kind has an index of its own. Of several the others are left out on the way down."""
    if len(kinds) == 1:
        return f"n.kind = '{kinds.pop().value}'"
    others = ", ".join(f"'{kind.value}'" for kind in Kind if kind not in kinds)
    return f"n.kind NOT IN ({others})" if others else "1 = 1"


def _group_key(notice: Notice) -> tuple[object, ...]:
    match notice.kind:
        case Kind.LIKE | Kind.BOOST:
            return notice.kind, notice.post_id
        case Kind.FOLLOW:
            return (notice.kind,)
        case _:
            return notice.kind, notice.id, "alone"
