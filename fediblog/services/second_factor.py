"""Switching codes at sign-in on and off (authenticator.py checks them).

Each change needs the password, ends all other sessions of the user and is told by mail: see
docs/decisions/0019-a-second-factor-ends-other-sessions.md.
"""

from dataclasses import dataclass, field

import pyotp
from cryptography.fernet import InvalidToken

from fediblog import db, keys, moments
from fediblog.config import settings as configuration
from fediblog.errors import Conflict, Invalid
from fediblog.models import User
from fediblog.services import audit, authenticator, locks, mail, one_time, sessions, settings

_SETUP_SECONDS = 30 * 60
_LATE = "This took too long. Please start again and scan the new picture."
_NOT_IN_APP = "This is not the code of the new entry in your app. Is the clock of your device right?"
_ON = "Codes are switched on already."


@dataclass(frozen=True, slots=True)
class Offer:
    """What an app needs to know: to be typed in, and as an address that a picture carries."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SwitchedOn:
    """The outcome of switching on: the new token of the session that goes on, and the codes on paper."""

    token: str = field(repr=False)
    codes: tuple[str, ...] = field(repr=False)


async def begin(user: User) -> None:
    """Make a secret that counts once a code shows that an app has it; an older offer ends.

    Raises Conflict for who has switched on already.
    """
    if await authenticator.is_on(user.id):
        raise Conflict(_ON)
    sealed = keys.seal(configuration().secret, authenticator.new_secret().encode())
    async with db.transaction():
        await one_time.void(one_time.AUTHENTICATOR, user.id)
        await one_time.make(one_time.AUTHENTICATOR, user.id, _SETUP_SECONDS, detail=sealed.decode())


async def offered(user: User) -> Offer | None:
    """What `begin` made, as long as it can be confirmed."""
    sealed = await _offered(user.id)
    if sealed is None:
        return None
    try:
        secret = keys.unseal(configuration().secret, sealed.encode()).decode()
    except InvalidToken:  # The server's secret key has changed within this half hour.
        return None
    issuer = (await settings.get()).title.replace(":", " ")  # It divides the two names (otpauth's label).
    return Offer(secret, pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=issuer))


async def withdraw(user: User) -> None:
    """Leave it as it is after all."""
    async with db.transaction():
        await one_time.void(one_time.AUTHENTICATOR, user.id)


async def switch_on(user: User, session_id: int, password: str, code: str, address: str) -> SwitchedOn:
    """Ask for codes from now on, when this one is from the app that took the offer.

    Raises Invalid for the fields `password` and `code`, TooMany, Conflict when somebody was quicker.
    """
    await sessions.require_password(user, password, address)
    sealed, offer = await _offered(user.id), await offered(user)
    if sealed is None or offer is None:
        raise Invalid(_LATE, field="code")
    step = authenticator.step_of(offer.secret, code)
    if step is None:
        raise Invalid(_NOT_IN_APP, field="code")
    async with db.transaction():
        await locks.user(user.id)
        # Another tab may have begun anew meanwhile: only one secret is in the app.
        if await _offered(user.id) != sealed or await db.value(_ADD, user.id, sealed.encode(), step) is None:
            raise Conflict(_ON if await authenticator.is_on(user.id) else _LATE)
        codes = await authenticator.make_recovery_codes(user.id)
        return SwitchedOn(await _changed(user, "second_factor_on", session_id), codes)


async def switch_off(user: User, session_id: int, password: str, code: str, address: str) -> str:
    """Ask for the password alone again. Gives the new token of the session that goes on.

    Raises Invalid for the fields `password` and `code`, TooMany; so does `renew`.
    """
    await sessions.require_password(user, password, address)
    await authenticator.check(user, code, address)
    async with db.transaction():
        await locks.user(user.id)
        await _remove(user.id)
        return await _changed(user, "second_factor_off", session_id)


async def renew(user: User, password: str, code: str, address: str) -> tuple[str, ...]:
    """Fresh recovery codes; those that there were open nothing any more."""
    await sessions.require_password(user, password, address)
    await authenticator.check(user, code, address)
    async with db.transaction():
        await locks.user(user.id)
        if not await authenticator.is_on(user.id):
            raise Conflict("Codes have just been switched off.")
        return await authenticator.make_recovery_codes(user.id)


async def take_away(user: User) -> bool:
    """For whoever runs the server, when somebody has lost app and paper. False when there was nothing."""
    async with db.transaction():
        await locks.user(user.id)
        if not await _remove(user.id):
            return False
        await audit.record(None, "user.disable_2fa", str(user.id))
        await mail.account_mail(user, "second_factor_off")
        await one_time.void(one_time.HALFWAY, user.id)
        await sessions.revoke_all(user)
    await authenticator.forget(user.id)
    return True


async def _offered(user_id: int) -> str | None:
    sql = "SELECT detail FROM one_time_token WHERE purpose = $1 AND user_id = $2 AND expires_at > $3"
    found: str | None = await db.value(sql, one_time.AUTHENTICATOR, user_id, moments.now())
    return found


async def _remove(user_id: int) -> bool:
    await db.execute("DELETE FROM recovery_code WHERE user_id = $1", user_id)
    return await db.value(_REMOVE, user_id) is not None


async def _changed(user: User, told: str, session_id: int) -> str:
    """What was opened under the old rule ends: sessions elsewhere, and sign-ins that are half done."""
    await one_time.void(one_time.AUTHENTICATOR, user.id)
    await one_time.void(one_time.HALFWAY, user.id)
    await sessions.revoke_all(user, but=session_id)
    await mail.account_mail(user, told)
    return await sessions.rotate(session_id)


_ADD = """
INSERT INTO second_factor (user_id, secret, step) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING user_id
"""
_REMOVE = "DELETE FROM second_factor WHERE user_id = $1 RETURNING user_id"
