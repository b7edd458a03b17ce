"""The people of the tests: accounts with all their columns right, put into the database without detours."""

from functools import cache
from typing import Any

from fediblog import db, ids, keys, moments, uris
from fediblog.config import settings
from fediblog.models import Account, User

PASSWORD = "correct horse battery staple"


async def person(username: str, **columns: Any) -> Account:
    """Somebody who lives here, confirmed and approved, with the password PASSWORD and `<name>@mail.example`.

    Columns of User (role, email, confirmed_at …) and of Account may be given; what both have goes to Account.
    """
    account_id = ids.new()
    for_user = {name: columns.pop(name) for name in _user_columns() & set(columns)}
    public, private = pair()
    uri = uris.account_uri(account_id)
    account = await Account.create(
        **{
            "id": account_id,
            "username": username,
            "username_key": username.lower(),
            "local": True,
            "display_name": username.capitalize(),
            "uri": uri,
            "url": uris.profile_page(username),
            "shared_inbox": uris.shared_inbox(),
            **_collections(uri),
            "public_key": public,
            "private_key": keys.seal(settings().secret, private),
            **columns,
        }
    )
    user = await _user(f"{username.lower()}@mail.example", for_user)
    async with db.transaction():
        await db.execute(
            "INSERT INTO membership (user_id, account_id, role) VALUES ($1, $2, $3)",
            user.id,
            account.id,
            "owner",
        )
    return account


async def user_of(account: Account) -> User:
    """The user who owns an account made by `person`."""
    user_id = await db.value("SELECT user_id FROM membership WHERE account_id = $1", account.id)
    return await User.get(id=user_id)


async def remote(username: str, domain: str, **columns: Any) -> Account:
    """Somebody who lives on another server."""
    uri = f"https://{domain}/users/{username.lower()}"
    public, _ = pair()
    return await Account.create(
        **{
            "username": username,
            "username_key": username.lower(),
            "domain": domain,
            "local": False,
            "display_name": username.capitalize(),
            "uri": uri,
            "url": f"https://{domain}/@{username}",
            "shared_inbox": f"https://{domain}/inbox",
            **_collections(uri),
            "public_key": public,
            "fetched_at": moments.now(),
            **columns,
        }
    )


@cache
def pair() -> tuple[str, bytes]:
    """One key pair for everybody: making one takes a tenth of a second."""
    return keys.new_pair()


@cache
def password_hash() -> str:
    """The hash of PASSWORD, made once: hashing is slow on purpose."""
    return keys.hash_password(PASSWORD)


async def _user(email: str, columns: dict[str, Any]) -> User:
    now = moments.now()
    values: dict[str, Any] = {
        "email": email,
        "password_hash": password_hash(),
        "confirmed_at": now,
        "approved_at": now,
        **columns,
    }
    return await User.create(**{"email_key": values["email"].lower(), **values})


def _user_columns() -> set[str]:
    return set(User._meta.fields_map) - set(Account._meta.fields_map)


def _collections(uri: str) -> dict[str, str]:
    return {
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "followers_uri": f"{uri}/followers",
        "following_uri": f"{uri}/following",
        "featured_uri": f"{uri}/featured",
        "key_id": f"{uri}#main-key",
    }
