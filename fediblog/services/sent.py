"""Letters as they are kept: bytes that are the same for every inbox and at every attempt."""

from fediblog import db, moments


async def write(
    number: int,
    uri: str,
    kind: str,
    body: bytes,
    *,
    account_id: int | None,
    post_id: int | None = None,
    for_followers: bool = False,
) -> int | None:
    """Keep a letter under its name, inside a transaction. None when there is one of that name already.

    `account_id` signs it, the server itself when None. `post_id` is the post of ours that it tells of.
    """
    values = (number, uri, kind, body, account_id, post_id, for_followers, moments.now())
    found: int | None = await db.value(_WRITE, *values)
    return found


_WRITE = """
INSERT INTO activity (id, uri, kind, body, account_id, post_id, for_followers, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (uri) DO NOTHING RETURNING id
"""
