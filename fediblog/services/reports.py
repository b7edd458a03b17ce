"""Reports: what somebody wants the staff to look at. Those of other servers come as Flag (FEDERATION §5).

Who reported stays with the staff here: nobody else is told, and another server hears of a report from the
server itself. What is written down of what the staff does with them stands in the audit log.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from fediblog import db, ids, moments, text
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.models import Account, Role, User, Visibility
from fediblog.paging import BIGGEST, Page
from fediblog.services import audit, domains, events, members, notifications, settings, throttle, visibility
from fediblog.services.events import Event
from fediblog.services.notifications import Kind

LONGEST_COMMENT = 1000
_MOST_POSTS = 100
# By one person. Each is read by people.
_MOST, _WITHIN = 30, 3600


class Category(StrEnum):
    """What it is about."""

    SPAM = "spam"
    LEGAL = "legal"
    VIOLATION = "violation"  # Of rules of this server.
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Complaint:
    """A report as somebody fills it in. Without a category the rules that are named say what it is about."""

    comment: str = ""
    category: str = ""
    post_ids: Sequence[int] = ()
    rule_ids: Sequence[int] = ()
    forward: bool = False  # Also to the staff of the server where the reported one lives.


@dataclass(frozen=True, slots=True)
class Report:
    """A report as it is kept."""

    id: int
    account_id: int
    target_id: int
    category: Category
    comment: str
    post_ids: tuple[int, ...]
    rule_ids: tuple[int, ...]
    forwarded: bool
    assigned_to_id: int | None
    resolved_by_id: int | None
    resolved_at: int | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Which reports are wanted; None is any."""

    resolved: bool | None = False
    reporter_id: int | None = None
    target_id: int | None = None


# -------------------------------------------------------------------------------------------------- filing


async def file(reporter: Account, target: Account, complaint: Complaint) -> Report:
    """Report somebody to the staff. Of the posts those count that are the target's and shown to the reporter.

    Raises Invalid with every fault, and TooMany.
    """
    complaint = await _checked(reporter, target, complaint)
    await throttle.hit(throttle.bucket("reports by", str(reporter.id)), _MOST, _WITHIN)
    posts = await db.rows(
        _SHOWN.format(given=db.unnest("$2")), reporter.id, db.array(complaint.post_ids), target.id
    )
    post_ids = [line["id"] for line in posts]
    forward = complaint.forward and not target.local and not (await domains.policy_of(target)).refused
    async with db.transaction():
        number = await _insert(reporter.id, target.id, complaint, post_ids, forward)
        assert number is not None  # Only names clash, and it has none.
        if forward:
            await _pass_on(target, complaint.comment, posts)
        await _tell(reporter, [target.id])
    return await _read(number)


async def receive(reporter: Account, about: Collection[str], comment: str, uri: str | None) -> int:
    """Take in a report from elsewhere about accounts and posts here, by their addresses; tell the staff.

    Gives the number of accounts that it is about: each gets a report of its own. `uri` is the report's name;
    twice under the same name is the same as once.
    """
    posts = await _reported(reporter, about)
    complaint = Complaint(comment, Category.OTHER)
    async with db.transaction():
        fresh = []
        for number in sorted(posts):
            name = None if uri is None else f"{uri}#{number}"
            if await _insert(reporter.id, number, complaint, posts[number], name=name) is not None:
                fresh.append(number)
        if fresh:
            await _tell(reporter, fresh)
    return len(posts)


async def of_notices(notice_ids: Sequence[int]) -> dict[int, Report]:
    """What the staff was told of: the reports by the id of the notice. One statement."""
    lines = await db.rows(_OF_NOTICES.format(given=db.unnest("$1")), db.array(notice_ids))
    return {line.pop("notice_id"): _report(line) for line in lines}


# ----------------------------------------------------------------------------------------- what staff does


async def listing(by: User | None, page: Page, choice: Choice) -> list[Report]:
    """A page of reports, newest first. Raises Forbidden for who is not on the staff.

    `by` is None on the command line; so with the verbs below. A moderator does not see what is about herself.
    """
    _require_staff(by)
    conditions, values = _conditions(choice, by)
    sql = f"{_SELECT} r WHERE id < $1 AND id > $2{conditions} ORDER BY id {page.order} LIMIT {page.rows}"
    found = (await db.rows(sql, page.before, page.after, *values))[: page.limit]
    return sorted(map(_report, found), key=lambda report: -report.id)


async def get(by: User | None, report_id: int) -> Report:
    """One report. Raises Forbidden, NotFound."""
    _require_staff(by)
    found = await listing(by, Page(1, min(report_id + 1, BIGGEST), report_id - 1), Choice(resolved=None))
    if not found:
        raise NotFound
    return found[0]


async def update(
    by: User | None, report_id: int, category: str | None, rule_ids: Sequence[int] | None
) -> Report:
    """Say what it is really about; None leaves it as it is. Raises Invalid as `file` does, and as `get`."""
    report = await get(by, report_id)
    kind = _category(category, report.rule_ids) if category else report.category
    rules = await _known_rules(report.rule_ids if rule_ids is None else rule_ids, kind)
    columns = {"category": kind.value, "rule_ids": db.json(rules)}
    return await _change(by, report, "report.update", columns)


async def assign(by: User, report_id: int) -> Report:
    """Look after it oneself."""
    return await _change(by, await get(by, report_id), "report.assign", {"assigned_to_id": by.id})


async def unassign(by: User, report_id: int) -> Report:
    """Nobody looks after it any more."""
    return await _change(by, await get(by, report_id), "report.unassign", {"assigned_to_id": None})


async def resolve(by: User | None, report_id: int) -> Report:
    """It is dealt with."""
    report = await get(by, report_id)
    columns = {"resolved_at": moments.now(), "resolved_by_id": by.id if by else None}
    return await _change(by, report, "report.resolve", columns)


async def reopen(by: User | None, report_id: int) -> Report:
    """It is not, after all."""
    columns = {"resolved_at": None, "resolved_by_id": None}
    return await _change(by, await get(by, report_id), "report.reopen", columns)


# ------------------------------------------------------------------------------------------------- helpers


async def _checked(reporter: Account, target: Account, complaint: Complaint) -> Complaint:
    comment = text.tidy_block(complaint.comment)
    faults = {}
    if reporter.id == target.id:
        faults["account_id"] = "You cannot report yourself."
    if len(comment) > LONGEST_COMMENT:
        faults["comment"] = f"Please say it in {LONGEST_COMMENT} characters."
    if len(complaint.post_ids) > _MOST_POSTS:
        faults["status_ids"] = f"A report can have {_MOST_POSTS} posts at most."
    if faults:
        raise Invalid(fields=faults)
    category = _category(complaint.category, complaint.rule_ids)
    rules = await _known_rules(complaint.rule_ids, category)
    return Complaint(comment, category, tuple(set(complaint.post_ids)), rules, complaint.forward)


def _category(word: str, rule_ids: Sequence[int]) -> Category:
    if not word:
        return Category.VIOLATION if rule_ids else Category.OTHER
    if word not in set(Category):
        raise Invalid("Choose what the report is about.", field="category")
    return Category(word)


async def _known_rules(rule_ids: Sequence[int], category: Category) -> tuple[int, ...]:
    """The rules of this server that are broken; a report about anything else is about none."""
    if category is not Category.VIOLATION:
        return ()
    if not set(rule_ids) <= {rule.id for rule in await settings.rules()}:
        raise Invalid("There is no such rule.", field="rule_ids")
    return tuple(sorted(set(rule_ids)))


async def _pass_on(target: Account, comment: str, posts: Sequence[db.Row]) -> None:
    # A direct message would tell who reported: it had one reader, or a few.
    shown = [line["uri"] for line in posts if line["visibility"] < Visibility.DIRECT]
    await events.record(
        Event.REPORTED, None, target_id=target.id, detail={"posts": shown, "comment": comment}
    )


async def _tell(reporter: Account, target_ids: Sequence[int]) -> None:
    """Tell the staff, but not a moderator of what is about herself."""
    staff = await db.rows(_STAFF)
    owned: defaultdict[int, set[int]] = defaultdict(set)
    for line in await db.rows(_OWNERS.format(given=db.unnest("$1")), db.array(target_ids)):
        owned[line["user_id"]].add(line["account_id"])
    about = set(target_ids)
    told = [one["id"] for one in staff if one["role"] == Role.ADMIN or about - owned[one["user_id"]]]
    await notifications.tell_all(Kind.ADMIN_REPORT, told, reporter)


async def _reported(reporter: Account, about: Collection[str]) -> dict[int, list[int]]:
    """The accounts of ours that a report is about, by id, each with its posts in the report.

    Only posts that the reporter's server may know: an address alone must show a private post to nobody.
    """
    places = ", ".join(f"${number}" for number in range(1, len(about) + 1))
    if not places:
        return {}
    accounts = await db.column(
        f"SELECT id FROM account WHERE uri IN ({places}) AND local AND deleted_at IS NULL", *about
    )
    known = _KNOWN_THERE.format(domain=f"${len(about) + 1}")
    sql = f"SELECT p.id, p.author_id FROM post p WHERE p.uri IN ({places}) AND p.local AND {known}"
    found: defaultdict[int, list[int]] = defaultdict(list, {number: [] for number in accounts})
    for line in await db.rows(sql, *about, reporter.domain):
        found[line["author_id"]].append(line["id"])
    return found


async def _insert(
    reporter_id: int,
    target_id: int,
    complaint: Complaint,
    post_ids: Sequence[int],
    forwarded: bool = False,
    name: str | None = None,
) -> int | None:
    """The number of a new report; None when one of this name is there. One Flag may be about several."""
    number: int | None = await db.value(
        _FILE,
        *(ids.new(), reporter_id, target_id, complaint.comment, db.json(sorted(post_ids)), name),
        *(moments.now(), str(complaint.category), db.json(list(complaint.rule_ids)), forwarded),
    )
    return number


async def _change(by: User | None, report: Report, action: str, columns: Mapping[str, object]) -> Report:
    await _require_above(by, report)
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, 3))
    sql = f"UPDATE report SET updated_at = $2, {sets} WHERE id = $1"
    async with db.transaction():
        await db.execute(sql, report.id, moments.now(), *columns.values())
        await audit.record(by, action, str(report.id), about=str(report.target_id))
        return await _read(report.id)


async def _require_above(by: User | None, report: Report) -> None:
    """Moderators leave reports about each other, and about admins, to the admins."""
    if by is None or by.role is Role.ADMIN:
        return
    if not members.outranks(by, await members.rank(report.target_id)):
        raise Forbidden("A report about a member of the staff is for the admins.")


def _require_staff(by: User | None) -> None:
    if by is not None:
        members.require_staff(by)


def _conditions(choice: Choice, by: User | None) -> tuple[str, list[int]]:
    """SQL from `$3` on, and its values."""
    sql, values = "", []
    if choice.resolved is not None:
        sql += f" AND resolved_at IS {'NOT ' if choice.resolved else ''}NULL"
    for column, wanted in (("account_id", choice.reporter_id), ("target_id", choice.target_id)):
        if wanted is not None:
            values.append(wanted)
            sql += f" AND {column} = ${len(values) + 2}"
    if by is not None and by.role is not Role.ADMIN:
        values.append(by.id)
        own = (
            f"SELECT 1 FROM membership m WHERE m.account_id = r.target_id AND m.user_id = ${len(values) + 2}"
        )
        sql += f" AND NOT EXISTS ({own})"
    return sql, values


async def _read(report_id: int) -> Report:
    line = await db.row(f"{_SELECT} WHERE id = $1", report_id)
    if line is None:
        raise NotFound
    return _report(line)


def _report(line: db.Row) -> Report:
    return Report(
        **{
            **line,
            "category": Category(line["category"]),
            "post_ids": tuple(orjson.loads(line["post_ids"])),
            "rule_ids": tuple(orjson.loads(line["rule_ids"])),
            "forwarded": bool(line["forwarded"]),
        }
    )


_SELECT = f"SELECT {', '.join(Report.__dataclass_fields__)} FROM report"
# A new report makes room for itself among the notices: the one left is about the last before it. A moderator
# is not shown what is about herself, though: one Flag may be about her and others.
_OF_NOTICES = f"""
SELECT n.id AS notice_id, {", ".join(f"r.{name}" for name in Report.__dataclass_fields__)}
FROM {{given}} JOIN notification n ON n.id = given.id JOIN report r ON r.id =
    (SELECT max(x.id) FROM report x WHERE x.account_id = n.from_id AND x.id < n.id AND NOT EXISTS
        (SELECT 1 FROM membership m JOIN membership k ON k.user_id = m.user_id
        JOIN person u ON u.id = m.user_id AND u.role <> 'admin'
        WHERE m.account_id = n.account_id AND k.account_id = x.target_id))
"""
_FILE = """
INSERT INTO report (id, account_id, target_id, comment, post_ids, uri, created_at, updated_at, category,
    rule_ids, forwarded)
VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10) ON CONFLICT DO NOTHING RETURNING id
"""
_SHOWN = f"""
SELECT p.id, p.uri, p.visibility FROM {{given}} JOIN post p ON p.id = given.id
WHERE p.author_id = $3 AND p.boost_of_id IS NULL AND {visibility.clause("$1")} ORDER BY p.id
"""
_KNOWN_THERE = """(p.visibility <= 1
  OR EXISTS (SELECT 1 FROM mention m JOIN account a ON a.id = m.account_id
    WHERE m.post_id = p.id AND a.domain = {domain})
  OR (p.visibility = 2 AND EXISTS (SELECT 1 FROM follow f JOIN account a ON a.id = f.follower_id
    WHERE f.target_id = p.author_id AND a.domain = {domain})))"""
_OWNERS = """
SELECT m.user_id, m.account_id FROM {given} JOIN membership m ON m.account_id = given.id
"""
_STAFF = """
SELECT DISTINCT m.account_id AS id, m.user_id, u.role FROM membership m JOIN person u ON u.id = m.user_id
WHERE u.role IN ('moderator', 'admin') AND m.role = 'owner' AND u.disabled_at IS NULL ORDER BY m.account_id
"""
