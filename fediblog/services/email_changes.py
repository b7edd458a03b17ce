"""Changing one's e-mail address: the new one counts once somebody has opened the link that was sent there.

The old address hears of it at once, so that whoever has found out the password cannot take the account away
in silence, and choosing a new password ends the change as well.
"""

from fediblog import db, moments
from fediblog.config import settings
from fediblog.errors import Conflict, Invalid
from fediblog.models import User
from fediblog.services import authenticator, email_blocks, emails, mail, one_time, sessions, throttle

_LINK_SECONDS = 24 * 3600
_MOST = 3  # In an hour, for one mailbox and by one user.
_TAKEN = "This e-mail address belongs to somebody else here."
_STALE = "This link has been used or is too old. Please ask for a new one."


async def request(user: User, password: str, new_email: str, address: str = "", code: str = "") -> None:
    """Send a link to the new address and a notice to the old one. Older links end.

    Whether the new address is somebody else's is told only to whoever opens the link. Without a mail server
    in the configuration no mail can arrive, so the new address counts at once.

    Raises Invalid for the fields `password`, `email` and `code`, TooMany. `address` is where the request
    comes from.
    """
    await sessions.require_password(user, password, address)
    wanted = emails.tidy(new_email)
    if wanted == user.email:
        raise Invalid("This is your address already.", field="email")
    if fault := await email_blocks.fault(wanted):
        raise Invalid(fault, field="email")
    await authenticator.require(user, code, address)
    await throttle.hit(throttle.bucket("new address by", str(user.id)), _MOST, 3600)
    await throttle.hit(throttle.bucket("confirm for", emails.key(wanted)), _MOST, 3600)
    if not settings().mail.leaves:
        await _change(user.id, wanted)
        return
    async with db.transaction():
        await one_time.void(one_time.EMAIL, user.id)
        token = await one_time.make(one_time.EMAIL, user.id, _LINK_SECONDS, detail=wanted)
        await mail.account_mail(user, "new_email", token, wanted)
        await mail.account_mail(user, "email_asked")


async def confirm(token: str) -> User:
    """The link in the mail was opened: the new address counts. The user as she is afterwards.

    Raises Invalid for the field `token` when the link is used up or too old, and for `email` when the address
    is somebody else's by now.
    """
    async with db.transaction():
        taken = await one_time.take(one_time.EMAIL, token)
        user = await User.get_or_none(id=taken["user_id"], disabled_at=None) if taken else None
        if taken is None or user is None:
            raise Invalid(_STALE, field="token")
        return await _change(user.id, taken["detail"])


async def pending(user: User) -> str | None:
    """The address that waits for its link to be opened."""
    sql = "SELECT detail FROM one_time_token WHERE purpose = $1 AND user_id = $2 AND expires_at > $3"
    found: str | None = await db.value(sql, one_time.EMAIL, user.id, moments.now())
    return found


async def withdraw(user: User) -> None:
    """Keep the address after all: the link ends."""
    async with db.transaction():
        await one_time.void(one_time.EMAIL, user.id)


async def _change(user_id: int, email: str) -> User:
    try:
        async with db.transaction():
            old = await User.get(id=user_id)
            await db.execute(_SET, user_id, email, emails.key(email))
            # What was sent to the old mailbox opens nothing any more.
            await one_time.void(one_time.RESET, user_id)
            await mail.account_mail(old, "email_changed")
            return await User.get(id=user_id)
    except Conflict:
        raise Invalid(_TAKEN, field="email") from None


_SET = "UPDATE person SET email = $2, email_key = $3 WHERE id = $1"
