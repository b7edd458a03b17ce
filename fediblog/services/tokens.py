"""API tokens: what an app shows instead of a password. Only their hash is stored, like that of a session."""

from collections.abc import Collection, Iterable, Set
from contextlib import suppress
from dataclasses import dataclass

from fediblog import db, ids, keys, moments
from fediblog.errors import Invalid, NoSpace, NotFound, Unavailable
from fediblog.models import Account, User
from fediblog.services import joined, waiting_tokens
from fediblog.services.waiting_tokens import Pending

_FOLLOW = frozenset(f"{verb}:{noun}" for verb in ("read", "write") for noun in ("follows", "blocks", "mutes"))
_READ = "accounts blocks bookmarks favourites filters follows lists media mutes notifications search statuses"
_WRITE = (
    "accounts blocks bookmarks conversations favourites filters follows lists media mutes notifications"
    " reports statuses"
)
_ADMIN = "accounts reports domain_allows domain_blocks ip_blocks email_domain_blocks canonical_email_blocks"
_NOUNS = {"read": _READ, "write": _WRITE, "admin:read": _ADMIN, "admin:write": _ADMIN}

SCOPES = frozenset(
    [
        "follow",
        "push",
        "profile",
        *_NOUNS,
        *(f"{top}:{noun}" for top, nouns in _NOUNS.items() for noun in nouns.split()),
    ]
)
"""Every scope that can be asked for (CLIENT-API §3.7), the parents before their parts."""

_SEEN_EVERY = moments.HOUR


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who shows a token. One that belongs to an app alone has no user and no account.

    Neither has one whose user is not let in yet: for whoever does not ask for `pending` that is nobody.
    """

    account: Account | None
    user: User | None
    scopes: frozenset[str]
    token_id: int
    app_id: int | None
    app_name: str
    pending: Pending | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A token as its owner sees it in the settings."""

    id: int
    app_name: str
    website: str
    username: str
    scopes: tuple[str, ...]
    created_at: int
    used_at: int | None


def parse_scopes(scopes: str | Iterable[str]) -> frozenset[str]:
    """The scopes in a text such as "read write:media". Raises Invalid for an unknown one, or none at all."""
    names = scopes.replace("+", " ").split() if isinstance(scopes, str) else list(scopes)
    unknown = [name for name in names if name not in SCOPES]
    if unknown or not names:
        raise Invalid("The requested scope is invalid, unknown, or malformed.", field="scopes")
    return frozenset(names)


def written(scopes: Iterable[str]) -> str:
    """Scopes as they are stored and told."""
    return " ".join(sorted(scopes))


def covers(scopes: Set[str], needed: str) -> bool:
    """Whether somebody with these scopes may do what needs this one."""
    if needed in scopes or needed.rpartition(":")[0] in scopes:
        return True
    if needed == "profile":
        return "read" in scopes or "read:accounts" in scopes
    return "follow" in scopes and needed in _FOLLOW


async def create(
    account: Account | None, user: User | None, scopes: str | Iterable[str], app_id: int | None = None
) -> str:
    """A fresh token, shown this once. Raises Invalid for unknown scopes."""
    wanted = parse_scopes(scopes)
    async with db.transaction():
        return await make(user.id if user else None, account.id if account else None, wanted, app_id)


async def make(
    user_id: int | None, account_id: int | None, scopes: Iterable[str], app_id: int | None, code_id: int = 0
) -> str:
    """The same for scopes that are known, and in exchange for a code. Inside the transaction of its cause."""
    token, now = keys.new_token(), moments.now()
    await db.execute(
        "INSERT INTO oauth_token"
        " (id, token_hash, app_id, user_id, account_id, scopes, created_at, code_id)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(ids.new(), keys.token_hash(token), app_id, user_id, account_id, written(scopes), now),
        code_id or None,
    )
    if app_id is not None:
        await db.execute("UPDATE oauth_app SET used_at = $2 WHERE id = $1 AND used_at IS NULL", app_id, now)
    return token


async def find(token: str) -> Bearer | None:
    """Who this token belongs to; None when it, its user or its account no longer holds.

    One statement, unless nobody who has been let in shows it.
    """
    line = await db.row(_FIND, keys.token_hash(token))
    if line is None or line["waits"]:
        return await _waiting(token, line)
    await _seen(line)
    return Bearer(
        account=joined.maybe(Account, "a", line),
        user=joined.maybe(User, "u", line),
        scopes=frozenset(line["scopes"].split()),
        token_id=line["token_id"],
        app_id=line["app_id"],
        app_name=line["app_name"] or "",
    )


async def holding(token_ids: Collection[int]) -> set[int]:
    """Those of the tokens that still hold, as `find` says it. One statement, whatever their number."""
    sql = _HOLDING.format(given=db.unnest("$1"))
    return set(await db.column(sql, db.array(list(token_ids))))


async def revoke(token: str) -> None:
    """It opens nothing any more, at once. An unknown one is fine (RFC 7009 §2.2)."""
    async with db.transaction():
        await db.execute("DELETE FROM oauth_token WHERE token_hash = $1", keys.token_hash(token))
        await waiting_tokens.end(token)


async def revoke_one(user: User, token_id: int) -> None:
    """Take back what the settings list. Raises NotFound for a token that is not this user's."""
    async with db.transaction():
        sql = "DELETE FROM oauth_token WHERE id = $1 AND user_id = $2 RETURNING id"
        if await db.value(sql, token_id, user.id) is None:
            raise NotFound()


async def revoke_all(user: User) -> None:
    """All tokens of a user, and the codes that would become some."""
    await _end("user_id", user.id)


async def end_for(account_id: int) -> None:
    """All tokens that act for an account, and the codes that would become some."""
    await _end("account_id", account_id)


async def listing(user: User) -> tuple[Line, ...]:
    """The tokens of a user, newest first."""
    found = await db.rows(
        "SELECT t.id, coalesce(p.name, '') AS app_name, coalesce(p.website, '') AS website, a.username,"
        " t.scopes, t.created_at, t.used_at FROM oauth_token t JOIN account a ON a.id = t.account_id"
        " LEFT JOIN oauth_app p ON p.id = t.app_id WHERE t.user_id = $1 ORDER BY t.id DESC",
        user.id,
    )
    return tuple(Line(**{**row, "scopes": tuple(row["scopes"].split())}) for row in found)


_LET_IN = "u.confirmed_at IS NOT NULL AND u.approved_at IS NOT NULL AND a.suspended_at IS NULL"
# Of the others, those whom the staff has not put away meanwhile (admission.py).
_WAITS = "(u.confirmed_at IS NULL OR u.approved_at IS NULL) AND a.suspended_at = a.created_at"
# A token without a user is an app's own. With one, everything that lets this user in has to hold still.
_HOLDS = """
LEFT JOIN person u ON u.id = t.user_id
LEFT JOIN membership m ON m.user_id = t.user_id AND m.account_id = t.account_id
LEFT JOIN account a ON a.id = m.account_id
WHERE (t.user_id IS NULL OR (
  u.disabled_at IS NULL AND a.id IS NOT NULL AND a.deleted_at IS NULL AND ({})))
"""
_FIND = f"""
SELECT t.id AS token_id, t.app_id, t.scopes, t.used_at, p.name AS app_name,
  t.user_id IS NOT NULL AND {_WAITS} AS waits,
  {joined.columns(User, "u")}, {joined.columns(Account, "a")}
FROM oauth_token t LEFT JOIN oauth_app p ON p.id = t.app_id
  {_HOLDS.format(f"({_LET_IN}) OR ({_WAITS})")} AND t.token_hash = $1
"""
_HOLDING = f"SELECT t.id FROM {{given}} JOIN oauth_token t ON t.id = given.id {_HOLDS.format(_LET_IN)}"


async def _waiting(token: str, line: db.Row | None) -> Bearer | None:
    """A token that opens nothing yet, of somebody or of nobody: both cost the same."""
    nobodys = await waiting_tokens.find(token)
    if line is not None:
        pending = Pending(line["u_email"], confirmed=line["u_confirmed_at"] is not None)
        scopes = frozenset(line["scopes"].split())
        return Bearer(None, None, scopes, line["token_id"], line["app_id"], line["app_name"] or "", pending)
    if nobodys is not None:
        pending = Pending(nobodys.email, confirmed=False)
        return Bearer(None, None, nobodys.scopes, 0, nobodys.app_id, "", pending)
    return None


async def _end(owner: str, number: int) -> None:
    # The codes first: one that becomes a token at this very moment holds us up until that can be seen.
    async with db.transaction():
        await db.execute(f"DELETE FROM oauth_code WHERE {owner} = $1", number)
        await db.execute(f"DELETE FROM oauth_token WHERE {owner} = $1", number)


async def _seen(line: db.Row) -> None:
    """Note the use, once an hour at most. A full disk or a busy database keeps nobody from reading."""
    now = moments.now()
    if line["used_at"] is not None and line["used_at"] > now - _SEEN_EVERY:
        return
    with suppress(NoSpace, Unavailable):
        async with db.transaction():
            if line["u_id"] is not None:
                await db.execute("UPDATE person SET last_active_at = $2 WHERE id = $1", line["u_id"], now)
            await db.execute("UPDATE oauth_token SET used_at = $2 WHERE id = $1", line["token_id"], now)
