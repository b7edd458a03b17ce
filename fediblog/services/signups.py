"""Signing up: the four modes, the rules of the form, confirming the address, and the queue of the staff."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fediblog import db, moments, text
from fediblog.config import settings as configuration
from fediblog.errors import Conflict, Forbidden, Invalid, NotFound
from fediblog.models import Account, User
from fediblog.services import (
    address_blocks,
    admission,
    audit,
    email_blocks,
    emails,
    invites,
    joined,
    languages,
    mail,
    members,
    names,
    newcomers,
    one_time,
    passwords,
    settings,
    throttle,
)
from fediblog.services.address_blocks import Severity
from fediblog.services.newcomers import Newcomer, Secrets
from fediblog.services.settings import Mode

_CONFIRM_SECONDS = 48 * 3600
PATIENCE_SECONDS = 7 * 24 * 3600
_LONGEST_REASON = 1000

# In an hour from one address; only forms without a fault count.
_MOST_SIGNUPS = 10
_MOST_RESENT = 3
_MOST_TAKEN_MAILS = 3  # In a day for one mailbox.
_BATCH = 500

_STALE = "This link has been used or is too old. Please ask for a new one."
_BAD_INVITE = "This invite is not valid any more."
EMAIL_TAKEN = "This e-mail address is taken."
_APPROVED = "This sign-up has been approved already."


@dataclass(frozen=True, slots=True)
class SignUp:
    """The form as it was filled in."""

    username: str
    email: str
    password: str = field(repr=False)
    reason: str = ""
    invite_code: str = field(default="", repr=False)
    locale: str = "en"


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who waits for the staff."""

    user: User
    account: Account


async def register(form: SignUp, address: str) -> User:
    """Sign up; the user has to confirm the address, and in approval mode to wait for the staff.

    With an invite nobody waits. Without a mail server in the configuration no mail can arrive, so that
    the address counts as confirmed at once: `make run` on a laptop has to work.

    Raises Forbidden when nobody may sign up, Invalid with every fault of the form, TooMany. An e-mail address
    that is taken is no fault for anybody to see: the answer is the same, the User that comes back is stored
    nowhere, and the owner of the address gets a mail instead.
    """
    mode = (await settings.get()).registration
    if mode is Mode.CLOSED:
        raise Forbidden("This server takes no new members at the moment.")
    form = await _checked(form, mode)
    has_to_wait = await _has_to_wait(form.email, address)
    if has_to_wait and mode is Mode.OPEN:
        mode = Mode.APPROVAL
    await throttle.hit(throttle.bucket("sign up", throttle.network(address)), _MOST_SIGNUPS, 3600)
    secrets = await newcomers.secrets(form.password)
    try:
        return await _store(form, secrets, mode)
    except Conflict:
        # Somebody took the name or the address in this very moment. Now the checks can see it.
        await _check_name(form.username)
        return await _store(form, secrets, mode)


async def _has_to_wait(email: str, address: str) -> bool:
    """Whether the staff wants to look at whoever comes from there. Raises Forbidden where nobody may come."""
    severity = await address_blocks.severity(address)
    if severity not in (None, Severity.APPROVAL):
        raise Forbidden("Nobody can sign up from this network.")
    return severity is not None or await email_blocks.has_to_wait(email)


async def confirm(token: str) -> User:
    """The link in the mail was opened. Raises Invalid when it is used up or too old."""
    async with db.transaction():
        taken = await one_time.take(one_time.CONFIRM, token)
        user = await User.get_or_none(id=taken["user_id"]) if taken else None
        if user is None:
            raise Invalid(_STALE, field="token")
        await admission.confirm(user)
        return await User.get(id=user.id)


async def ask_to_confirm(user: User) -> None:
    """Send the link for confirming the address, inside a transaction; older ones end."""
    await one_time.void(one_time.CONFIRM, user.id)
    token = await one_time.make(one_time.CONFIRM, user.id, _CONFIRM_SECONDS)
    await mail.account_mail(user, "confirm", token)


async def request_confirmation(email: str, address: str) -> None:
    """Send a fresh link for confirming to this address, if it is that of a user who needs one.

    Whether it is, nobody can tell from the answer. Raises Invalid for what is no address, TooMany for every
    address alike.
    """
    wanted = emails.key(emails.tidy(email))
    await throttle.hit(throttle.bucket("confirm from", throttle.network(address)), 3 * _MOST_RESENT, 3600)
    await throttle.hit(throttle.bucket("confirm for", wanted), _MOST_RESENT, 3600)
    user = await User.get_or_none(email_key=wanted, confirmed_at=None, disabled_at=None)
    async with db.transaction():
        if user is not None:
            await ask_to_confirm(user)
        else:
            # As dear as the other answer, so that the time does not tell them apart.
            await one_time.make(one_time.CONFIRM, None, _CONFIRM_SECONDS)


async def waiting(most: int = 100) -> tuple[Applicant, ...]:
    """Those who have confirmed their address and wait for the staff, the oldest first."""
    lines = await db.rows(
        f"SELECT {joined.columns(User, 'u')}, {joined.columns(Account, 'a')} FROM person u"
        " JOIN membership m ON m.user_id = u.id AND m.role = 'owner' JOIN account a ON a.id = m.account_id"
        f" WHERE {_WAITING} ORDER BY u.id LIMIT $1",
        most,
    )
    return tuple(Applicant(joined.build(User, "u", line), joined.build(Account, "a", line)) for line in lines)


async def count_waiting() -> int:
    """How many wait for the staff."""
    found: int = await db.value(f"SELECT count(*) FROM person u WHERE {_WAITING}")
    return found


async def approve(user_id: int, by: User | None) -> User:
    """Let somebody in. Twice is the same as once. Raises NotFound, Forbidden for who is not on the staff.

    `by` is None on the command line.
    """
    if by is not None:
        members.require_staff(by)
    async with db.transaction():
        user = await _applicant(user_id)
        if await admission.approve(user.id):
            await audit.record(by, "signup.approve", str(user.id), username=await _username(user.id))
            await mail.account_mail(user, "approved")
        return await User.get(id=user.id)


async def reject(user_id: int, by: User | None) -> None:
    """Send somebody away; name, address and all else are deleted. Raises as `approve` does.

    Raises Conflict for somebody who has been let in already: that is for suspending, not for rejecting.
    """
    if by is not None:
        members.require_staff(by)
    async with db.transaction():
        user = await _applicant(user_id)
        if user.approved_at is not None:
            raise Conflict(_APPROVED)
        await audit.record(by, "signup.reject", str(user.id), username=await _username(user.id))
        if user.confirmed_at is not None:
            await mail.account_mail(user, "rejected")
        if not await _forget(user.id, "approved_at IS NULL"):
            raise Conflict(_APPROVED)


async def prune() -> int:
    """Delete the sign-ups whose address was not confirmed within a week. Tells how many."""
    before = moments.now() - PATIENCE_SECONDS * moments.SECOND
    number = 0
    while users := await db.column(_UNCONFIRMED, before, _BATCH):
        for user_id in users:
            async with db.transaction():
                number += await _forget(user_id, "confirmed_at IS NULL")
    return number


# ------------------------------------------------------------------------------------------------ the form


async def _checked(form: SignUp, mode: Mode) -> SignUp:
    """The form with its texts tidied. Raises Invalid with all its faults."""
    form = SignUp(
        username=names.tidy(form.username),
        email=form.email,
        password=form.password,
        reason=text.tidy_block(form.reason),
        invite_code=form.invite_code.strip(),
        locale=form.locale,
    )
    faults = {name: fault async for name, fault in _faults(form, mode) if fault}
    if faults:
        raise Invalid(fields=faults)
    return form


async def _faults(form: SignUp, mode: Mode) -> AsyncIterator[tuple[str, str | None]]:
    yield "username", names.fault(form.username) or await _name_fault(form.username)
    yield "email", emails.fault(form.email) or await email_blocks.fault(form.email)
    yield "password", passwords.fault(form.password, form.username, form.email.strip())
    if len(form.reason) > _LONGEST_REASON:
        yield "reason", f"Please say it in {_LONGEST_REASON} characters."
    yield "locale", languages.fault(form.locale)
    yield "invite_code", await _invite_fault(form.invite_code, mode)


async def _name_fault(username: str) -> str | None:
    # A name is held for whoever signed up with an address that was taken: see `_hold_name`.
    if await one_time.kept(one_time.HELD_NAME, names.key(username)):
        return names.TAKEN
    return await names.taken(username)


async def _check_name(username: str) -> None:
    fault = await _name_fault(username)
    if fault:
        raise Invalid(fault, field="username")


async def _invite_fault(code: str, mode: Mode) -> str | None:
    if not code:
        return "You need an invite to sign up here." if mode is Mode.INVITE else None
    return None if await invites.find(code) else _BAD_INVITE


# ------------------------------------------------------------------------------------------------- storing


async def _store(form: SignUp, secrets: Secrets, mode: Mode) -> User:
    """Make the user; or, where the address is somebody's, do all that others can see of it."""
    email = emails.tidy(form.email)
    confirmed = not configuration().mail.leaves
    async with db.transaction():
        owner = await User.get_or_none(email_key=emails.key(email))
        if owner is not None and confirmed:
            # No mail can tell the owner, and whoever signs up would wait for nothing.
            raise Invalid(EMAIL_TAKEN, field="email")
        invite_id = await _use_invite(form.invite_code)
        newcomer = Newcomer(
            username=form.username,
            email=email,
            secrets=secrets,
            confirmed=confirmed,
            approved=mode is not Mode.APPROVAL or invite_id is not None,
            reason=form.reason,
            invite_id=invite_id,
            locale=form.locale,
        )
        if owner is None:
            return await _make(newcomer)
        await _hold_name(form.username)
        await _tell_owner(owner)
        return newcomers.draft(newcomer)


async def _use_invite(code: str) -> int | None:
    """Also for an address that is taken: its maker would see that nobody came, and know why."""
    if not code:
        return None
    invite_id = await invites.use(code)
    if invite_id is None:
        raise Invalid(_BAD_INVITE, field="invite_code")
    return invite_id


async def _make(newcomer: Newcomer) -> User:
    user = await newcomers.make(newcomer)
    if user.confirmed_at is None:
        await ask_to_confirm(user)
    elif user.approved_at is None:
        await mail.account_mail(user, "waiting")
    return user


async def _hold_name(username: str) -> None:
    """Nobody else gets the name for as long as a sign-up that is never confirmed would have kept it.

    Otherwise signing up twice would tell whether the address of the first time was taken.
    """
    await one_time.make(one_time.HELD_NAME, None, PATIENCE_SECONDS, detail=names.key(username))


async def _tell_owner(owner: User) -> None:
    """A mail to the owner of an address, some times a day and no more: it must not be a way to annoy."""
    if await throttle.allowed(throttle.bucket("taken", owner.email_key), _MOST_TAKEN_MAILS, 24 * 3600):
        await mail.account_mail(owner, "taken")


# ----------------------------------------------------------------------------------------------- the queue


async def _applicant(user_id: int) -> User:
    user = await User.get_or_none(id=user_id)
    if user is None:
        raise NotFound()
    return user


async def _username(user_id: int) -> str:
    sql = "SELECT a.username FROM membership m JOIN account a ON a.id = m.account_id WHERE m.user_id = $1"
    return str(await db.value(f"{sql} ORDER BY a.id", user_id) or "")


async def _forget(user_id: int, still: str) -> bool:
    """Delete a user who was never let in, and the account that nobody has seen. Inside a transaction.

    `still` is SQL for what has to be true of the user. False when it is not (any more): nothing has changed.
    """
    owned = "SELECT account_id FROM membership WHERE user_id = $1 AND role = 'owner'"
    accounts = await db.column(owned, user_id)
    if await db.value(f"DELETE FROM person WHERE id = $1 AND {still} RETURNING id", user_id) is None:
        return False
    for account_id in accounts:
        await db.execute("DELETE FROM account WHERE id = $1", account_id)
    return True


_WAITING = "u.approved_at IS NULL AND u.confirmed_at IS NOT NULL AND u.disabled_at IS NULL"
_UNCONFIRMED = "SELECT id FROM person WHERE confirmed_at IS NULL AND created_at < $1 ORDER BY id LIMIT $2"
