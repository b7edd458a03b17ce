"""The first admin, and people made on the command line."""

from fediblog import db
from fediblog.config import settings as configuration
from fediblog.errors import Forbidden, Invalid
from fediblog.models import Role, User
from fediblog.services import audit, emails, names, newcomers, one_time, passwords, settings, signups
from fediblog.services.newcomers import Newcomer
from fediblog.services.signups import SignUp

_SETUP_SECONDS = 24 * 3600
_USED = "This set-up link has been used or is too old. Start the server again to get a fresh one."


async def setup_token() -> str | None:
    """A fresh token for the set-up page, good for 24 hours; older ones end. None when there is an admin."""
    if await _has_admin():
        return None
    async with db.transaction():
        await one_time.void(one_time.SETUP, None)
        return await one_time.make(one_time.SETUP, None, _SETUP_SECONDS)


async def may_set_up(token: str) -> bool:
    """Whether the set-up page opens with this token."""
    return await one_time.peek(one_time.SETUP, token) is not None and not await _has_admin()


async def setup(token: str, form: SignUp, registration: str, title: str) -> User:
    """Make the admin, confirmed and approved, and store how people sign up and what the site is called.

    Raises Forbidden for a token that does not work (any more), Invalid with every fault of the form.
    """
    if not await may_set_up(token):
        raise Forbidden(_USED)
    await _check(form, registration=registration, title=title)
    secrets = await newcomers.secrets(form.password)
    email = emails.tidy(form.email)
    newcomer = Newcomer(form.username, email, secrets, Role.ADMIN, confirmed=True, approved=True)
    async with db.transaction():
        # The token goes first: of two who use it at once, one gets it.
        if await one_time.take(one_time.SETUP, token) is None or await _has_admin():
            raise Forbidden(_USED)
        user = await newcomers.make(newcomer)
        await settings.put(settings.checked(registration=registration, title=title))
        await audit.record(user, "setup", str(user.id), username=form.username, registration=registration)
    return user


async def create_account(
    username: str, email: str, password: str, role: Role | str = Role.USER, confirmed: bool = False
) -> User:
    """Make somebody by hand, for the command line; reserved names are allowed. Approved, whatever the mode.

    Who is not `confirmed` gets the mail with the link, or counts as confirmed where no mail can be sent.
    Raises Invalid with every fault.
    """
    form = SignUp(username, email, password)
    await _check(form, role=role)
    secrets = await newcomers.secrets(password)
    address = emails.tidy(email)
    confirmed = confirmed or not configuration().mail.leaves
    newcomer = Newcomer(username, address, secrets, Role(role), confirmed, approved=True)
    async with db.transaction():
        user = await newcomers.make(newcomer)
        if not confirmed:
            await signups.ask_to_confirm(user)
        await audit.record(None, "account.create", str(user.id), username=username, role=user.role.value)
    return user


async def _check(form: SignUp, role: Role | str = Role.ADMIN, **site: str) -> None:
    faults = {
        "username": names.fault(form.username, staff=True) or await names.taken(form.username, staff=True),
        "email": emails.fault(form.email) or await _email_taken(form.email),
        "password": passwords.fault(form.password, form.username, form.email.strip()),
        "role": None if role in set(Role) else "There is no such role.",
        **settings.faults(**site),
    }
    found = {name: fault for name, fault in faults.items() if fault}
    if found:
        raise Invalid(fields=found)


async def _email_taken(email: str) -> str | None:
    taken = await User.exists(email_key=emails.key(emails.tidy(email)))
    return "This e-mail address is taken." if taken else None


async def _has_admin() -> bool:
    return await User.exists(role=Role.ADMIN)
