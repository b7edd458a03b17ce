"""What stands between the viewer and other accounts, for any number of them in one statement."""

from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from fediblog import db
from fediblog.models import Account


@dataclass(frozen=True, slots=True)
class Relationship:
    """The viewer's side unless the name says otherwise. `languages` is None when all are wanted."""

    id: int
    following: bool
    requested: bool
    showing_boosts: bool
    notifying: bool
    languages: tuple[str, ...] | None
    followed_by: bool
    requested_by: bool
    blocking: bool
    blocked_by: bool
    muting: bool
    muting_notifications: bool
    muting_expires_at: int | None
    domain_blocking: bool
    endorsed: bool
    note: str


async def between(viewer: Account, account_ids: Iterable[int]) -> dict[int, Relationship]:
    """The viewer's relationships, by account id. Accounts that do not exist are left out."""
    wanted = list(dict.fromkeys(account_ids))
    if not wanted:
        return {}
    found = await db.rows(statement(), viewer.id, db.array(wanted))
    return {line["id"]: _relationship(line) for line in found}


def statement() -> str:
    """The one statement; public so that tests can look at its plan."""
    # SQLite must begin with the given ids (TIMELINES §2.1); PostgreSQL finds the order alone.
    join = "CROSS JOIN" if db.dialect() == "sqlite" else "JOIN"
    return f"""
SELECT a.id, f.id AS follow_id, q.id AS request_id, m.id AS mute_id, m.notifications, m.expires_at,
  COALESCE(f.show_boosts, q.show_boosts) AS show_boosts, COALESCE(f.notify, q.notify) AS notify,
  COALESCE(f.languages, q.languages) AS languages,
  EXISTS (SELECT 1 FROM follow x WHERE x.follower_id = a.id AND x.target_id = $1) AS followed_by,
  EXISTS (SELECT 1 FROM follow_request x WHERE x.follower_id = a.id AND x.target_id = $1) AS requested_by,
  EXISTS (SELECT 1 FROM block x WHERE x.account_id = $1 AND x.target_id = a.id) AS blocking,
  EXISTS (SELECT 1 FROM block x WHERE x.account_id = a.id AND x.target_id = $1) AS blocked_by,
  EXISTS (SELECT 1 FROM hidden_domain x WHERE x.account_id = $1 AND x.domain = a.domain) AS domain_blocking,
  EXISTS (SELECT 1 FROM endorsement x WHERE x.account_id = $1 AND x.target_id = a.id) AS endorsed,
  (SELECT x.comment FROM account_note x WHERE x.account_id = $1 AND x.target_id = a.id) AS note
FROM {db.unnest("$2")} {join} account a ON a.id = given.id
LEFT JOIN follow f ON f.follower_id = $1 AND f.target_id = a.id
LEFT JOIN follow_request q ON q.follower_id = $1 AND q.target_id = a.id
LEFT JOIN mute m ON m.account_id = $1 AND m.target_id = a.id"""


def _relationship(line: db.Row) -> Relationship:
    languages = orjson.loads(line["languages"]) if line["languages"] else []
    return Relationship(
        id=line["id"],
        following=line["follow_id"] is not None,
        requested=line["request_id"] is not None,
        showing_boosts=bool(line["show_boosts"]),
        notifying=bool(line["notify"]),
        languages=tuple(languages) or None,
        followed_by=bool(line["followed_by"]),
        requested_by=bool(line["requested_by"]),
        blocking=bool(line["blocking"]),
        blocked_by=bool(line["blocked_by"]),
        muting=line["mute_id"] is not None,
        muting_notifications=bool(line["notifications"]),
        muting_expires_at=line["expires_at"],
        domain_blocking=bool(line["domain_blocking"]),
        endorsed=bool(line["endorsed"]),
        note=line["note"] or "",
    )
