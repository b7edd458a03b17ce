"""Notes: what somebody remembers about an account, for their own eyes alone."""

from fediblog import db, text
from fediblog.errors import Invalid
from fediblog.models import Account

LONGEST = 2000


async def write(account: Account, target: Account, comment: str) -> None:
    """Note something in the place of what was noted before; nothing at all takes the note away.

    Raises Invalid for one that is too long.
    """
    comment = text.tidy_block(comment)
    if len(comment) > LONGEST:
        raise Invalid(f"A note can have {LONGEST} characters at most.", "comment")
    async with db.transaction():
        if comment:
            await db.execute(_WRITE, account.id, target.id, comment)
        else:
            await db.execute(_FORGET, account.id, target.id)


_WRITE = """
INSERT INTO account_note (account_id, target_id, comment) VALUES ($1, $2, $3)
ON CONFLICT (account_id, target_id) DO UPDATE SET comment = excluded.comment
"""
_FORGET = "DELETE FROM account_note WHERE account_id = $1 AND target_id = $2"
