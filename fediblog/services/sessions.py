"""Signing in and out on the site, and the list of where one is signed in.

Who has switched that on needs a code beside the password (authenticator.py), and signs in in two steps.

A session is a random token in a cookie; only its hash is stored. It ends after 14 days without use, after 90
days in any case, and with everything that takes away its user's right to be here.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from fediblog import db, ids, keys, moments, text
from fediblog.errors import Conflict, Forbidden, Invalid, NoSpace, NotFound, Unauthenticated, Unavailable
from fediblog.models import Account, User
from fediblog.services import (
    admission,
    authenticator,
    emails,
    guessing,
    joined,
    mail,
    members,
    names,
    one_time,
    passwords,
    throttle,
    tokens,
)

IDLE = 14 * moments.DAY
ABSOLUTE = 90 * moments.DAY

_SEEN_EVERY = moments.HOUR
_LONGEST_AGENT = 300
HALFWAY_SECONDS = 10 * 60
"""So long may it take to find the code."""

_RESET_SECONDS = 30 * 60
_RESETS_FOR_ONE = 3  # In an hour, like the next.
_RESETS_BY_ONE = 10
_TOO_LATE = "That took too long. Please sign in again."
_STALE = "This link has been used or is too old. Please ask for a new one."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The outcome of signing in. The token exists here and in the cookie, nowhere else."""

    token: str = field(repr=False)
    user: User
    account: Account


@dataclass(frozen=True, slots=True)
class Halfway:
    """The password was right, and a code is asked for. The token is worth nothing without one."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """Who asks."""

    user: User
    account: Account
    id: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Line:
    """A place where one is signed in, as the settings list it."""

    id: int
    agent: str
    address: str
    created_at: int
    seen_at: int


async def sign_in(
    name_or_email: str, password: str, address: str, agent: str, replaces: str | None = None
) -> SignedIn | Halfway:
    """Open a session; for who has switched codes on, the way to `sign_in_with_code`.

    `replaces` is the token of the session that the browser had before; it ends when the new one begins.
    Raises Unauthenticated, with one text and after one time, when there is no such user, the password is
    wrong, or the address was never confirmed; TooMany after ten failures for the name or the caller;
    Forbidden, with the reason, only to those who know the password.
    """
    user = await _user(name_or_email)
    await guessing.check(user, password, name_or_email, address)
    if user is None:
        raise Unauthenticated
    _refuse_inactive(user)
    account = await members.acted_for(user)
    _refuse_suspended(account)
    fresh = await _rehashed(user, password)
    async with db.transaction():
        if await db.value(_STILL, user.id, user.password_hash, fresh or user.password_hash, moments.now()):
            # Asked while nobody else can change the user: switching on sees this session, or we see that.
            if await authenticator.is_on(user.id):
                return Halfway(await one_time.make(one_time.HALFWAY, user.id, HALFWAY_SECONDS))
            return await _begin(user, account, address, agent, replaces)
    # In this very moment somebody chose a new password, or another sign-in hashed the old one anew.
    return await sign_in(name_or_email, password, address, agent, replaces)


async def sign_in_with_code(
    halfway: str, code: str, address: str, agent: str, replaces: str | None = None
) -> SignedIn:
    """The second step, for who holds the token of the first.

    Raises Unauthenticated when that is used up, too old or made up, Invalid for the field `code`, TooMany
    after ten failures for the user or the caller, Forbidden as `sign_in` does.
    """
    found = await one_time.peek(one_time.HALFWAY, halfway)
    user = await User.get_or_none(id=found["user_id"]) if found else None
    if user is None:
        raise Unauthenticated(_TOO_LATE)
    await authenticator.check(user, code, address)
    _refuse_inactive(user)
    account = await members.acted_for(user)
    _refuse_suspended(account)
    async with db.transaction():
        if await one_time.take(one_time.HALFWAY, halfway) is None:
            raise Unauthenticated(_TOO_LATE)
        return await _begin(user, account, address, agent, replaces)


async def find(token: str) -> Session | None:
    """Whose token this is; None when it, its user or its account no longer holds. One statement."""
    now = moments.now()
    line = await db.row(_FIND, keys.token_hash(token), now - IDLE, now - ABSOLUTE)
    if line is None:
        return None
    await _seen(line, now)
    return Session(
        user=joined.build(User, "u", line),
        account=joined.build(Account, "a", line),
        id=line["session_id"],
        created_at=line["session_created_at"],
    )


async def sign_out(token: str) -> None:
    """End the session. One that is over already is fine."""
    async with db.transaction():
        await _end("token_hash = $1", keys.token_hash(token))


async def list(user: User) -> tuple[Line, ...]:
    """Where the user is signed in, the last used first."""
    now = moments.now()
    found = await db.rows(
        "SELECT id, agent, address, created_at, seen_at FROM session"
        " WHERE user_id = $1 AND seen_at > $2 AND created_at > $3 ORDER BY seen_at DESC, id DESC",
        *(user.id, now - IDLE, now - ABSOLUTE),
    )
    return tuple(Line(**line) for line in found)


async def revoke(user: User, session_id: int) -> None:
    """End one of the user's sessions. Raises NotFound for anybody else's."""
    async with db.transaction():
        sql = "DELETE FROM session WHERE id = $1 AND user_id = $2 RETURNING id"
        if await db.value(sql, session_id, user.id) is None:
            raise NotFound()


async def revoke_all(user: User, but: int | None = None) -> None:
    """Log out everywhere, or everywhere but in one session."""
    async with db.transaction():
        await _end("user_id = $1 AND id <> $2", user.id, but or 0)


async def end_for(account_id: int) -> None:
    """End all sessions that act for an account."""
    async with db.transaction():
        await _end("account_id = $1", account_id)


async def rotate(session_id: int) -> str:
    """A new token for a session that goes on; the old one is worth nothing from now on."""
    token = keys.new_token()
    async with db.transaction():
        sql = "UPDATE session SET token_hash = $2, seen_at = $3 WHERE id = $1"
        await db.execute(sql, session_id, keys.token_hash(token), moments.now())
    return token


async def act_for(session: Session, account_id: int) -> Account:
    """Go on as another account of the same user. Raises Forbidden when it is none of theirs, or suspended."""
    account = await members.acted_for(session.user, account_id)
    _refuse_suspended(account)
    async with db.transaction():
        await db.execute("UPDATE session SET account_id = $2 WHERE id = $1", session.id, account.id)
    return account


async def require_password(user: User, password: str, address: str, field: str = "password") -> None:
    """For what is too grave to be done with a session alone. Raises Invalid for that field, or TooMany."""
    try:
        await guessing.check(user, password, user.email, address)
    except Unauthenticated:
        raise Invalid("This is not your password.", field=field) from None


async def change_password(
    user: User, old: str, new: str, session_id: int | None = None, address: str = "", code: str = ""
) -> str | None:
    """Change the password. All API tokens and sessions end but the one given; its new token is returned.

    Raises Invalid for the fields `old`, `new` and `code`, TooMany as `sign_in` does; nothing has changed
    then.
    """
    await require_password(user, old, address, field="old")
    fresh = await _acceptable(user, new)
    await authenticator.require(user, code, address)
    async with db.transaction():
        await _replace_password(user, fresh, but=session_id)
        return await rotate(session_id) if session_id is not None else None


async def request_reset(email: str, address: str) -> None:
    """Send a link to choose a new password, if there is somebody with this e-mail address.

    Whether there is, nobody can tell from answer or time. Raises Invalid for what is no address at all and
    TooMany, for every address alike.
    """
    wanted = emails.key(emails.tidy(email))
    await throttle.hit(throttle.bucket("reset from", throttle.network(address)), _RESETS_BY_ONE, 3600)
    await throttle.hit(throttle.bucket("reset for", wanted), _RESETS_FOR_ONE, 3600)
    user = await User.get_or_none(email_key=wanted, disabled_at=None)
    async with db.transaction():
        # Without a user a token is stored too, one that opens nothing: both answers cost one commit.
        await one_time.void(one_time.RESET, user.id if user else None)
        token = await one_time.make(one_time.RESET, user.id if user else None, _RESET_SECONDS)
        if user is not None:
            await mail.account_mail(user, "reset", token)


async def may_reset(token: str) -> bool:
    """Whether the link still works; it does afterwards too."""
    return await _resetting(token) is not None


async def reset(token: str, new: str) -> User:
    """Set the password that the owner of the mailbox chooses; all sessions and API tokens end.

    Raises Invalid for the field `token` when the link is used up or too old, and for `new`.
    """
    user = await _resetting(token)
    if user is None:
        raise Invalid(_STALE, field="token")
    fresh = await _acceptable(user, new)
    async with db.transaction():
        if await one_time.take(one_time.RESET, token) is None:
            raise Invalid(_STALE, field="token")
        await _replace_password(user, fresh)
        await admission.confirm(user)
    await guessing.forget(user)
    return user


# Whatever has to hold for the session to hold stands in the WHERE clause: nothing to be forgotten later.
_FIND = f"""
SELECT s.id AS session_id, s.created_at AS session_created_at, s.seen_at AS session_seen_at,
  {joined.columns(User, "u")}, {joined.columns(Account, "a")}
FROM session s
JOIN person u ON u.id = s.user_id
JOIN membership m ON m.user_id = s.user_id AND m.account_id = s.account_id
JOIN account a ON a.id = m.account_id
WHERE s.token_hash = $1 AND s.seen_at > $2 AND s.created_at > $3
  AND u.confirmed_at IS NOT NULL AND u.approved_at IS NOT NULL AND u.disabled_at IS NULL
  AND a.suspended_at IS NULL AND a.deleted_at IS NULL
"""


# A sign-in with the old password must not outlive the new one.
_STILL = """
UPDATE person SET password_hash = $3, last_active_at = $4 WHERE id = $1 AND password_hash = $2 RETURNING id
"""


async def _user(name_or_email: str) -> User | None:
    """Who may be meant: by e-mail address, else by the name of an account that the user owns.

    Who has never confirmed the address is not there yet. Otherwise anybody could sign up with somebody's
    address and see here whether that had made a user, which it does only if the address was free.
    """
    user = await _named(name_or_email.strip())
    return user if user is not None and user.confirmed_at is not None else None


async def _named(wanted: str) -> User | None:
    if emails.is_meant(wanted):
        key = emails.find_key(wanted)
        return await User.get_or_none(email_key=key) if key else None
    if names.fault(wanted.removeprefix("@"), staff=True):
        return None
    line = await db.row(
        f"SELECT {joined.columns(User, 'u')} FROM account a JOIN membership m ON m.account_id = a.id"
        " JOIN person u ON u.id = m.user_id WHERE a.username_key = $1 AND a.domain = ''"
        " AND a.deleted_at IS NULL AND m.role = 'owner' ORDER BY u.id LIMIT 1",
        names.key(wanted.removeprefix("@")),
    )
    return joined.build(User, "u", line) if line is not None else None


def _refuse_inactive(user: User) -> None:
    if user.disabled_at is not None:
        raise Forbidden("This log-in has been switched off by the staff of this server.")
    if user.approved_at is None:
        raise Forbidden(
            "Your sign-up is waiting for approval. You will get a mail as soon as somebody has read it."
        )


def _refuse_suspended(account: Account) -> None:
    if account.suspended_at is not None:
        raise Forbidden("This account has been suspended by the staff of this server.")


async def _resetting(token: str) -> User | None:
    found = await one_time.peek(one_time.RESET, token)
    return await User.get_or_none(id=found["user_id"] or 0, disabled_at=None) if found else None


async def _acceptable(user: User, password: str) -> str:
    """The hash of a new password. Raises Invalid for the field `new`."""
    own = [account.username for account in await members.accounts(user)]
    fault = passwords.fault(password, user.email, *own)
    if fault is not None:
        raise Invalid(fault, field="new")
    return await passwords.hash_new(password)


async def _replace_password(user: User, fresh: str, but: int | None = None) -> None:
    """Whatever the old password opened is closed. Of two changes at once the second fails with Conflict."""
    sql = "UPDATE person SET password_hash = $3 WHERE id = $1 AND password_hash = $2 RETURNING id"
    if await db.value(sql, user.id, user.password_hash, fresh) is None:
        raise Conflict("The password has just been changed.")
    await revoke_all(user, but)
    await tokens.revoke_all(user)
    await one_time.void(one_time.RESET, user.id)
    await one_time.void(one_time.HALFWAY, user.id)
    # Whoever knew the old one may have asked for another address.
    await one_time.void(one_time.EMAIL, user.id)
    await mail.account_mail(user, "password_changed")


async def _rehashed(user: User, password: str) -> str | None:
    return await passwords.hash_new(password) if passwords.needs_rehash(user.password_hash) else None


async def _begin(user: User, account: Account, address: str, agent: str, replaces: str | None) -> SignedIn:
    """A session instead of the one that the browser had."""
    if replaces is not None:
        await _end("token_hash = $1", keys.token_hash(replaces))
    return SignedIn(await _open(user, account, address, agent), user, account)


async def _open(user: User, account: Account, address: str, agent: str) -> str:
    """Store a session; gives its token."""
    token, now = keys.new_token(), moments.now()
    await db.execute(
        "INSERT INTO session (id, token_hash, user_id, account_id, agent, address, created_at, seen_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        *(ids.new(), keys.token_hash(token), user.id, account.id),
        *(text.tidy(agent)[:_LONGEST_AGENT], text.tidy(address)[:100], now, now),
    )
    return token


async def _end(which: str, *values: object) -> None:
    await db.execute(f"DELETE FROM session WHERE {which}", *values)


async def _seen(line: db.Row, now: int) -> None:
    """Note the visit, once an hour at most. A full disk or a busy database keeps nobody from reading."""
    if line["session_seen_at"] > now - _SEEN_EVERY:
        return
    with suppress(NoSpace, Unavailable):
        async with db.transaction():
            await db.execute("UPDATE person SET last_active_at = $2 WHERE id = $1", line["u_id"], now)
            await db.execute("UPDATE session SET seen_at = $2 WHERE id = $1", line["session_id"], now)
