"""Checking a password so that it cannot be guessed, and so that nobody learns who is here (SECURITY §7)."""

from fediblog.config import settings
from fediblog.errors import Unauthenticated
from fediblog.models import User
from fediblog.services import emails, members, names, passwords, throttle

_WRONG = "The name or the password is wrong."
_WRONG_OR_UNCONFIRMED = (
    "The name or the password is wrong, or the e-mail address has not been confirmed yet:"
    " for that, open the link in the mail that we have sent."
)


async def check(user: User | None, password: str, name: str, address: str) -> None:
    """Let pass who knows the user's password. `name` is what was typed for the user.

    Raises Unauthenticated when it is wrong or there is no user, with one text and after one time; TooMany
    after ten failures for the name or the caller. The count is looked at again once it is our turn to hash,
    so that many guesses at once are not free.
    """
    buckets = (_bucket(name), throttle.bucket("password from", throttle.network(address)))
    await throttle.check(*buckets)
    async with passwords.place():
        await throttle.check(*buckets)
        right = await passwords.matches(user.password_hash if user else None, password)
        if not right:
            await throttle.failed(*buckets)
            raise Unauthenticated(_sentence())
    await throttle.clear(buckets[0])


async def forget(user: User) -> None:
    """Count no longer what was guessed for a user: the password is another one now."""
    for name in (user.email, *(account.username for account in await members.accounts(user))):
        await throttle.clear(_bucket(name))


def _sentence() -> str:
    return _WRONG_OR_UNCONFIRMED if settings().mail.leaves else _WRONG


def _bucket(name_or_email: str) -> str:
    """The counter for what was typed, whether there is anybody of that name or not.

    Not for the user behind it: guessing for a name until it has to wait, and then trying an address, would
    tell whether that address is the user's.
    """
    wanted = name_or_email.strip()
    key = emails.find_key(wanted) if emails.is_meant(wanted) else None
    return throttle.bucket("password", key or names.key(wanted.removeprefix("@")))
