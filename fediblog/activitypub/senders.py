"""Who signs: an account of ours, or the server itself (its instance actor, FEDERATION §2)."""

import asyncio
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache

import orjson

from fediblog import db, keys, uris
from fediblog.config import settings
from fediblog.models import Account
from fediblog.remembering import Lately, Together

_NAME = "server_key"
# Seconds: nothing but a restored backup could make it another, and that restarts us.
_FOR_EVER = 3_600.0


@dataclass(frozen=True, slots=True)
class Sender:
    """What a signature needs. `private_key` is PKCS#8 DER; `uri` is the actor's, `public_key` a PEM."""

    uri: str
    key_id: str
    public_key: str
    private_key: bytes


def of_account(account: Account) -> Sender:
    """An account of ours. Raises ValueError for one elsewhere, whose key we do not have: a fault of ours."""
    if account.private_key is None:
        raise ValueError(f"{account.uri} is not ours to sign for")
    private = _unsealed(bytes(account.private_key), settings().secret)
    return Sender(account.uri, account.key_id, account.public_key, private)


async def of_server() -> Sender:
    """The server itself. Its key pair is made when it is first asked for, and there is one for ever."""
    stored = await _kept.get()
    private = _unsealed(b64decode(stored["private"]), settings().secret)
    uri = uris.server_uri()
    return Sender(uri, f"{uri}#main-key", stored["public"], private)


async def _server_key() -> dict[str, str]:
    return await _stored() or await _making.get(_NAME, _made)


async def _stored() -> dict[str, str] | None:
    found = await db.value("SELECT value FROM setting WHERE name = $1", _NAME)
    return None if found is None else orjson.loads(found)


async def _made() -> dict[str, str]:
    public, private = await asyncio.to_thread(keys.new_pair)
    sealed = b64encode(keys.seal(settings().secret, private)).decode()
    async with db.transaction():
        # Of two processes that start at once the first one's stays.
        await db.execute(
            "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            *(_NAME, db.json({"public": public, "private": sealed})),
        )
    stored = await _stored()
    assert stored is not None
    return stored


@lru_cache(maxsize=4_096)
def _unsealed(sealed: bytes, secret: bytes) -> bytes:
    return keys.unseal(secret, sealed)


_kept = Lately(_FOR_EVER, _server_key)
_making: Together[dict[str, str]] = Together()
