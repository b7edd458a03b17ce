"""Reports: what somebody wants the staff to look at. Those of other servers come as Flag (FEDERATION §5)."""

from collections import defaultdict
from collections.abc import Collection

from fediblog import db, ids, moments
from fediblog.models import Account
from fediblog.services import notifications
from fediblog.services.notifications import Kind


async def receive(reporter: Account, about: Collection[str], comment: str, uri: str | None) -> int:
    """Take in a report from elsewhere about accounts and posts here, by their addresses; tell the staff.

    Gives the number of accounts that it is about: each gets a report of its own. `uri` is the report's name;
    twice under the same name is the same as once.
    """
    posts = await _reported(about)
    async with db.transaction():
        fresh = [await _file(reporter, number, posts[number], comment, uri) for number in sorted(posts)]
        if any(fresh):
            await notifications.tell_all(Kind.ADMIN_REPORT, await db.column(_STAFF), reporter)
    return len(posts)


async def _reported(about: Collection[str]) -> dict[int, list[int]]:
    """The accounts of ours that a report is about, by id, each with its posts in the report."""
    places = ", ".join(f"${number}" for number in range(1, len(about) + 1))
    if not places:
        return {}
    accounts = await db.column(
        f"SELECT id FROM account WHERE uri IN ({places}) AND local AND deleted_at IS NULL", *about
    )
    posts = await db.rows(f"SELECT id, author_id FROM post WHERE uri IN ({places}) AND local", *about)
    found: defaultdict[int, list[int]] = defaultdict(list, {number: [] for number in accounts})
    for line in posts:
        found[line["author_id"]].append(line["id"])
    return found


async def _file(
    reporter: Account, target_id: int, post_ids: list[int], comment: str, uri: str | None
) -> bool:
    """False when it has been filed before. One Flag may be about several accounts."""
    name = None if uri is None else f"{uri}#{target_id}"
    number = ids.new()
    values = (number, reporter.id, target_id, comment, db.json(sorted(post_ids)), name, moments.now())
    return await db.value(_FILE, *values) is not None


_FILE = """
INSERT INTO report (id, account_id, target_id, comment, post_ids, rule_ids, uri, created_at)
VALUES ($1, $2, $3, $4, $5, '[]', $6, $7) ON CONFLICT DO NOTHING RETURNING id
"""
_STAFF = """
SELECT DISTINCT m.account_id FROM membership m JOIN person u ON u.id = m.user_id
WHERE u.role IN ('moderator', 'admin') AND m.role = 'owner' AND u.disabled_at IS NULL ORDER BY m.account_id
"""
