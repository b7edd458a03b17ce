"""Making people: an account, the user who owns it, and the bond between the two.

The slow parts, hashing and the key pair, are done before the transaction and in threads.
"""

import asyncio
from dataclasses import dataclass, field

from fediblog import ids, keys, moments, uris
from fediblog.config import settings
from fediblog.models import Account, Role, User
from fediblog.services import emails, members, names, passwords
from fediblog.services.members import Membership


@dataclass(frozen=True, slots=True)
class Secrets:
    """What is made for a person before the transaction."""

    password_hash: str = field(repr=False)
    public_key: str
    private_key: bytes = field(repr=False)  # Sealed.


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who is to be made."""

    username: str
    email: str  # Tidied.
    secrets: Secrets
    role: Role = Role.USER
    confirmed: bool = False
    approved: bool = False
    reason: str = ""
    invite_id: int | None = None
    locale: str = "en"


async def secrets(password: str) -> Secrets:
    """The password's hash and a fresh key pair, its private half sealed with the server's secret."""
    hashed = await passwords.hash_new(password)
    async with passwords.place():
        public, private = await asyncio.to_thread(keys.new_pair)
    return Secrets(hashed, public, keys.seal(settings().secret, private))


async def make(newcomer: Newcomer) -> User:
    """Store an account and its owner, inside a transaction. Raises Conflict when name or address are taken.

    Who is not confirmed and approved yet has an account that nobody sees (`admission`).
    """
    user = draft(newcomer)
    account = _account(newcomer, user.created_at)
    await user.save(force_create=True)
    await account.save(force_create=True)
    await members.add(user.id, account.id, Membership.OWNER)
    return user


def draft(newcomer: Newcomer) -> User:
    """The user as it would be stored."""
    now = moments.now()
    return User(
        email=newcomer.email,
        email_key=emails.key(newcomer.email),
        password_hash=newcomer.secrets.password_hash,
        role=newcomer.role,
        reason=newcomer.reason,
        invite_id=newcomer.invite_id,
        confirmed_at=now if newcomer.confirmed else None,
        approved_at=now if newcomer.approved else None,
        locale=newcomer.locale,
        created_at=now,
    )


def _account(newcomer: Newcomer, now: int) -> Account:
    number = ids.new()
    uri = uris.account_uri(number)
    return Account(
        id=number,
        username=newcomer.username,
        username_key=names.key(newcomer.username),
        local=True,
        uri=uri,
        url=uris.profile_page(newcomer.username),
        inbox=f"{uri}/inbox",
        shared_inbox=uris.shared_inbox(),
        outbox=f"{uri}/outbox",
        followers_uri=f"{uri}/followers",
        following_uri=f"{uri}/following",
        featured_uri=f"{uri}/featured",
        key_id=f"{uri}#main-key",
        public_key=newcomer.secrets.public_key,
        private_key=newcomer.secrets.private_key,
        created_at=now,
        suspended_at=None if newcomer.confirmed and newcomer.approved else now,
    )
