"""One-time tokens: links that work once and not for long. Only their hash is stored."""

from fediblog import db, ids, keys, moments
from fediblog.services import locks

AUTHENTICATOR = "authenticator"  # `detail` is the sealed secret that an app is offered.
CONFIRM = "confirm"
EMAIL = "email"  # `detail` is the new address.
HALFWAY = "halfway"  # The password was right, the code is yet to come.
RESET = "reset"
SETUP = "setup"
HELD_NAME = "held name"
NOBODYS = "token of nobody"  # Shown as an API token (`waiting_tokens`).

_WORKS = "token_hash = $1 AND purpose = $2 AND expires_at > $3"


async def make(purpose: str, user_id: int | None, seconds: int, detail: str = "") -> str:
    """A fresh token of 256 bits, inside the transaction of its cause."""
    token = keys.new_token()
    expires_at = moments.now() + seconds * moments.SECOND
    await db.execute(
        "INSERT INTO one_time_token (id, token_hash, purpose, user_id, detail, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        *(ids.new(), keys.token_hash(token), purpose, user_id, detail, expires_at),
    )
    return token


async def peek(purpose: str, token: str) -> db.Row | None:
    """`user_id` and `detail` of a token that still works, which it does afterwards too."""
    sql = f"SELECT user_id, detail FROM one_time_token WHERE {_WORKS}"
    return await db.row(sql, keys.token_hash(token), purpose, moments.now())


async def take(purpose: str, token: str) -> db.Row | None:
    """The same, once: one statement finds and removes it, so of two takers one gets None.

    Inside a transaction, in which the user whose token it is stays as they are (locks.py).
    """
    found = await peek(purpose, token)
    if found is not None and found["user_id"] is not None:
        await locks.user(found["user_id"])
    sql = f"DELETE FROM one_time_token WHERE {_WORKS} RETURNING user_id, detail"
    return await db.row(sql, keys.token_hash(token), purpose, moments.now())


async def kept(purpose: str, detail: str) -> bool:
    """Whether a token without a user is there for this: until upkeep takes it away, some time too late."""
    sql = "SELECT 1 FROM one_time_token WHERE user_id IS NULL AND purpose = $1 AND detail = $2"
    return await db.value(sql, purpose, detail) is not None


async def held(purpose: str, token: str) -> str | None:
    """The `detail` of a token without a user, for as long as `kept` says that it is there."""
    sql = "SELECT detail FROM one_time_token WHERE token_hash = $1 AND purpose = $2 AND user_id IS NULL"
    found: str | None = await db.value(sql, keys.token_hash(token), purpose)
    return found


async def void(purpose: str, user_id: int | None) -> None:
    """No older token for this serves any longer. Inside a transaction."""
    if user_id is not None:
        await locks.user(user_id)
    owner = "user_id IS NULL" if user_id is None else "user_id = $2"
    values = (purpose,) if user_id is None else (purpose, user_id)
    await db.execute(f"DELETE FROM one_time_token WHERE purpose = $1 AND {owner}", *values)
