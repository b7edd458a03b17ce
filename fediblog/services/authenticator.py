"""Codes: those of an app, which change with the time (RFC 6238), and those on paper for when it is lost.

Whoever has switched them on is asked for one at signing in, and for what is too grave to be done with a
session and a password alone. Each works once.
"""

import base64
import hmac
import re
import secrets

import pyotp
import structlog
from cryptography.fernet import InvalidToken

from fediblog import db, keys, moments
from fediblog.config import settings
from fediblog.errors import Invalid
from fediblog.models import User
from fediblog.services import locks, throttle

log = structlog.get_logger()

RECOVERY_CODES = 10

_STEP = 30 * moments.SECOND
# A clock may be wrong by so many steps, and typing takes its time (RFC 6238 §5.2).
_DRIFT = 1
_DIGITS = re.compile(r"[0-9]{6}")
_LONGEST = 100
_WRONG = "This code is not right, or has been used already. Please wait for the next one."


async def is_on(user_id: int) -> bool:
    """Whether this user is asked for codes."""
    return await db.value("SELECT 1 FROM second_factor WHERE user_id = $1", user_id) is not None


async def left(user_id: int) -> int:
    """How many recovery codes have not been used."""
    found: int = await db.value("SELECT count(*) FROM recovery_code WHERE user_id = $1", user_id)
    return found


async def require(user: User, code: str, address: str) -> None:
    """The same as `check` for those who have switched codes on, nothing for others."""
    if await is_on(user.id):
        await check(user, code, address)


async def check(user: User, code: str, address: str) -> None:
    """Use a code up. `address` is where it comes from.

    Raises Invalid for the field `code` when it is wrong, used or none of this user's, TooMany after ten
    failures for the user or the caller. Those who guess for one user at once are counted one after the other.
    """
    buckets = (_bucket(user.id), throttle.bucket("code from", throttle.network(address)))
    async with db.transaction():
        await locks.user(user.id)
        await throttle.check(*buckets)  # Counts nothing, so its refusal undoes nothing.
        right = await _use(user.id, code)
        if not right:
            await throttle.failed(*buckets)
    if not right:
        raise Invalid(_WRONG, field="code")
    await throttle.clear(buckets[0])


async def forget(user_id: int) -> None:
    """Count no longer what was guessed for a user: the codes are others now, or none."""
    await throttle.clear(_bucket(user_id))


# ---------------------------------------------------------------------------------------- for second_factor


def new_secret() -> str:
    """160 random bits (RFC 4226 §4, R6) as apps take them: 32 letters and digits."""
    return pyotp.random_base32()


def step_of(secret: str, typed: str) -> int | None:
    """The step of time whose code this is, None when it is none of these minutes."""
    code, now = _tidied(typed), moments.now() // _STEP
    steps = range(now - _DRIFT, now + _DRIFT + 1)
    # All of them, whichever it is, so that the time tells nothing.
    found = [step for step in steps if hmac.compare_digest(_code(secret, step), code.encode())]
    return found[-1] if found else None


async def make_recovery_codes(user_id: int) -> tuple[str, ...]:
    """Fresh ones instead of all that there were, shown this once. Inside a transaction."""
    codes = tuple(_new_recovery_code() for _ in range(RECOVERY_CODES))
    await db.execute("DELETE FROM recovery_code WHERE user_id = $1", user_id)
    for code in codes:
        sql = "INSERT INTO recovery_code (user_id, code_hash) VALUES ($1, $2)"
        await db.execute(sql, user_id, _hash(user_id, _tidied(code)))
    return codes


# ------------------------------------------------------------------------------------------------- pieces


async def _use(user_id: int, typed: str) -> bool:
    code = _tidied(typed)
    return await (_use_step if _DIGITS.fullmatch(code) else _use_recovery_code)(user_id, code)


async def _use_step(user_id: int, code: str) -> bool:
    sealed = await db.value("SELECT secret FROM second_factor WHERE user_id = $1", user_id)
    step = step_of(_opened(sealed, user_id), code) if sealed is not None else None
    # One statement asks and notes, so of two who bring the same code one is refused (RFC 6238 §5.2).
    sql = "UPDATE second_factor SET step = $2 WHERE user_id = $1 AND step < $2 RETURNING user_id"
    return step is not None and await db.value(sql, user_id, step) is not None


async def _use_recovery_code(user_id: int, code: str) -> bool:
    sql = "DELETE FROM recovery_code WHERE user_id = $1 AND code_hash = $2 RETURNING user_id"
    return await db.value(sql, user_id, _hash(user_id, code)) is not None


def _opened(sealed: bytes, user_id: int) -> str:
    """The secret of an app; one that nobody has when ours has changed since."""
    try:
        return keys.unseal(settings().secret, bytes(sealed)).decode()
    except InvalidToken:
        log.warning("codes cannot be checked, the server's secret key has changed", user=user_id)
        return new_secret()


def _code(secret: str, step: int) -> bytes:
    return pyotp.TOTP(secret).generate_otp(step).encode()


def _new_recovery_code() -> str:
    """80 random bits, in groups that can be copied by hand."""
    code = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def _hash(user_id: int, code: str) -> str:
    """How it is kept: whoever has read the database alone cannot even try codes against it."""
    return keys.sign(settings().secret, "recovery code", f"{user_id} {code}")


def _tidied(typed: str) -> str:
    """As it was shown, however it was typed. Empty for what is no code at all."""
    code = re.sub(r"[\s-]+", "", typed[:_LONGEST]).lower()
    return code if code.isascii() and len(typed) <= _LONGEST else ""


def _bucket(user_id: int) -> str:
    return throttle.bucket("code", str(user_id))
