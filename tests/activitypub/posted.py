"""Letters as they were written, for tests of what goes out."""

from typing import Any, NamedTuple

import orjson

from fediblog import db
from fediblog.activitypub import outbox
from fediblog.activitypub.vocabulary import CONTEXT
from fediblog.models import Account
from fediblog.services import follows


class Posted(NamedTuple):
    """A letter without its context, and where it goes."""

    activity: dict[str, Any]
    inboxes: set[str]
    for_followers: bool
    account_id: int | None

    @property
    def kind(self) -> str:
        """What it says in a word."""
        return str(self.activity["type"])


async def letters(account: Account | None) -> list[Posted]:
    """Make letters of what somebody (the server when None) has done since; only the new ones, in order."""
    before = set(await db.column("SELECT id FROM activity"))
    await outbox.federate(account.id if account else 0)
    rows = await db.rows("SELECT * FROM activity ORDER BY id")
    return [await _posted(row) for row in rows if row["id"] not in before]


async def letter(account: Account | None) -> Posted:
    """The only one."""
    [posted] = await letters(account)
    return posted


async def followed(target: Account, *followers: Account) -> None:
    """Let accounts follow, and forget that they were told so."""
    for follower in followers:
        await follows.follow(follower, target, uri=f"{follower.uri}/follows/{target.id}")
    await letters(target)


async def _posted(row: db.Row) -> Posted:
    activity = orjson.loads(row["body"])
    assert activity.pop("@context") == CONTEXT
    assert (activity["id"], activity["type"]) == (row["uri"], row["kind"])
    inboxes = await db.column("SELECT inbox FROM delivery WHERE activity_id = $1", row["id"])
    assert len(inboxes) == len(set(inboxes)) > 0
    return Posted(activity, set(inboxes), bool(row["for_followers"]), row["account_id"])
