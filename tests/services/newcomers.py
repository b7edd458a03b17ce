"""What the tests of signing up and in share."""

from typing import Any

from fediblog import db, keys
from fediblog.config import settings
from fediblog.models import Account, User
from fediblog.services import signups
from fediblog.services.signups import SignUp

PASSWORD = "a horse that staples batteries"
HERE = "192.0.2.1"


def form(username: str = "dora", **values: Any) -> SignUp:
    """A form without a fault."""
    return SignUp(
        **{"username": username, "email": f"{username}@mail.example", "password": PASSWORD, **values}
    )


async def sign_up(username: str = "dora", address: str = HERE, **values: Any) -> User:
    """Sign up with such a form."""
    return await signups.register(form(username, **values), address)


async def mailed(kind: str) -> list[tuple[str, str]]:
    """The addresses and secrets of the mails of a kind that are owed, oldest first."""
    lines = await db.rows("SELECT address, secret FROM mail WHERE kind = $1 ORDER BY id", kind)
    return [(line["address"], _opened(line["secret"])) for line in lines]


async def account_of(user: User) -> Account:
    """The account that a user owns."""
    return await Account.get(
        id=await db.value("SELECT account_id FROM membership WHERE user_id = $1", user.id)
    )


async def audited() -> list[str]:
    """What stands in the audit log, oldest first."""
    return await db.column("SELECT action FROM audit_entry ORDER BY id")


def _opened(sealed: bytes | None) -> str:
    return keys.unseal(settings().secret, bytes(sealed)).decode() if sealed else ""
