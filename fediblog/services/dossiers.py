"""What the staff sees of an account and of who signs in to it. Nobody else sees any of this (SECURITY §6)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import ip_address

from fediblog import db
from fediblog.errors import NotFound
from fediblog.models import Account, Role, User
from fediblog.paging import BIGGEST, Page
from fediblog.services import members

_MOST_ADDRESSES = 20


class State(StrEnum):
    """How an account stands."""

    ACTIVE = "active"
    PENDING = "pending"
    DISABLED = "disabled"
    SILENCED = "silenced"
    SUSPENDED = "suspended"
    SENSITIZED = "sensitized"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which accounts are wanted; what is None or empty counts for nothing."""

    local: bool | None = None
    states: Collection[State] = ()  # All of them at once.
    roles: Collection[Role] = ()
    invited_by: int | None = None
    username: str = ""
    display_name: str = ""
    domain: str = ""
    email: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """Who signs in to an account."""

    id: int
    email: str
    role: Role
    confirmed: bool
    approved: bool
    disabled: bool
    locale: str
    reason: str
    invited_by_id: int | None
    addresses: tuple[tuple[str, int], ...] = ()  # With when each was used last, the latest first.


@dataclass(frozen=True, slots=True)
class Dossier:
    """An account; `login` is None for one elsewhere."""

    id: int
    username: str
    domain: str
    created_at: int
    suspended: bool
    silenced: bool
    sensitized: bool
    deleted: bool
    login: Login | None = field(default=None)


async def listing(by: User, page: Page, choice: Choice) -> list[Dossier]:
    """A page of accounts, newest first, in two statements. Raises Forbidden for who is not on the staff."""
    members.require_staff(by)
    conditions, values = _conditions(choice)
    where = " AND ".join(("a.id < $1 AND a.id > $2 AND a.deleted_at IS NULL", *conditions))
    sql = f"{_SELECT} WHERE {where} ORDER BY a.id {page.order} LIMIT {page.rows}"
    found = await db.rows(sql, page.before, page.after, *values)
    return await _with_addresses(sorted(map(_dossier, found[: page.limit]), key=lambda one: -one.id))


async def several(by: User, account_ids: Iterable[int]) -> dict[int, Dossier]:
    """Accounts by id, also deleted ones, in two statements. Raises Forbidden."""
    members.require_staff(by)
    sql = f"{_SELECT} WHERE a.id IN (SELECT id FROM {db.unnest('$1')})"
    found = await db.rows(sql, db.array(list(set(account_ids))))
    return {one.id: one for one in await _with_addresses([_dossier(line) for line in found])}


async def get(by: User, account_id: int) -> Dossier:
    """One account. Raises Forbidden, NotFound."""
    found = (await several(by, [account_id])).get(account_id) if account_id <= BIGGEST else None
    if found is None or found.deleted:
        raise NotFound
    return found


async def account(by: User, account_id: int) -> Account:
    """The account itself, also one that waits to be let in. Raises Forbidden, NotFound."""
    members.require_staff(by)
    found = await Account.get_or_none(id=account_id, deleted_at=None)
    if found is None:
        raise NotFound
    return found


async def owned(user_ids: Iterable[int]) -> dict[int, int]:
    """The account that each of these users owns, the oldest of several."""
    sql = (
        "SELECT m.user_id, min(m.account_id) AS account_id FROM membership m"
        f" WHERE m.role = 'owner' AND m.user_id IN (SELECT id FROM {db.unnest('$1')}) GROUP BY m.user_id"
    )
    found = await db.rows(sql, db.array(list(set(user_ids))))
    return {line["user_id"]: line["account_id"] for line in found}


# ------------------------------------------------------------------------------------------------- helpers


def _conditions(choice: Choice) -> tuple[list[str], list[object]]:
    """SQL from `$3` on, and its values."""
    values: list[object] = []

    def given(value: object) -> str:
        values.append(value)
        return f"${len(values) + 2}"

    conditions = [_STATES[state] for state in choice.states]
    if choice.roles or choice.invited_by or choice.email or choice.address or _HERE & set(choice.states):
        # Nobody elsewhere can be meant: the index knows the few who live here.
        conditions.append("a.domain = ''")
    if choice.local is not None:
        conditions.append("a.local" if choice.local else "NOT a.local")
    if choice.roles:
        conditions.append("u.role IN (" + ", ".join(given(role.value) for role in choice.roles) + ")")
    if choice.invited_by is not None:
        conditions.append(f"i.account_id = {given(choice.invited_by)}")
    if choice.domain:
        conditions.append(f"a.domain = {given(choice.domain.lower())}")
    if choice.address:
        seen = (
            f"SELECT 1 FROM session x WHERE x.user_id = u.id AND x.address = {given(_tidy(choice.address))}"
        )
        conditions.append(f"EXISTS ({seen})")
    for column, words in (
        ("a.username_key", choice.username.removeprefix("@").lower()),
        ("lower(a.display_name)", choice.display_name.lower()),
        ("u.email_key", choice.email.lower()),
    ):
        if words:
            conditions.append(f"{column} LIKE {given(_containing(words))} ESCAPE '\\'")
    return conditions, values


def _containing(words: str) -> str:
    for special in ("\\", "%", "_"):
        words = words.replace(special, f"\\{special}")
    return f"%{words}%"


def _tidy(address: str) -> str:
    try:
        return str(ip_address(address.strip()))
    except ValueError:
        return address


async def _with_addresses(found: Sequence[Dossier]) -> list[Dossier]:
    """With the addresses from which each was signed in to."""
    user_ids = [one.login.id for one in found if one.login]
    used: dict[int, list[tuple[str, int]]] = {}
    if user_ids:
        for line in await db.rows(_ADDRESSES.format(given=db.unnest("$1")), db.array(user_ids)):
            used.setdefault(line["user_id"], []).append((line["address"], line["seen_at"]))
    return [
        replace(one, login=replace(one.login, addresses=tuple(used.get(one.login.id, ())[:_MOST_ADDRESSES])))
        if one.login
        else one
        for one in found
    ]


def _dossier(line: db.Row) -> Dossier:
    login = None
    if line["user_id"] is not None:
        login = Login(
            id=line["user_id"],
            email=line["email"],
            role=Role(line["role"]),
            confirmed=line["confirmed_at"] is not None,
            approved=line["approved_at"] is not None,
            disabled=line["disabled_at"] is not None,
            locale=line["locale"],
            reason=line["reason"],
            invited_by_id=line["invited_by_id"],
        )
    return Dossier(
        id=line["id"],
        username=line["username"],
        domain=line["domain"],
        created_at=line["created_at"],
        suspended=bool(line["suspended"]),
        silenced=line["silenced_at"] is not None,
        sensitized=line["sensitized_at"] is not None,
        deleted=line["deleted_at"] is not None,
        login=login,
    )


# Who waits to be let in is kept out of sight by the same column, and has not been suspended (admission.py).
_WAITS = "(u.id IS NOT NULL AND (u.confirmed_at IS NULL OR u.approved_at IS NULL))"
_SUSPENDED = f"(a.suspended_at IS NOT NULL AND NOT (a.suspended_at = a.created_at AND {_WAITS}))"
_STATES = {
    State.ACTIVE: f"NOT {_SUSPENDED} AND a.silenced_at IS NULL AND u.disabled_at IS NULL AND NOT {_WAITS}",
    State.PENDING: "u.id IS NOT NULL AND u.approved_at IS NULL",
    State.DISABLED: "u.disabled_at IS NOT NULL",
    State.SILENCED: "a.silenced_at IS NOT NULL",
    State.SUSPENDED: _SUSPENDED,
    State.SENSITIZED: "a.sensitized_at IS NOT NULL",
}
_HERE = {State.PENDING, State.DISABLED}
_SELECT = f"""
SELECT a.id, a.username, a.domain, a.created_at, a.silenced_at, a.sensitized_at, a.deleted_at,
    {_SUSPENDED} AS suspended, u.id AS user_id, u.email, u.role, u.confirmed_at, u.approved_at, u.disabled_at,
    u.locale, u.reason, i.account_id AS invited_by_id
FROM account a
LEFT JOIN person u ON u.id =
    (SELECT min(m.user_id) FROM membership m WHERE m.account_id = a.id AND m.role = 'owner')
LEFT JOIN invite i ON i.id = u.invite_id"""
_ADDRESSES = """
SELECT s.user_id, s.address, max(s.seen_at) AS seen_at FROM {given} JOIN session s ON s.user_id = given.id
WHERE s.address <> '' GROUP BY s.user_id, s.address ORDER BY seen_at DESC, s.address
"""
