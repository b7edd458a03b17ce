"""The rows of mails: written in the transaction of their cause, ended right after the server's answer.

A mail is `waiting` until it is `sent`, `unsent` (no mail server is configured), `refused` (by the server, for
good), `expired` (too late to be of use) or `dropped` (nothing is left to tell).

Mails of some kinds gather: while one waits, whatever else happens joins it. It goes on waiting while it is
being handed to the mail server, so somebody may join in that moment and not be in the text. `joined` counts
them, and who ends the mail sees the difference and opens the next one for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fediblog import db, ids, moments
from fediblog.config import settings
from fediblog.queue import Job
from fediblog.services import work


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that waits."""

    id: int
    user_id: int | None
    address: str
    kind: str
    secret: bytes | None
    joined: int
    created_at: int


async def waiting(mail_id: int) -> Mail | None:
    """The mail, or None when it has ended."""
    found = await db.row(
        "SELECT id, user_id, address, kind, secret, joined, created_at FROM mail"
        " WHERE id = $1 AND state = 'waiting'",
        mail_id,
    )
    return Mail(**found) if found else None


async def add(user_id: int, kind: str, address: str, secret: bytes | None) -> None:
    """Owe a mail of its own. With a secret in it, it takes the place of one like it that still waits."""
    if secret is not None:
        await db.execute(_VOID, user_id, kind)
    mail_id = ids.new()
    await db.execute(
        "INSERT INTO mail (id, user_id, kind, address, secret, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        *(mail_id, user_id, kind, address, secret, moments.now()),
    )
    await work.owe(Job.MAIL, mail_id)


# The link in it has been made void by the one in the new mail.
_VOID = """
UPDATE mail SET state = 'dropped', secret = NULL, address = ''
WHERE user_id = $1 AND kind = $2 AND state = 'waiting'
"""


async def gather(user_id: int, kind: str) -> int:
    """Open or join the user's mail of a kind that gathers. The first goes at once, the next after a pause."""
    sent_at = await db.value(
        "SELECT max(sent_at) FROM mail WHERE user_id = $1 AND kind = $2 AND sent_at IS NOT NULL",
        user_id,
        kind,
    )
    fresh = ids.new()
    mail_id: int = await db.value(_GATHER, fresh, user_id, kind, moments.now())
    if mail_id == fresh:
        # Joining owes nothing: the row of work is there until the mail ends.
        await work.owe(Job.MAIL, fresh, not_before=(sent_at or 0) + _pause(kind))
    return mail_id


async def keep_unsent(user_id: int, kind: str) -> int:
    """Keep a mail that ends before it begins, since no mail server is configured."""
    mail_id = ids.new()
    await db.execute(_KEEP_UNSENT, mail_id, user_id, kind, moments.now())
    return mail_id


_KEEP_UNSENT = "INSERT INTO mail (id, user_id, kind, state, created_at) VALUES ($1, $2, $3, 'unsent', $4)"

# The condition repeats that of the index mail_open.
_GATHER = """
INSERT INTO mail (id, user_id, kind, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (user_id, kind) WHERE state = 'waiting' AND kind IN ('mention', 'waiting')
DO UPDATE SET joined = mail.joined + 1
RETURNING id
"""


def _pause(kind: str) -> int:
    return settings().mail.batch_minutes * moments.MINUTE if kind == "mention" else moments.HOUR


async def put(mail_id: int, user_id: int, post_id: int, notification_id: int) -> None:
    """Let a mail tell of a mention."""
    await db.execute(
        "INSERT INTO mail_item (user_id, post_id, notification_id, mail_id) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING",
        *(user_id, post_id, notification_id, mail_id),
    )


async def items(mail_id: int) -> list[int]:
    """The notifications that a mail tells of."""
    return await db.column("SELECT notification_id FROM mail_item WHERE mail_id = $1", mail_id)


async def end(mail: Mail, state: str, told: Sequence[int] = ()) -> None:
    """End a mail that told of these notifications. Secret and address go; late-comers get a new mail."""
    async with db.transaction():
        joined = await db.value(_END, mail.id, state, moments.now() if state == "sent" else None)
        if joined is not None and joined > mail.joined and mail.user_id is not None:
            following = await gather(mail.user_id, mail.kind)
            await db.execute(_MOVE.format(told=db.unnest("$3")), mail.id, following, db.array(told))


_END = """
UPDATE mail SET state = $2, sent_at = $3, secret = NULL, address = '' WHERE id = $1 AND state = 'waiting'
RETURNING joined
"""
_MOVE = """
UPDATE mail_item SET mail_id = $2 WHERE mail_id = $1 AND notification_id NOT IN (SELECT id FROM {told})
"""
